package consent

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAnIDNeverPrintsItsValue(t *testing.T) {
	const secret = "v1-4711-ada-lovelace"
	id, err := NewID(Device, secret)
	if err != nil {
		t.Fatal(err)
	}
	type outer struct {
		ID     ID
		hidden ID // fmt reads these without their Format
		Ptr    *ID
		any    any
	}
	values := []any{id, &id, []ID{id}, map[string]ID{"k": id}, map[ID]int{id: 1}, outer{id, id, &id, id}, &outer{id, id, &id, id}}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v"} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "4711") || strings.Contains(out, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		body, _ := json.Marshal(v) //nolint:errcheck // maps keyed by struct may fail: then nothing is printed
		if out := log.String() + string(body) + fmt.Sprint(fmt.Errorf("x %v %w", v, ErrID)); strings.Contains(out, "4711") {
			t.Errorf("%T: %s", v, out)
		}
	}
	if id.Reveal() != secret || id.String() != "[withheld]" {
		t.Errorf("%q %q", id.Reveal(), id)
	}
}

func TestIDsCompareByScopeAndBytes(t *testing.T) {
	must := func(s Scope, v string) ID {
		id, err := NewID(s, v)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	a := must(Account, "caf\u00e9-0000-0000-00")
	if a != must(Account, "caf\u00e9-0000-0000-00") {
		t.Error("the same id differs")
	}
	if a == must(Account, "cafe\u0301-0000-0000-00") {
		t.Error("ids were normalised")
	}
	if a == must(Device, "caf\u00e9-0000-0000-00") {
		t.Error("a device is an account")
	}
	if (ID{}).Reveal() != "" || !(ID{}).IsZero() || a.IsZero() {
		t.Error("the zero ID is not nobody")
	}
}

func TestWhatAnIDMayBe(t *testing.T) {
	for _, c := range []struct {
		name  string
		scope Scope
		value string
		ok    bool
	}{
		{"a UUID", Device, "6ba7b810-9dad-11d1-80b4-00c04fd430c8", true},
		{"15 characters are no device", Device, "123456789012345", false},
		{"16 are", Device, "1234567890123456", true},
		{"128 are", Device, strings.Repeat("x", 128), true},
		{"129 are not", Device, strings.Repeat("x", 129), false},
		{"128 runes of three bytes", Account, strings.Repeat("語", 128), true},
		{"an account may be short", Account, "7", true},
		{"but not empty", Account, "", false},
		{"spaces inside are printable", Account, "a b", true},
		{"line break", Account, "a\nb", false},
		{"NUL", Account, "a\x00b", false},
		{"right-to-left override", Account, "a\u202eb", false},
		{"zero-width joiner", Account, "a\u200db", false},
		{"no-break space", Account, "a\u00a0b", false},
		{"not UTF-8", Account, "a\xffb", false},
	} {
		_, err := NewID(c.scope, c.value)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && len(c.value) > 3 && strings.Contains(err.Error(), c.value) {
			t.Errorf("%s: the error tells the value", c.name)
		}
	}
}

func TestSubjectsReadBackAsPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s, back, text Subject
		copy(s[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		back, err := ParseSubject(s.String())
		if err != nil || back != s {
			t.Fatalf("%v: %v, %v", s, back, err)
		}
		b, err := json.Marshal(s)
		if err == nil {
			err = json.Unmarshal(b, &text)
		}
		if err != nil || text != s || s.Bucket() >= Buckets {
			t.Fatalf("%s: %v, %v", b, text, err)
		}
	})
	for _, bad := range []string{"", "00", strings.Repeat("0", 33), strings.Repeat("g", 32)} {
		if s, err := ParseSubject(bad); err == nil || !s.IsZero() {
			t.Errorf("%q was read as %v", bad, s)
		}
	}
	nobody, err := json.Marshal(Subject{})
	if err != nil || string(nobody) != `""` {
		t.Errorf("nobody is %s, %v", nobody, err)
	}
	s := Subject{1}
	if err := json.Unmarshal(nobody, &s); err != nil || !s.IsZero() {
		t.Errorf("nobody was read as %v, %v", s, err)
	}
	if err := json.Unmarshal([]byte(`"x"`), &s); err == nil {
		t.Error("x was read as a subject")
	}
	if b := (Subject{0xab, 0xcd, 0xef}).Bucket(); b != 0xabc {
		t.Errorf("bucket %x", b)
	}
}
