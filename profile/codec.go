package profile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// codecVersion is the first byte of the stored form.
const codecVersion = 1

// ErrCodec says that bytes are not a profile's stored form.
var ErrCodec = errors.New("stored profile")

// MarshalBinary gives the compact stored form. Equal profiles give equal bytes.
func (p Profile) MarshalBinary() ([]byte, error) {
	c := coder{b: make([]byte, 0, 64+20*len(p.Recent)+600*len(p.Sections))}
	c.profile(&p)
	return c.b, c.err
}

// UnmarshalBinary reads what MarshalBinary wrote. Anything else is an ErrCodec
// and leaves the profile as it was.
func (p *Profile) UnmarshalBinary(b []byte) error {
	c := coder{b: b, reading: true}
	var read Profile
	c.profile(&read)
	if c.err == nil && len(c.b) > 0 {
		c.fail("%d bytes too many", len(c.b))
	}
	if c.err != nil {
		return c.err
	}
	*p = read
	return nil
}

// coder walks a value once, in one order: it either appends each part to b or
// takes it from b. So what is written is what is read.
type coder struct {
	b       []byte
	reading bool
	err     error
}

func (c *coder) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("%w: "+format, append([]any{ErrCodec}, args...)...)
	}
	c.b = nil
}

func (c *coder) profile(p *Profile) {
	version := byte(codecVersion)
	if c.byte(&version); c.err == nil && version != codecVersion {
		c.fail("version %d is not known", version)
	}
	c.bytes(p.Subject[:])
	var last int64
	list(c, &p.Recent, RecentMax, func(s *Seen) {
		c.bytes(s.Key[:])
		c.delta(&s.AtMS, &last)
	})
	c.sections(p)
}

// sections come in the order of Purposes, under a byte that names those present.
func (c *coder) sections(p *Profile) {
	var present byte
	for i, x := range Purposes {
		if _, ok := p.Sections[x]; ok {
			present |= 1 << i
		}
	}
	c.byte(&present)
	if c.reading && present != 0 {
		p.Sections = make(map[consent.Purpose]Section, len(Purposes))
	}
	if present >= 1<<len(Purposes) {
		c.fail("sections %b are not known", present)
	}
	for i, x := range Purposes {
		if c.err == nil && present&(1<<i) != 0 {
			s := p.Sections[x]
			c.section(&s)
			p.Sections[x] = s
		}
	}
}

func (c *coder) section(s *Section) {
	c.session(&s.Session)
	list(c, &s.Past, PastMax, func(p *Past) {
		c.ints(&p.StartMS, &p.EndMS, &p.Events, &p.Views, &p.Searches, &p.Left, &p.Orders)
	})
	c.present(s.Offers != Offer{}, func() {
		o := &s.Offers
		c.ints(&o.Hints, &o.Unconfirmed, &o.HintMS, &o.After, &o.OfferMS, &o.Dismissed, &o.DismissedMS, &o.NoteMS)
		c.bools(&o.Show)
	})
	c.present(!s.Trail.empty() || !s.Trail.BasketAt.IsZero(), func() { c.trail(&s.Trail) })
}

func (c *coder) session(s *Session) {
	c.ints(&s.StartMS, &s.LastMS, &s.Events, &s.Hour)
	c.ints(&s.Searches, &s.Distinct, &s.Clicked, &s.Reformulated, &s.Zero)
	list(c, &s.Queries, QueriesMax, c.int)
	c.ints(&s.Views, &s.Viewed, &s.ViewsMax, &s.DwellMaxMS, &s.SizeGuides, &s.FlipsMax, &s.Loops)
	list(c, &s.Products, ProductsMax, func(l *Look) {
		c.string(&l.Product)
		c.ints(&l.Views, &l.DwellMS, &l.Flips)
		c.string(&l.Variant)
	})
	c.string(&s.ViewA)
	c.string(&s.ViewB)
	c.ints(&s.Adds, &s.Removes, &s.Units, &s.Cents, &s.CartMS)
	c.ints(&s.CheckoutMS, &s.Errors, &s.Orders, &s.OrderKey)
	c.bools(&s.Awaiting, &s.Exact, &s.Open, &s.Checkout)
}

func (c *coder) trail(t *Trail) {
	list(c, &t.Orders, ordersMax, func(o *Order) {
		c.time(&o.At)
		c.ints(&o.Key, &o.Cents)
		c.string(&o.Status)
		c.items(&o.Items)
	})
	c.items(&t.Basket)
	c.time(&t.BasketAt)
	list(c, &t.Searches, QueriesMax, func(s *Search) {
		c.time(&s.At)
		c.strings(&s.Words)
		c.bools(&s.Exact)
	})
	list(c, &t.Viewed, ProductsMax, func(v *Viewed) {
		c.time(&v.At)
		c.int(&v.Views)
		c.string(&v.Product)
		c.strings(&v.Variants)
	})
	list(c, &t.Compared, comparedMax, func(p *[2]string) {
		c.string(&p[0])
		c.string(&p[1])
	})
}

func (c *coder) items(items *[]event.Item) {
	list(c, items, ProductsMax, func(i *event.Item) {
		c.string(&i.Product)
		c.ints(&i.Quantity, &i.PriceCents)
	})
}

func (c *coder) strings(s *[]string) { list(c, s, wordsMax, c.string) }

// list walks up to most entries.
func list[T any](c *coder, s *[]T, most int, each func(*T)) {
	n := int64(len(*s))
	c.int(&n)
	if n < 0 || n > int64(most) {
		c.fail("a list of %d where %d is the most", n, most)
	}
	if c.err != nil || n == 0 {
		return
	}
	if c.reading {
		*s = make([]T, n)
	}
	for i := range *s {
		each(&(*s)[i])
	}
}

// present walks a part that may be missing.
func (c *coder) present(has bool, each func()) {
	if c.bools(&has); has {
		each()
	}
}

func (c *coder) ints(vs ...*int64) {
	for _, v := range vs {
		c.int(v)
	}
}

// time walks a moment in milliseconds; none is the zero time.
func (c *coder) time(v *time.Time) {
	var ms int64
	if !v.IsZero() {
		ms = v.UnixMilli()
	}
	if c.int(&ms); c.reading && ms != 0 {
		*v = time.UnixMilli(ms).UTC()
	}
}

func (c *coder) int(v *int64) {
	if !c.reading {
		c.b = binary.AppendVarint(c.b, *v)
		return
	}
	x, n := binary.Varint(c.b)
	if n <= 0 {
		c.fail("it ends within a number")
		return
	}
	*v, c.b = x, c.b[n:]
}

// delta walks a number as its distance from the one before.
func (c *coder) delta(v, last *int64) {
	d := *v - *last
	c.int(&d)
	*v = *last + d
	*last = *v
}

// bools walks up to eight flags in one byte.
func (c *coder) bools(vs ...*bool) {
	var x byte
	for i, v := range vs {
		if *v {
			x |= 1 << i
		}
	}
	c.byte(&x)
	if int(x)>>len(vs) != 0 {
		c.fail("flags %b are not known", x)
		return
	}
	for i, v := range vs {
		*v = x&(1<<i) != 0
	}
}

func (c *coder) byte(v *byte) {
	b := [1]byte{*v}
	c.bytes(b[:])
	*v = b[0]
}

func (c *coder) bytes(v []byte) {
	if !c.reading {
		c.b = append(c.b, v...)
		return
	}
	if len(c.b) < len(v) {
		c.fail("it ends too early")
		return
	}
	copy(v, c.b)
	c.b = c.b[len(v):]
}

func (c *coder) string(v *string) {
	n := int64(len(*v))
	c.int(&n)
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	if n < 0 || n > int64(len(c.b)) {
		c.fail("it ends within a text")
		return
	}
	*v, c.b = string(c.b[:n]), c.b[n:]
}
