package event

import (
	"fmt"
	"log/slog"
)

// Limits of a message and a batch (design.md, Bodies).
const (
	MaxBytes = 32 << 10 // of one message
	MaxItems = 2500     // of one batch
	MaxDepth = 64       // of nested objects and arrays
	MaxKeys  = 4096     // of one object
)

// Envelope is a readable body: one batch, or a single call as a batch of one. It
// holds credentials, so it prints as "[withheld]" too.
type Envelope struct {
	Items    []Message
	WriteKey string // body field writeKey, "" if it has none
	Identity string // body field identity: the shop's token for an account
}

// Message is one item of an envelope: a Raw that can be judged, or Invalid.
type Message struct {
	MessageID string // as sent; "" if it has none
	Raw       Raw    // zero if Invalid
	Invalid   *Invalid
}

// Format withholds the envelope from every verb.
func (e Envelope) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(withheld)) }

// LogValue withholds the envelope.
func (e Envelope) LogValue() slog.Value { return slog.StringValue(withheld) }

// MarshalJSON withholds the envelope.
func (e Envelope) MarshalJSON() ([]byte, error) { return []byte(`"` + withheld + `"`), nil }

// Invalid says what is wrong with one item of a readable batch. It names fields
// and never repeats their values.
type Invalid struct {
	Code   string
	Detail string
}

// Codes of Invalid.
const (
	CodeWrongType        = "wrong_type"
	CodeTypeMissing      = "type_missing"
	CodeTypeUnknown      = "type_unknown"
	CodeEventNameMissing = "event_name_missing"
	CodeIDMissing        = "id_missing"
	CodeAnonymousID      = "anonymous_id_invalid"
	CodeUserID           = "user_id_invalid"
	CodeMessageID        = "message_id_invalid"
	CodeTimestamp        = "timestamp_unreadable"
	CodeTooLarge         = "message_too_large"
)

func (i *Invalid) Error() string { return i.Code + ": " + i.Detail }

// Malformed says where a body stops being strict JSON (RFC 7493) of the expected
// shape. Nothing of such a body is taken in.
type Malformed struct {
	Code    string
	Detail  string
	Offset  int    // in bytes
	Pointer string // JSON pointer of the value being read, shortened
}

// Codes of Malformed.
const (
	CodeMalformed    = "malformed"
	CodeDuplicateKey = "duplicate_key"
	CodeTooDeep      = "too_deep"
	CodeTooManyKeys  = "too_many_keys"
	CodeNumberRange  = "number_out_of_range"
	CodeInvalidUTF8  = "invalid_utf8"
	CodeBatchMissing = "batch_missing"
)

func (m *Malformed) Error() string {
	return fmt.Sprintf("%s at byte %d (%q): %s", m.Code, m.Offset, m.Pointer, m.Detail)
}

// TooMany says that a batch has more than MaxItems items.
type TooMany struct{}

func (*TooMany) Error() string { return fmt.Sprintf("a batch has at most %d items", MaxItems) }
