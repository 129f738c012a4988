package event

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"github.com/handschlag/handschlag/consent"
)

// item is a message in the making, as it was sent.
type item struct {
	goods
	rest
	typ, event, messageID       string
	anonymous, account, former  string
	timestamp, original, sentAt instant
	about                       *situation
	propWrong                   *Invalid // what is wrong with a property: no matter if the kind has none
}

func (p *parser) item() {
	at := p.i
	p.it, p.wrongs = item{}, nil
	if p.peek() != '{' {
		p.wrong("the item", "an object")
		p.skip()
	} else if p.open(false) {
		for p.next() {
			p.member()
		}
	}
	if p.fault == nil {
		p.finish(at)
	}
}

// member reads one member of a message.
func (p *parser) member() {
	it := &p.it
	switch p.name() {
	case "type":
		p.text("type", &it.typ)
	case "event":
		p.text("event", &it.event)
	case "messageId":
		p.text("messageId", &it.messageID)
	case "anonymousId":
		p.text("anonymousId", &it.anonymous)
	case "userId":
		p.text("userId", &it.account)
	case "previousId":
		p.text("previousId", &it.former)
	case "timestamp":
		p.moment("timestamp", &it.timestamp)
	case "originalTimestamp":
		p.moment("originalTimestamp", &it.original)
	case "sentAt":
		p.moment("sentAt", &it.sentAt)
	case "name":
		p.text("name", &it.pageName)
	case "category":
		p.text("category", &it.pageCategory)
	case "context":
		it.about = p.situation()
	case "properties":
		p.properties(it)
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

func (p *parser) properties(it *item) {
	if !p.object("properties") {
		return
	}
	before := p.wrongs
	p.wrongs = nil
	for p.next() {
		p.property(it)
	}
	it.propWrong, p.wrongs = p.wrongs, before
}

// finish judges the item that began there and ends here, and keeps it.
func (p *parser) finish(at int) {
	out := Message{MessageID: p.it.messageID}
	m := message{kind: kindOf(p.it.typ, p.it.event), typ: p.it.typ}
	if out.Invalid = p.check(&m, p.i-at); out.Invalid == nil {
		p.complete(&m, at)
		out.Raw = Raw{m: &p.keep(m).self}
	}
	p.items = append(p.items, out)
}

// keep puts a message where it can stay.
func (p *parser) keep(m message) *message {
	if len(p.room) == cap(p.room) {
		p.room = make([]message, 0, min(p.expected(), 64))
	}
	p.room = append(p.room, m)
	kept := &p.room[len(p.room)-1]
	kept.self = kept
	return kept
}

// complete fills in what a valid message holds.
func (p *parser) complete(m *message, at int) {
	it := &p.it
	if m.messageID = it.messageID; m.messageID == "" {
		sum := sha256.Sum256([]byte(p.s[at:p.i]))
		m.messageID = "content-" + hex.EncodeToString(sum[:16])
	}
	// Two times that disagree are read as the earlier one: a message kept back until
	// the yes must not look younger than the yes (BAT-02).
	if m.at = it.timestamp; m.at == 0 || it.original != 0 && it.original < m.at {
		m.at = it.original
	}
	m.sent, m.about, m.goods = it.sentAt, it.about, it.goods
	if it.former != "" {
		it.previous, _ = consent.NewID(consent.Device, it.former)
	}
	if m.rest = noRest; it.rest != (rest{}) || m.kind == CheckoutFailed {
		few := it.rest
		few.errorText = it.event + " " + few.errorText
		m.rest = &few
	}
}

// check names the first thing wrong with an item, and reads its identifiers.
func (p *parser) check(m *message, size int) *Invalid {
	it := &p.it
	switch {
	case size > MaxBytes:
		return &Invalid{CodeTooLarge, "a message has at most 32 KiB"}
	case p.wrongs != nil:
		return p.wrongs
	case it.propWrong != nil && m.kind != Other:
		return it.propWrong
	case len(it.messageID) > 256:
		return &Invalid{CodeMessageID, "messageId has at most 256 bytes"}
	case strings.ContainsFunc(it.messageID, func(r rune) bool { return !unicode.IsPrint(r) }):
		return &Invalid{CodeMessageID, "messageId wants printable characters"}
	case it.typ == "":
		return &Invalid{CodeTypeMissing, "type wants one of track, page, screen, identify, group, alias"}
	case !slices.Contains(types, it.typ):
		return &Invalid{CodeTypeUnknown, "type wants one of track, page, screen, identify, group, alias"}
	case it.typ == "track" && strings.TrimSpace(it.event) == "":
		return &Invalid{CodeEventNameMissing, "track needs event"}
	case it.anonymous == "" && it.account == "":
		return &Invalid{CodeIDMissing, "an event needs anonymousId or userId"}
	}
	var err error
	if it.anonymous != "" {
		if m.device, err = consent.NewID(consent.Device, it.anonymous); err != nil {
			return &Invalid{CodeAnonymousID, "anonymousId wants 16 to 128 printable characters"}
		}
	}
	if it.account != "" {
		if m.user, err = consent.NewID(consent.Account, it.account); err != nil {
			return &Invalid{CodeUserID, "userId wants 1 to 128 printable characters"}
		}
	}
	return nil
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

func first(a, b *Invalid) *Invalid {
	if a != nil {
		return a
	}
	return b
}
