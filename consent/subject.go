package consent

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"unicode"
	"unicode/utf8"
	"unique"
)

// Subject is a random 128-bit pseudonym. The zero Subject is nobody.
type Subject [16]byte

// Buckets is the number of ranges that subjects fall into (design.md, 16).
const Buckets = 4096

// ParseSubject reads the 32 hex digits that String prints.
func ParseSubject(s string) (Subject, error) {
	var out Subject
	if len(s) != 2*len(out) {
		return Subject{}, fmt.Errorf("reading subject: want 32 hex digits, got %d characters", len(s))
	}
	if _, err := hex.Decode(out[:], []byte(s)); err != nil {
		return Subject{}, fmt.Errorf("reading subject: %w", err)
	}
	return out, nil
}

// String prints the pseudonym as 32 lower-case hex digits.
func (s Subject) String() string { return hex.EncodeToString(s[:]) }

// IsZero reports whether this is nobody.
func (s Subject) IsZero() bool { return s == Subject{} }

// Bucket is the subject's range, 0 to Buckets-1: its first 12 bits.
func (s Subject) Bucket() uint16 { return uint16(s[0])<<4 | uint16(s[1])>>4 }

// MarshalText prints nothing for nobody.
func (s Subject) MarshalText() ([]byte, error) {
	if s.IsZero() {
		return nil, nil
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads what MarshalText prints.
func (s *Subject) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*s = Subject{}
		return nil
	}
	p, err := ParseSubject(string(b))
	*s = p
	return err
}

// Scope says what an identifier names.
type Scope string

// The scopes of identifiers (law.md 2.3).
const (
	Device  Scope = "device"
	Account Scope = "account"
)

// ID is an identifier as the shop knows it. It can be looked up, never printed
// or stored: everything that prints it prints "[withheld]". IDs compare with ==.
type ID struct {
	Scope Scope
	// fmt prints a struct's unexported fields without asking their Format. So the
	// value lies behind a handle, of which it would print an address.
	value unique.Handle[string]
}

// ErrID says that an identifier cannot be one.
var ErrID = errors.New("identifier")

// NewID checks an identifier: device ids have 16 to 128 printable characters,
// account ids 1 to 128. Control, format (bidi, zero-width) and unassigned
// characters are errors, as is invalid UTF-8. Ids are compared byte by byte;
// nothing is normalised.
func NewID(scope Scope, value string) (ID, error) {
	least := 1
	if scope == Device {
		least = 16
	}
	if len(value) >= least && len(value) <= 128 && plain(value) {
		return ID{Scope: scope, value: unique.Make(value)}, nil
	}
	if !utf8.ValidString(value) {
		return ID{}, fmt.Errorf("%w: not valid UTF-8", ErrID)
	}
	if n := utf8.RuneCountInString(value); n < least || n > 128 {
		return ID{}, fmt.Errorf("%w: want %d to 128 characters, got %d", ErrID, least, n)
	}
	for _, r := range value {
		if !unicode.IsPrint(r) {
			return ID{}, fmt.Errorf("%w: character U+%04X is not printable", ErrID, r)
		}
	}
	return ID{Scope: scope, value: unique.Make(value)}, nil
}

// plain reports whether all of a value is printable ASCII, as nearly all ids are.
func plain(value string) bool {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return false
		}
	}
	return true
}

// Reveal gives the raw value to the one that computes its lookup key, and to the
// one that looks for it in texts that must not hold it.
func (i ID) Reveal() string {
	if i.IsZero() {
		return ""
	}
	return i.value.Value()
}

// IsZero reports whether there is no identifier.
func (i ID) IsZero() bool { return i.value == unique.Handle[string]{} }

const withheld = "[withheld]"

// String withholds the value.
func (i ID) String() string { return withheld }

// GoString withholds the value.
func (i ID) GoString() string { return withheld }

// Format withholds the value from every verb.
func (i ID) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(withheld)) }

// LogValue withholds the value.
func (i ID) LogValue() slog.Value { return slog.StringValue(withheld) }

// MarshalText withholds the value.
func (i ID) MarshalText() ([]byte, error) { return []byte(withheld), nil }
