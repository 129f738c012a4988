package event

import (
	"errors"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Limits of a message and a batch (design.md, Bodies).
const (
	MaxBytes = 32 << 10 // of one message
	MaxItems = 2500     // of one batch
	MaxDepth = 64       // of nested objects and arrays
)

// Envelope is a readable body: one batch, or a single call as a batch of one.
type Envelope struct {
	Items    []Message
	WriteKey string // body field writeKey, "" if it came as HTTP Basic only
	Identity string // body field identity: the shop's token for an account
}

// Message is one item of an envelope: readable as an event, or Invalid.
type Message struct {
	MessageID string // as sent; "" if it has none
	Raw       Raw
	Invalid   *Invalid
}

// Raw is one message as it arrived. It can be judged and coarsened, never
// printed or stored.
type Raw struct{ m *message }

type message struct{}

// Invalid says what is wrong with one item of a readable batch.
type Invalid struct {
	Code   string // event_name_missing, type_unknown, wrong_type, …
	Detail string // names the field
}

func (i *Invalid) Error() string { return i.Code + ": " + i.Detail }

// Malformed says where a body stops being strict JSON of the expected shape.
type Malformed struct {
	Code    string // malformed | duplicate_key | too_deep | wrong_type | invalid_utf8 | number_out_of_range
	Detail  string
	Offset  int    // byte offset
	Pointer string // JSON pointer of the value that was being read
}

func (m *Malformed) Error() string { return m.Code + ": " + m.Detail }

// TooMany says that a batch has more than MaxItems items.
type TooMany struct{}

func (*TooMany) Error() string { return "a batch has at most 2500 items" }

var errNotBuilt = errors.New("not built yet")

// ParseBatch reads the body of POST /v1/batch. The error is *Malformed or *TooMany.
func ParseBatch(body []byte) (Envelope, error) { return Envelope{}, errNotBuilt }

// ParseSingle reads the body of POST /v1/track and the like; the type comes from
// the route. The error is *Malformed.
func ParseSingle(callType string, body []byte) (Envelope, error) { return Envelope{}, errNotBuilt }

// Kind is the kind of event.
func (r Raw) Kind() Kind { return Other }

// Type is the call: track, page, screen, identify, group or alias.
func (r Raw) Type() string { return "" }

// MessageID is what the message is known by when duplicates are looked for: the
// sender's messageId or, if it sent none, a digest of the content. It is never "".
func (r Raw) MessageID() string { return "" }

// Device is the anonymousId, or zero.
func (r Raw) Device() consent.ID { return consent.ID{} }

// User is the userId, or zero.
func (r Raw) User() consent.ID { return consent.ID{} }

// PreviousID is an alias call's previousId as a device, or zero.
func (r Raw) PreviousID() consent.ID { return consent.ID{} }

// Trusted gives the same message as one that came with the shop's server key:
// an order's lines, total and currency then count as sent. Without it, prices
// come from the catalogue alone.
func (r Raw) Trusted() Raw { return r }

// Occurred is when the event happened: its timestamp, corrected by how far the
// sender's clock was off when it sent (received − sentAt).
func (r Raw) Occurred(received time.Time) time.Time { return received }

// Consent is what the message itself says about consent. Values of prefs are
// true, false or nil (anything else). present is false for no object or an empty
// one. The map and slices are shared: do not change them.
func (r Raw) Consent() (prefs map[string]any, allowed, denied []string, present bool) { return }

// Signals are objections that the sender put into the context.
func (r Raw) Signals() (gpc, dnt bool) { return }

// Keyed is a keyed digest of a value, under a key of its domain.
type Keyed func(domain, value string) int64

// Coarse are a message's candidate fields: what a purpose may keep at most.
type Coarse struct {
	Fields  Fields   // Authenticated is for the caller to set
	Tags    []string // sensitive tags of what cannot be taken out of the event, sorted
	Removed int      // sensitive lines taken out (SPC-02)
}

// Coarse makes the candidate fields.
func (r Raw) Coarse(cat Catalogue, key Keyed, loc *time.Location, explicit func(tag string) bool, occurred time.Time) Coarse {
	return Coarse{}
}

// UAFamily reduces a user agent to family and major version, "Chrome/142".
func UAFamily(userAgent string) string { return "" }

// IPPrefix truncates an address to IPv4 /24 or IPv6 /48; "" if it is none.
func IPPrefix(address string) string { return "" }

// NewCatalogue makes a catalogue of products and of sensitive tags by category.
func NewCatalogue(products []Product, categoryTags map[string]string) Catalogue { return nil }
