package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// profile notes the functions that take most of a CPU profile: by themselves, and
// ours with all that they call.
func (t *table) profile(ctx context.Context, title, file string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	flat, err := top(ctx, self, file, "-flat", 10, "")
	if err != nil {
		return err
	}
	cum, err := top(ctx, self, file, "-cum", 400, "handschlag/handschlag/")
	if err != nil {
		return err
	}
	t.note(title + "\n  by themselves:\n" + indent(flat) + "  ours, with what they call:\n" + indent(cum))
	return nil
}

// shown is how many functions of a list are printed.
const shown = 16

// top asks pprof. Only is a part of the names wanted.
func top(ctx context.Context, binary, file, by string, n int, only string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", by, fmt.Sprintf("-nodecount=%d", n), binary, file).Output()
	if err != nil {
		return nil, fmt.Errorf("reading a CPU profile: %w", err)
	}
	_, rows, _ := strings.Cut(string(out), "flat%")
	var lines []string
	for _, line := range strings.Split(rows, "\n")[1:] {
		if strings.Contains(line, only) && strings.TrimSpace(line) != "" {
			lines = append(lines, strings.ReplaceAll(line, "github.com/handschlag/handschlag/", ""))
		}
	}
	return lines[:min(len(lines), shown)], nil
}

func indent(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("    " + strings.TrimSpace(l) + "\n")
	}
	return b.String()
}
