package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/consent"
)

type object = map[string]any

// readJSON reads the next value, as it is: a member that comes twice is an error, since
// one reader would take the first and the next reader the last. io.EOF: there is none.
func readJSON(d *json.Decoder) (any, error) {
	d.UseNumber()
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	return readFrom(d, t, 0)
}

// deepest bounds how far values lie in each other; a proof needs 6.
const deepest = 50

func readFrom(d *json.Decoder, t json.Token, depth int) (any, error) {
	if depth > deepest {
		return nil, errors.New("values lie too deep in each other")
	}
	next := func() (any, error) {
		t, err := d.Token()
		if err != nil {
			return nil, unfinished(err)
		}
		return readFrom(d, t, depth+1)
	}
	switch t {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, unfinished(err)
			}
			if _, twice := o[name.(string)]; twice {
				return nil, fmt.Errorf("member %q comes twice", name)
			}
			if o[name.(string)], err = next(); err != nil {
				return nil, err
			}
		}
		_, err := d.Token()
		return o, unfinished(err)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := next()
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, unfinished(err)
	}
	return t, nil
}

// unfinished tells an end in the middle from one behind the last value.
func unfinished(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// plain is a value as readJSON would read it.
func plain(v any) (any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return readJSON(json.NewDecoder(bytes.NewReader(b)))
}

// only refuses members that the program does not know: it could not say whether they
// are true.
func only(o object, names ...string) error {
	for _, name := range slices.Sorted(maps.Keys(o)) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("it has a member %q that nothing proves", name)
		}
	}
	return nil
}

// told are the members of a JSON-LD proof that the record does not hold: the shop says
// them when it makes the report. Each has its form, so that nothing else hides there.
var told = map[string]func(any) bool{
	"dpv:hasProcess.dpv:hasPurpose.@type":   isText,
	"dpv:hasProcess.dpv:hasPurpose.hs:name": func(v any) bool { return shaped(v, map[string]func(any) bool{"de": isText, "en": isText}) },
	"dpv:hasProcess.dpv:hasPersonalData":    listOf(isText),
	"dpv:hasProcess.dpv:hasRecipient":       listOf(isText),
	"hs:sealed":                             isBool,
	"hs:uses": listOf(func(v any) bool {
		return shaped(v, map[string]func(any) bool{"decision_id": isText, "record_id": isText, "time": isText, "action": isText, "rules": listOf(isText)})
	}),
	"hs:usesCut":   isBool,
	"hs:usesUntil": func(v any) bool { return shaped(v, map[string]func(any) bool{"@type": isText, "@value": isText}) },
}

func isText(v any) bool { _, is := v.(string); return is }
func isBool(v any) bool { _, is := v.(bool); return is }

func listOf(is func(any) bool) func(any) bool {
	return func(v any) bool {
		list, ok := v.([]any)
		return ok && !slices.ContainsFunc(list, func(v any) bool { return !is(v) })
	}
}

// shaped reports an object of some of the members, each in its form.
func shaped(v any, members map[string]func(any) bool) bool {
	o, ok := v.(object)
	for name, v := range o {
		is, known := members[name]
		ok = ok && known && is(v)
	}
	return ok
}

// checkLinked derives the readable part of a JSON-LD proof from the record again, and
// gives the members that only the shop says.
func checkLinked(doc object, r consent.Record) ([]string, error) {
	doc = maps.Clone(doc)
	delete(doc, "hs:ledger") // what was proven already
	if err := checkNotice(doc, r); err != nil {
		return nil, err
	}
	should, err := plain(r.Linked())
	if err != nil {
		return nil, fmt.Errorf("deriving the readable part from the record: %w", err)
	}
	d := differing{unproven: map[string]bool{}}
	if where := d.find("", doc, should); where != "" {
		return nil, fmt.Errorf("the readable part is not what the record says: %s", where)
	}
	return slices.Sorted(maps.Keys(d.unproven)), nil
}

// checkNotice holds the notice's text against the record's digest, and takes it off.
func checkNotice(doc object, r consent.Record) error {
	n, is := doc["dpv:hasNotice"].(object)
	text, isText := n["hs:text"].(string)
	if !is || !isText || n["hs:textKept"] != (text != "") {
		return errors.New("the readable part is not what the record says: dpv:hasNotice")
	}
	if sum := sha256.Sum256([]byte(text)); text != "" && hex.EncodeToString(sum[:]) != r.Notice.TextSHA256 {
		return errors.New("the text of the notice is not the one that the record names")
	}
	n = maps.Clone(n)
	delete(n, "hs:text")
	delete(n, "hs:textKept")
	doc["dpv:hasNotice"] = n
	return nil
}

// differing looks for the first place where a value is not what it should be.
type differing struct{ unproven map[string]bool }

var place = regexp.MustCompile(`\[\d+\]`)

// find names the place, "" if there is none.
func (d differing) find(at string, is, should any) string {
	if is == nil && should == nil {
		return ""
	}
	switch want := should.(type) {
	case object:
		if got, ok := is.(object); ok {
			return d.members(at, got, want)
		}
	case []any:
		got, ok := is.([]any)
		if !ok || len(got) != len(want) {
			return at
		}
		for i := range want {
			if where := d.find(fmt.Sprintf("%s[%d]", at, i), got[i], want[i]); where != "" {
				return where
			}
		}
		return ""
	default:
		switch is.(type) {
		case object, []any: // not comparable
		default:
			if is == should {
				return ""
			}
		}
	}
	return at
}

func (d differing) members(at string, is, should object) string {
	both := maps.Clone(is)
	maps.Copy(both, should)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		path := strings.TrimPrefix(at+"."+name, ".")
		got, has := is[name]
		want, known := should[name]
		kind := place.ReplaceAllString(path, "")
		if form, may := told[kind]; may && !known && d.unproven != nil {
			if !form(got) {
				return path
			}
			d.unproven[kind] = true
			continue
		}
		if !has || !known {
			return path
		}
		if where := d.find(path, got, want); where != "" {
			return where
		}
	}
	return ""
}
