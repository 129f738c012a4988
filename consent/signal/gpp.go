package signal

import (
	"errors"
	"fmt"
	"strings"
)

// sectionEU is tcfeuv2, the GPP section for people in the EU (SIG-08).
const sectionEU = 2

// maxSection bounds section ids; the highest in use is below 30.
const maxSection = 1 << 12

// ParseGPP splits a Global Privacy Platform string into its sections by id. The
// header must name exactly the sections that follow, else all of it is invalid.
func ParseGPP(s string) (map[int]string, error) {
	header, rest, some := strings.Cut(s, "~")
	ids, err := parseGPPHeader(header)
	if err != nil {
		return nil, fmt.Errorf("reading GPP header: %w", err)
	}
	var sections []string
	if some {
		sections = strings.Split(rest, "~")
	}
	if len(ids) != len(sections) {
		return nil, fmt.Errorf("reading GPP string: %d sections named, %d sent", len(ids), len(sections))
	}
	out := make(map[int]string, len(ids))
	for i, id := range ids {
		if sections[i] == "" {
			return nil, fmt.Errorf("reading GPP string: section %d is empty", id)
		}
		out[id] = sections[i]
	}
	return out, nil
}

// parseGPPHeader reads type 3, version 1 and the section ids. Headers are padded
// to whole characters or whole bytes; both are read.
func parseGPPHeader(s string) ([]int, error) {
	b := newBits(s)
	if kind, version := b.int(6), b.int(6); b.err == nil && (kind != 3 || version != 1) {
		return nil, fmt.Errorf("type %d, version %d", kind, version)
	}
	var ids []int
	last := 0
	for range b.int(12) {
		isRange := b.bool()
		first := last + b.fibonacci(maxSection)
		last = first
		if isRange {
			last = first + b.fibonacci(maxSection)
		}
		if last > maxSection {
			b.fail(errors.New("a section id is too high"))
		}
		if b.err != nil {
			return nil, b.err
		}
		for id := first; id <= last; id++ {
			ids = append(ids, id)
		}
	}
	return ids, b.end()
}
