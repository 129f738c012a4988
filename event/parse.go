package event

import "unicode/utf8"

// parser reads an envelope. It extracts the fields that it knows and skips the
// rest; it keeps no part of what it skips.
type parser struct {
	scanner
	it      item     // being read
	wrongs  *Invalid // the first thing wrong with the item, or part, being read
	items   []Message
	room    []message // for the messages to come
	lines   []line    // of all messages, each has a part
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

// ParseBatch reads the body of POST /v1/batch. The error is *Malformed or
// *TooMany; one bad item makes that item Invalid and no more. A context beside the
// batch holds for the items that have none. The body may be reused afterwards.
func ParseBatch(body []byte) (Envelope, error) {
	p := parser{scanner: scanner{s: string(body), names: make([]string, 0, 64)}}
	var (
		e      Envelope
		common *situation
		wrong  *Invalid
		sentAt instant
	)
	p.top(func() {
		switch p.name() {
		case "batch":
			p.batch()
		case "writeKey":
			p.text("writeKey", &e.WriteKey)
			p.strictly()
		case "identity":
			p.text("identity", &e.Identity)
			p.strictly()
		case "sentAt":
			p.moment("sentAt", &sentAt)
			wrong = first(wrong, p.wrongs)
		case "context":
			common = p.situation()
			wrong = first(wrong, p.wrongs)
		default:
			p.skip()
		}
		p.wrongs = nil
	})
	if p.fault == nil && p.items == nil {
		p.i = 0
		p.fail(CodeBatchMissing, "want an array named batch")
	}
	if len(p.items) > MaxItems {
		return Envelope{}, &TooMany{}
	}
	if p.fault != nil {
		return Envelope{}, p.fault
	}
	for i := range p.items {
		p.items[i].inherit(sentAt, common, wrong)
	}
	e.Items = p.items
	return e, nil
}

// inherit gives an item what the envelope says for all.
func (m *Message) inherit(sentAt instant, common *situation, wrong *Invalid) {
	switch {
	case m.Invalid != nil:
	case wrong != nil:
		m.Raw, m.Invalid = Raw{}, wrong
	default:
		raw := m.Raw.read()
		if raw.sent == 0 {
			raw.sent = sentAt
		}
		if raw.about == nil {
			raw.about = common
		}
		if raw.about == nil {
			raw.about = noSituation
		}
	}
}

// ParseSingle reads the body of POST /v1/track and the like. The type comes from
// the route, whatever the body says. The error is *Malformed.
func ParseSingle(callType string, body []byte) (Envelope, error) {
	p := parser{scanner: scanner{s: string(body), names: make([]string, 0, 64)}}
	var e Envelope
	p.top(func() {
		switch p.name() {
		case "writeKey":
			p.text("writeKey", &e.WriteKey)
			p.strictly()
		case "identity":
			p.text("identity", &e.Identity)
			p.strictly()
		default:
			p.member()
		}
	})
	if p.fault != nil {
		return Envelope{}, p.fault
	}
	p.it.typ = callType
	p.finish(0)
	p.items[0].inherit(0, nil, nil)
	e.Items = p.items
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

func (p *parser) batch() {
	if p.peek() != '[' {
		p.skip()
		p.fail(CodeWrongType, "batch wants an array")
		return
	}
	p.items = make([]Message, 0, p.expected())
	for p.open(true); p.element(); {
		if len(p.items) == MaxItems {
			p.items = append(p.items, Message{}) // one too many
			p.fail(CodeMalformed, "too many items")
			return
		}
		p.item()
	}
}

// expected is a guess at the number of items to come.
func (p *parser) expected() int { return min((len(p.s)-p.i)/400+2, MaxItems+1) }

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
