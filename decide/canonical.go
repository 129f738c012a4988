package decide

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical gives the one byte form of v (RFC 8785 with integers only): what
// encoding/json makes of v, with no space, keys sorted by UTF-16 code units,
// shortest escapes, and numbers as plain integers of any size. 1.0 and 1e2 are
// integers; any other fraction is an error, as is a key that comes twice.
func Canonical(v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing canonical JSON: %w", err)
	}
	c := canon{src: raw, dst: make([]byte, 0, len(raw))}
	if err := c.value(0); err != nil {
		return nil, fmt.Errorf("writing canonical JSON: %w", err)
	}
	return c.dst, nil
}

// Hash is the record's chain hash: SHA-256 over its canonical form, Prev and N
// included. It does not change when the record is stored as JSON and read back,
// nor when its content is erased: Erased stands for it then, which is why whoever
// audits a chain asks the ledger whether that erasure took place.
func (r Record) Hash() [32]byte {
	if b, err := hex.DecodeString(r.Erased); err == nil && len(b) == sha256.Size {
		return [32]byte(b)
	}
	r.Time = r.Time.UTC()
	raw, err := json.Marshal(r)
	if err != nil { // Input or Result is not JSON: no store takes such a record
		return sha256.Sum256(fmt.Appendf(nil, "%+v", r))
	}
	c := canon{src: raw, dst: make([]byte, 0, len(raw)), fractions: true}
	if err := c.value(0); err != nil {
		c.dst = raw
	}
	return sha256.Sum256(c.dst)
}

// canon rewrites valid JSON without space between tokens, as json.Marshal gives it.
type canon struct {
	src       []byte
	dst       []byte
	fractions bool // keep numbers that are no integers as written
}

var (
	errTwice    = errors.New("a key comes twice")
	errFraction = errors.New("a number is not an integer")
	errDeep     = errors.New("nested more than 1,000 deep")
	errJSON     = errors.New("not JSON")
)

const maxDepth = 1000

func (c *canon) value(depth int) error {
	if depth > maxDepth {
		return errDeep
	}
	if len(c.src) == 0 {
		return errJSON
	}
	switch c.src[0] {
	case '{':
		return c.object(depth)
	case '[':
		return c.array(depth)
	case '"':
		s, err := c.string()
		c.dst = appendString(c.dst, s)
		return err
	case 't', 'f', 'n':
		c.literal()
		return nil
	}
	return c.number()
}

func (c *canon) literal() {
	n := 0
	for n < len(c.src) && c.src[n] >= 'a' && c.src[n] <= 'z' {
		n++
	}
	c.dst = append(c.dst, c.src[:n]...)
	c.src = c.src[n:]
}

func (c *canon) array(depth int) error {
	c.dst = append(c.dst, '[')
	for c.src = c.src[1:]; len(c.src) > 0 && c.src[0] != ']'; {
		if c.src[0] == ',' {
			c.dst, c.src = append(c.dst, ','), c.src[1:]
		}
		if err := c.value(depth + 1); err != nil {
			return err
		}
	}
	return c.end(']')
}

// member is a key with the place of its canonical value in dst.
type member struct {
	key        string
	start, end int
}

// object writes the values in the order they came, then lays them in key order.
func (c *canon) object(depth int) error {
	begin := len(c.dst)
	var members []member
	for c.src = c.src[1:]; len(c.src) > 0 && c.src[0] != '}'; {
		if c.src[0] == ',' {
			c.src = c.src[1:]
		}
		key, err := c.string()
		if err != nil || len(c.src) == 0 {
			return cmp.Or(err, errJSON)
		}
		c.src = c.src[1:] // the colon
		start := len(c.dst)
		if err := c.value(depth + 1); err != nil {
			return err
		}
		members = append(members, member{key, start, len(c.dst)})
	}
	if err := c.lay(begin, members); err != nil {
		return err
	}
	return c.end('}')
}

func (c *canon) lay(begin int, members []member) error {
	slices.SortFunc(members, func(a, b member) int { return compareUTF16(a.key, b.key) })
	values := bytes.Clone(c.dst[begin:])
	c.dst = append(c.dst[:begin], '{')
	for i, m := range members {
		if i > 0 {
			if m.key == members[i-1].key {
				return fmt.Errorf("%w: %q", errTwice, m.key)
			}
			c.dst = append(c.dst, ',')
		}
		c.dst = append(appendString(c.dst, m.key), ':')
		c.dst = append(c.dst, values[m.start-begin:m.end-begin]...)
	}
	return nil
}

func (c *canon) end(b byte) error {
	if len(c.src) == 0 || c.src[0] != b {
		return errJSON
	}
	c.dst, c.src = append(c.dst, b), c.src[1:]
	return nil
}

// string takes a string from src and decodes it.
func (c *canon) string() (string, error) {
	plain := true
	for n := 1; n < len(c.src); n++ {
		switch b := c.src[n]; {
		case b == '\\':
			plain, n = false, n+1
		case b >= utf8.RuneSelf:
			plain = false
		case b == '"':
			token := c.src[:n+1]
			c.src = c.src[n+1:]
			if plain {
				return string(token[1:n]), nil
			}
			var s string
			err := json.Unmarshal(token, &s)
			return s, err
		}
	}
	return "", errJSON
}

// number takes a number and writes it as a plain integer.
func (c *canon) number() error {
	n, plain := 0, true
	for n < len(c.src) && strings.IndexByte("+-.0123456789eE", c.src[n]) >= 0 {
		plain = plain && c.src[n] >= '0' && c.src[n] <= '9' || n == 0 && c.src[n] == '-'
		n++
	}
	token := string(c.src[:n])
	if c.src = c.src[n:]; token == "" {
		return errJSON
	}
	if plain && token != "-0" {
		c.dst = append(c.dst, token...)
		return nil
	}
	whole, ok := integer(token)
	if !ok && !c.fractions {
		return fmt.Errorf("%w: %s", errFraction, token)
	} else if !ok {
		whole = token
	}
	c.dst = append(c.dst, whole...)
	return nil
}

// integer reads a number with a fraction or exponent as an integer. Exponents
// beyond three digits are none of ours.
func integer(token string) (string, bool) {
	if _, exponent, ok := strings.Cut(strings.ToLower(token), "e"); ok && len(strings.TrimLeft(exponent, "+-0")) > 3 {
		return "", false
	}
	r, ok := new(big.Rat).SetString(token)
	if !ok || !r.IsInt() {
		return "", false
	}
	return r.Num().String(), true
}

// compareUTF16 orders as RFC 8785 does. It differs from byte order only where
// one side lies beyond the basic plane.
func compareUTF16(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] != b[i] {
			if a[i] < 0xee && b[i] < 0xee {
				return cmp.Compare(a[i], b[i])
			}
			return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		}
	}
	return cmp.Compare(len(a), len(b))
}

const hexDigits = "0123456789abcdef"

// appendString writes a string with the escapes that JSON demands and no others.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch b := s[i]; {
		case b == '"' || b == '\\':
			dst = append(dst, '\\', b)
		case b >= ' ':
			dst = append(dst, b)
		default:
			if j := strings.IndexByte("\b\t\n\f\r", b); j >= 0 {
				dst = append(dst, '\\', "btnfr"[j])
			} else {
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[b>>4], hexDigits[b&15])
			}
		}
	}
	return append(dst, '"')
}
