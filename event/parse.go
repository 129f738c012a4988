package event

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/handschlag/handschlag/consent"
)

// parser reads an envelope. It extracts the fields that it knows and skips the
// rest; it keeps no part of what it skips.
type parser struct {
	scanner
	wrongs  *Invalid // the first thing wrong with the item, or part, being read
	lines   []line   // of all messages, each has a part
	context memo[situation]
	choices memo[preferences]
}

// memo remembers the last object of its sort: events of one batch mostly repeat
// their context, and what is byte for byte the same reads the same.
type memo[T any] struct {
	text  string
	value *T
	wrong *Invalid
}

// item is a message in the making.
type item struct {
	message
	shown     string // messageId as sent
	anonymous string
	account   string
	former    string
	original  time.Time
	size      int
	digest    string // of the content, if it has no messageId
	wrong     *Invalid
	propWrong *Invalid
}

// ParseBatch reads the body of POST /v1/batch. The error is *Malformed or
// *TooMany; one bad item makes that item Invalid and no more. A context beside the
// batch holds for the items that have none. The body may be reused afterwards.
func ParseBatch(body []byte) (Envelope, error) {
	p := parser{scanner: scanner{s: string(body)}}
	var (
		e       Envelope
		items   []item
		common  *situation
		wrong   *Invalid
		sentAt  time.Time
		batched bool
	)
	p.top(func() {
		switch p.name() {
		case "batch":
			batched = true
			items = p.batch()
		case "writeKey":
			p.text("writeKey", &e.WriteKey)
		case "identity":
			p.text("identity", &e.Identity)
		case "sentAt":
			p.moment("sentAt", &sentAt)
			wrong, p.wrongs = first(wrong, p.wrongs), nil
		case "context":
			common = p.situation()
			wrong, p.wrongs = first(wrong, p.wrongs), nil
		default:
			p.skip()
		}
		p.strictly()
	})
	switch {
	case len(items) > MaxItems:
		return Envelope{}, &TooMany{}
	case p.fault == nil && !batched:
		p.i = 0
		p.fail(CodeBatchMissing, "want an array named batch")
	}
	if p.fault != nil {
		return Envelope{}, p.fault
	}
	e.Items = make([]Message, len(items))
	for i := range items {
		it := &items[i]
		it.wrong = first(it.wrong, wrong)
		if it.about == nil {
			it.about = common
		}
		if it.sent.IsZero() {
			it.sent = sentAt
		}
		e.Items[i] = it.finish()
	}
	return e, nil
}

// ParseSingle reads the body of POST /v1/track and the like. The type comes from
// the route, whatever the body says. The error is *Malformed.
func ParseSingle(callType string, body []byte) (Envelope, error) {
	p := parser{scanner: scanner{s: string(body)}}
	var (
		e  Envelope
		it item
	)
	p.top(func() {
		switch p.name() {
		case "writeKey":
			p.text("writeKey", &e.WriteKey)
			p.strictly()
		case "identity":
			p.text("identity", &e.Identity)
			p.strictly()
		default:
			p.member(&it)
		}
	})
	if p.fault != nil {
		return Envelope{}, p.fault
	}
	p.complete(&it, 0)
	it.typ = callType
	e.Items = []Message{it.finish()}
	return e, nil
}

// top reads the one object that the body must be.
func (p *parser) top(member func()) {
	if at := invalidUTF8(p.s); at >= 0 {
		p.i = at
		p.fail(CodeInvalidUTF8, "not valid UTF-8")
		return
	}
	p.space()
	if p.peek() != '{' {
		p.skip()
		p.i = 0
		p.fail(CodeWrongType, "want an object")
		return
	}
	for p.open(false); p.next(); {
		member()
	}
	p.space()
	if p.i < len(p.s) {
		p.fail(CodeMalformed, "something stands after the end")
	}
}

// strictly makes what is wrong with the envelope a fault of the whole body.
func (p *parser) strictly() {
	if p.wrongs != nil {
		p.fail(p.wrongs.Code, p.wrongs.Detail)
	}
}

func (p *parser) batch() []item {
	if p.peek() != '[' {
		p.fail(CodeWrongType, "batch wants an array")
		return nil
	}
	items := make([]item, 0, min(len(p.s)/300+1, MaxItems))
	for p.open(true); p.element() && len(items) <= MaxItems; {
		items = append(items, item{})
		p.item(&items[len(items)-1])
	}
	if len(items) > MaxItems {
		p.fail(CodeMalformed, "too many items")
	}
	return items
}

func (p *parser) item(it *item) {
	at := p.i
	if p.peek() != '{' {
		p.wrong("the item", "an object")
		p.skip()
	} else if p.open(false) {
		for p.next() {
			p.member(it)
		}
	}
	p.complete(it, at)
}

// complete notes what only the whole item shows.
func (p *parser) complete(it *item, at int) {
	it.size = p.i - at
	it.wrong, p.wrongs = p.wrongs, nil
	if it.shown == "" && p.fault == nil {
		sum := sha256.Sum256([]byte(p.s[at:p.i]))
		it.digest = "content-" + hex.EncodeToString(sum[:16])
	}
}

// member reads one member of a message.
func (p *parser) member(it *item) {
	switch p.name() {
	case "type":
		p.text("type", &it.typ)
	case "event":
		p.text("event", &it.event)
	case "messageId":
		p.text("messageId", &it.shown)
	case "anonymousId":
		p.text("anonymousId", &it.anonymous)
	case "userId":
		p.text("userId", &it.account)
	case "previousId":
		p.text("previousId", &it.former)
	case "timestamp":
		p.moment("timestamp", &it.at)
	case "originalTimestamp":
		p.moment("originalTimestamp", &it.original)
	case "sentAt":
		p.moment("sentAt", &it.sent)
	case "name":
		p.text("name", &it.pageName)
	case "category":
		p.text("category", &it.pageCategory)
	case "context":
		it.about = p.situation()
	case "properties":
		before := p.wrongs
		p.wrongs = nil
		if p.object("properties") {
			for p.next() {
				p.property(&it.props)
			}
			it.propWrong, p.wrongs = p.wrongs, nil
		}
		p.wrongs = first(before, p.wrongs)
	case "traits":
		if p.object("traits") {
			for p.next() {
				p.skip()
			}
		}
	default:
		p.skip()
	}
}

// finish judges the item as a whole.
func (it *item) finish() Message {
	out := Message{MessageID: it.shown}
	if out.Invalid = it.check(); out.Invalid != nil {
		return out
	}
	if it.messageID = it.shown; it.shown == "" {
		it.messageID = it.digest
	}
	if it.about == nil {
		it.about = nothing.about
	}
	if it.at.IsZero() {
		it.at = it.original
	}
	out.Raw = Raw{m: &it.message}
	return out
}

// check fills in what needs the whole item, and names the first thing wrong.
func (it *item) check() *Invalid {
	it.kind = kindOf(it.typ, it.event)
	switch {
	case it.size > MaxBytes:
		return &Invalid{CodeTooLarge, "a message has at most 32 KiB"}
	case it.wrong != nil:
		return it.wrong
	case it.propWrong != nil && it.kind != Other:
		return it.propWrong
	case len(it.shown) > 256:
		return &Invalid{CodeMessageID, "messageId has at most 256 bytes"}
	case it.typ == "":
		return &Invalid{CodeTypeMissing, "type wants one of track, page, screen, identify, group, alias"}
	case !slices.Contains(types, it.typ):
		return &Invalid{CodeTypeUnknown, "type wants one of track, page, screen, identify, group, alias"}
	case it.typ == "track" && strings.TrimSpace(it.event) == "":
		return &Invalid{CodeEventNameMissing, "track needs event"}
	}
	return it.readIDs()
}

var types = []string{"track", "page", "screen", "identify", "group", "alias"}

func kindOf(typ, event string) Kind {
	switch typ {
	case "track":
		return TrackKind(event)
	case "page":
		return Page
	case "screen":
		return Screen
	case "identify":
		return Identify
	case "group":
		return Group
	case "alias":
		return Alias
	}
	return Other
}

func (it *item) readIDs() *Invalid {
	if it.anonymous == "" && it.account == "" {
		return &Invalid{CodeIDMissing, "an event needs anonymousId or userId"}
	}
	var err error
	if it.anonymous != "" {
		if it.device, err = consent.NewID(consent.Device, it.anonymous); err != nil {
			return &Invalid{CodeAnonymousID, "anonymousId wants 16 to 128 printable characters"}
		}
	}
	if it.account != "" {
		if it.user, err = consent.NewID(consent.Account, it.account); err != nil {
			return &Invalid{CodeUserID, "userId wants 1 to 128 printable characters"}
		}
	}
	if it.former != "" {
		it.previous, _ = consent.NewID(consent.Device, it.former)
	}
	return nil
}

func first(a, b *Invalid) *Invalid {
	if a != nil {
		return a
	}
	return b
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i := 0; ; {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}
