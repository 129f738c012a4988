package event

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Raw is one message as it arrived. It can be judged and coarsened, never
// printed or stored: everything that prints it prints "[withheld]". The zero Raw
// is an empty message that nothing admits.
type Raw struct {
	m       **message // twice: fmt follows one pointer, when a Raw is in an unexported field
	trusted bool
}

// message is what of a message is read at all. What it does not name here was
// skipped by the parser. Context is coarse already (situation). It is kept small:
// a batch makes thousands of them.
type message struct {
	self      *message // what Raw points to
	kind      Kind
	typ       string
	messageID string
	device    consent.ID
	user      consent.ID
	at, sent  instant
	about     *situation
	goods
	*rest
}

// goods are the properties that most events have.
type goods struct {
	product, category, variant string
	quantity                   number
	lines                      []line
}

// rest are the properties that few events have.
type rest struct {
	previous                             consent.ID
	pageName, pageCategory               string
	query, order, currency, errorText    string
	decision, slot, variantID            string
	path, referrerHost                   string
	results, total, revenue, step, dwell number
}

// instant is a time in Unix milliseconds; 0 is none.
type instant int64

var (
	noSituation = &situation{}
	noRest      = &rest{}
	nothing     = message{about: noSituation, rest: noRest}
)

func (r Raw) read() *message {
	if r.m == nil {
		return &nothing
	}
	return *r.m
}

// Kind is the kind of event.
func (r Raw) Kind() Kind { return r.read().kind }

// Type is the call: track, page, screen, identify, group or alias.
func (r Raw) Type() string { return r.read().typ }

// MessageID is what the message is known by when duplicates are looked for: the
// sender's messageId or, if it sent none, a digest of the content. So a message
// that is sent again is known again. Only the zero Raw has none.
func (r Raw) MessageID() string { return r.read().messageID }

// Device is the anonymousId, or zero.
func (r Raw) Device() consent.ID { return r.read().device }

// User is the userId, or zero.
func (r Raw) User() consent.ID { return r.read().user }

// PreviousID is an alias call's previousId as a device, or zero if there is none
// or it cannot be a device.
func (r Raw) PreviousID() consent.ID { return r.read().previous }

// Trusted gives the same message as one that came with the shop's server key:
// an order's lines, total and currency then count as sent. Without it, prices
// come from the catalogue alone.
func (r Raw) Trusted() Raw { return Raw{m: r.m, trusted: true} }

// Occurred is when the event happened, in UTC: its timestamp, corrected by how
// far the sender's clock was off when it sent (received − sentAt), as Segment
// does. A message without a timestamp happened when it was received. A time after
// received means that the message claims to be sent before it happened; the
// policy judges how far ahead is too far (BAT-04).
func (r Raw) Occurred(received time.Time) time.Time {
	m := r.read()
	if m.at == 0 {
		return received.UTC()
	}
	at := time.UnixMilli(int64(m.at)).UTC()
	if m.sent == 0 {
		return at
	}
	return at.Add(received.Sub(time.UnixMilli(int64(m.sent))))
}

// Consent is what the message itself says about consent. Values of prefs are
// true, false, or nil for anything else. present is false for no object and for
// an empty one. The map and the slices are shared between messages: read only.
func (r Raw) Consent() (prefs map[string]any, allowed, denied []string, present bool) {
	s := r.read().about
	return s.prefs, s.allowed, s.denied, len(s.prefs)+len(s.allowed)+len(s.denied) > 0
}

// Signals are objections that the sender put into the context (context.gpc,
// context.dnt).
func (r Raw) Signals() (gpc, dnt bool) { return r.read().about.gpc, r.read().about.dnt }

const withheld = "[withheld]"

// String withholds the message.
func (r Raw) String() string { return withheld }

// GoString withholds the message.
func (r Raw) GoString() string { return withheld }

// Format withholds the message from every verb.
func (r Raw) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(withheld)) }

// LogValue withholds the message.
func (r Raw) LogValue() slog.Value { return slog.StringValue(withheld) }

// MarshalText withholds the message, from JSON and XML too.
func (r Raw) MarshalText() ([]byte, error) { return []byte(withheld), nil }

// MarshalJSON withholds the message.
func (r Raw) MarshalJSON() ([]byte, error) { return []byte(`"` + withheld + `"`), nil }
