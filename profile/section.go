package profile

import (
	"maps"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Section is what one purpose remembers about a subject: counters of the running
// session, five sessions before it and, for adviser_assist alone, offers and the
// card's trail. Every list has an upper bound, so a section stays below about 10 KB.
type Section struct {
	Session Session `json:"s"`
	Past    []Past  `json:"p,omitempty"` // at most 5, oldest first, ended within 90 days
	Offers  Offer   `json:"o,omitzero"`
	Trail   Trail   `json:"trail,omitzero"`
}

// The bounds. What falls off is always what was touched longest ago; the feature
// definitions say what that means for a count.
const (
	SessionIdle = 30 * time.Minute // a gap of this length ends a session
	PastFor     = 90 * 24 * time.Hour
	OrdersFor   = 2 * 365 * 24 * time.Hour // LAW-05: orders 24 months
	PastMax     = 5
	ProductsMax = 20
	QueriesMax  = 10
	DwellMax    = 10 * time.Minute // of one look at a product
	unitsMax    = 1000             // of one line of one event; more counts as this
)

// Session holds the running session's counters. What each means is defined in
// Catalogue.
type Session struct {
	StartMS int64 `json:"st,omitempty"`
	LastMS  int64 `json:"la,omitempty"`
	Events  int64 `json:"ev,omitempty"`
	Hour    int64 `json:"hr,omitempty"` // 1 + hour_band, 0 if never told

	Searches     int64   `json:"se,omitempty"`
	Distinct     int64   `json:"sd,omitempty"`
	Clicked      int64   `json:"sc,omitempty"`
	Reformulated int64   `json:"sr,omitempty"`
	Zero         int64   `json:"sz,omitempty"`
	Queries      []int64 `json:"qk,omitempty"` // the latest 10 different keys, the latest last
	Awaiting     bool    `json:"aw,omitempty"` // the last search waits for its first click
	Exact        bool    `json:"ex,omitempty"` // the last search was an article number

	Views      int64  `json:"vi,omitempty"`
	Viewed     int64  `json:"vd,omitempty"`
	ViewsMax   int64  `json:"vm,omitempty"`
	DwellMaxMS int64  `json:"dm,omitempty"`
	SizeGuides int64  `json:"sg,omitempty"`
	FlipsMax   int64  `json:"fm,omitempty"`
	Loops      int64  `json:"lo,omitempty"`
	Products   []Look `json:"pr,omitempty"` // the latest 20, the latest last
	Open       bool   `json:"op,omitempty"` // the last event is a look whose end is not known yet
	ViewA      string `json:"va,omitempty"` // the two products viewed last, B after A
	ViewB      string `json:"vb,omitempty"`

	Adds    int64 `json:"ad,omitempty"`
	Removes int64 `json:"re,omitempty"`
	Units   int64 `json:"un,omitempty"`
	Cents   int64 `json:"ce,omitempty"`
	CartMS  int64 `json:"cm,omitempty"` // last change

	Checkout   bool  `json:"co,omitempty"` // begun and not ordered
	CheckoutMS int64 `json:"ct,omitempty"`
	Errors     int64 `json:"er,omitempty"`
	Orders     int64 `json:"or,omitempty"`
	OrderKey   int64 `json:"ok,omitempty"` // of the last order
}

// Look is one product of the session.
type Look struct {
	Product string `json:"p"`
	Views   int64  `json:"v,omitempty"`
	DwellMS int64  `json:"d,omitempty"`
	Flips   int64  `json:"f,omitempty"`
	Variant string `json:"x,omitempty"` // the last one
}

// Past is a session that ended.
type Past struct {
	StartMS  int64 `json:"st"`
	EndMS    int64 `json:"en"` // its last event
	Events   int64 `json:"ev"`
	Views    int64 `json:"vi,omitempty"`
	Searches int64 `json:"se,omitempty"`
	Left     int64 `json:"le,omitempty"` // units left in the basket, 0 once an order followed
	Orders   int64 `json:"or,omitempty"`
}

// Without drops a purpose's section, as a withdrawal demands. With the last
// section the message keys go too: they served nothing else.
func (p Profile) Without(purposes ...consent.Purpose) Profile {
	had := len(p.Sections)
	p.Sections = maps.Clone(p.Sections)
	for _, x := range purposes {
		delete(p.Sections, x)
	}
	if had > 0 && len(p.Sections) == 0 {
		p.Recent = nil
	}
	return p
}

// Fresh drops what is older than its time limit at now: behaviour of 90 days,
// orders of 24 months, message keys of 24 hours (LAW-05).
func (p Profile) Fresh(now time.Time) Profile {
	p.Recent = slices.DeleteFunc(slices.Clone(p.Recent), func(s Seen) bool { return s.AtMS <= now.Add(-RecentFor).UnixMilli() })
	sections := make(map[consent.Purpose]Section, len(p.Sections))
	for purpose, s := range p.Sections {
		if s = s.fresh(now); !s.empty() {
			sections[purpose] = s
		}
	}
	p.Sections = sections
	return p
}

func (s Section) fresh(now time.Time) Section {
	old := now.Add(-PastFor).UnixMilli()
	if s.Session.LastMS <= old {
		s.Session, s.Trail.Compared = Session{}, nil
	}
	s.Past = slices.DeleteFunc(slices.Clone(s.Past), func(x Past) bool { return x.EndMS <= old })
	s.Trail = s.Trail.fresh(now)
	s.Offers = s.Offers.fresh(old)
	return s
}

func (s Section) empty() bool {
	return s.Session.Events == 0 && len(s.Past) == 0 && s.Trail.empty() && s.Offers == Offer{}
}

func (s Section) clone() Section {
	s.Session.Queries = slices.Clone(s.Session.Queries)
	s.Session.Products = slices.Clone(s.Session.Products)
	s.Past = slices.Clone(s.Past)
	s.Trail = s.Trail.clone()
	return s
}
