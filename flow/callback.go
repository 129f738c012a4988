package flow

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Callback is a call that the visitor asked for: to that number, on that subject,
// at that time (ESC-07).
type Callback struct {
	Number string     `json:"number"`
	Topic  string     `json:"topic"`
	At     *time.Time `json:"at,omitempty"` // none: at any time while the contact is open
}

// callbackFor is how far from the time asked for a call may be.
const callbackFor = 30 * time.Minute

// checked gives a call-back with its number in one form; nil stays nil.
func (c *Callback) checked() (*Callback, error) {
	if c == nil {
		return nil, nil
	}
	number, ok := dialled(c.Number)
	if !ok {
		return nil, invalid("callback.number", "want a telephone number such as +49 30 123456")
	}
	topic := strings.TrimSpace(c.Topic)
	if topic == "" || utf8.RuneCountInString(topic) > 200 || !utf8.ValidString(topic) {
		return nil, invalid("callback.topic", "want 1 to 200 characters: what the call is about")
	}
	return &Callback{Number: number, Topic: topic, At: c.At}, nil
}

// covers compares a call with what was asked for, part by part.
func (c *Callback) covers(call CallCall, now time.Time) (number, topic, at bool) {
	if c == nil {
		return false, false, false
	}
	n, ok := dialled(call.Number)
	number, topic = ok && n == c.Number, strings.EqualFold(strings.TrimSpace(call.Topic), c.Topic)
	return number, topic, c.At == nil || now.Sub(*c.At).Abs() <= callbackFor
}

// dialled writes a number as it is dialled: + and digits.
func dialled(s string) (string, bool) {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("-/().", r) {
			return -1
		}
		return r
	}, s)
	digits := strings.TrimPrefix(s, "+")
	ok := len(digits) >= 4 && len(digits) <= 20 && !strings.ContainsFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	return s, ok
}
