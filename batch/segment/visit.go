package segment

import (
	"slices"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

// act is one admitted event as a session sees it, narrowed to what it may keep.
// Words stand for strings of the day.
type act struct {
	at       int64
	kind     event.Kind
	own      bool // of the day itself; else carried over from the day before
	exact    bool
	lines    bool // a cart or order told its lines
	hour     int8 // band, from 1; 0: not told
	product  word
	variant  word
	query    int64
	results  int64
	quantity int64
	price    int64
	dwell    int64
	cart     int64
	units    int64 // of the lines
	cents    int64 // of the lines
}

// visit is a session as it stands at its last event: the features of profile.Catalogue
// that personalisation_content may use, and what daily rows sum. It counts as the
// day does (profile.Session); TestGoAndSQLFeaturesAgree holds them together.
type visit struct {
	start, last int64
	events      int64
	hour        int8

	searches, distinct, clicked, reformulated, zero, exacts int64
	exact, awaiting                                         bool
	queries                                                 []int64

	views, viewed, viewsMax, guides, loops int64
	dwell, dwellMax, flips, flipsMax       int64
	looks                                  []look
	open                                   bool // the last event opened a look, whose time is not over
	viewA, viewB                           word

	adds, removes, units, worth, changed int64
	orders                               int64
}

// look is what a session remembers of a product until 20 others were touched.
type look struct {
	product, variant    word
	views, flips, dwell int64
}

// begin starts over, and keeps the lists' memory.
func (v *visit) begin(at int64) {
	*v = visit{start: at, last: at, queries: v.queries[:0], looks: v.looks[:0]}
}

// take folds one event in; they come in order.
func (v *visit) take(s *act) {
	v.endLook(s.at)
	v.events++
	v.last = s.at
	if s.hour > 0 {
		v.hour = s.hour
	}
	switch s.kind {
	case event.ProductsSearched:
		v.search(s)
	case event.ProductClicked:
		v.click()
	case event.ProductViewed:
		v.click()
		v.views++
		v.view(s)
	case event.VariantSelected:
		v.look(s)
	case event.SizeGuideOpened:
		v.guides++
		v.look(s)
	case event.ProductsCompared:
		v.loops++
	case event.ProductAdded:
		v.click()
		v.adds++
		v.move(min(max(1, s.quantity), 1000), s)
	case event.ProductRemoved:
		v.removes++
		v.move(-min(max(1, s.quantity), 1000), s)
	case event.CartViewed, event.CheckoutStarted:
		v.cart(s)
	case event.OrderCompleted:
		v.orders++
		v.adds, v.removes, v.units, v.worth, v.changed = 0, 0, 0, 0, 0
	}
}

func (v *visit) search(s *act) {
	if last := len(v.queries) - 1; v.awaiting && last >= 0 && v.queries[last] != s.query {
		v.reformulated++
	}
	v.searches++
	v.awaiting, v.exact = true, s.exact
	if s.exact {
		v.exacts++
	}
	if s.results == 0 {
		v.zero++
	}
	if i := slices.Index(v.queries, s.query); i >= 0 {
		v.queries = slices.Delete(v.queries, i, i+1)
	} else {
		v.distinct++
		if len(v.queries) == profile.QueriesMax {
			v.queries = slices.Delete(v.queries, 0, 1)
		}
	}
	v.queries = append(v.queries, s.query)
}

func (v *visit) click() {
	if v.awaiting {
		v.clicked++
		v.awaiting = false
	}
}

func (v *visit) view(s *act) {
	l := v.look(s)
	if l == nil {
		return
	}
	if l.views++; l.views == 1 {
		v.viewed++
	}
	v.viewsMax = max(v.viewsMax, l.views)
	switch s.product {
	case v.viewB:
		return
	case v.viewA:
		v.loops++
	}
	v.viewA, v.viewB = v.viewB, s.product
}

// look touches a product: it becomes the latest of the list.
func (v *visit) look(s *act) *look {
	if s.product == 0 {
		return nil
	}
	l := v.touch(s.product)
	if s.variant != 0 {
		if l.variant != 0 && l.variant != s.variant {
			l.flips++
			v.flips++
			v.flipsMax = max(v.flipsMax, l.flips)
		}
		l.variant = s.variant
	}
	if s.dwell > 0 {
		v.dwelt(l, s.dwell)
	} else {
		v.open = true
	}
	return l
}

func (v *visit) touch(product word) *look {
	n := len(v.looks)
	if n > 0 && v.looks[n-1].product == product {
		return &v.looks[n-1]
	}
	i := slices.IndexFunc(v.looks, func(l look) bool { return l.product == product })
	switch {
	case i < 0 && n < profile.ProductsMax:
		v.looks = append(v.looks, look{product: product})
		return &v.looks[n]
	case i < 0:
		i, v.looks[0] = 0, look{product: product}
	}
	l := v.looks[i]
	copy(v.looks[i:], v.looks[i+1:])
	v.looks[n-1] = l
	return &v.looks[n-1]
}

// endLook closes the look that the last event opened.
func (v *visit) endLook(at int64) {
	if v.open && len(v.looks) > 0 {
		v.dwelt(&v.looks[len(v.looks)-1], at-v.last)
	}
	v.open = false
}

func (v *visit) dwelt(l *look, ms int64) {
	ms = min(max(0, ms), profile.DwellMax.Milliseconds())
	l.dwell += ms
	v.dwell += ms
	v.dwellMax = max(v.dwellMax, l.dwell)
}

// move adds units to the basket, or takes them out; nothing falls below nothing.
func (v *visit) move(units int64, s *act) {
	v.units = max(0, v.units+units)
	v.worth = max(0, v.worth+units*boundedCents(s.price))
	v.changed = s.at
}

// cart takes a report of the basket with its lines for what it is worth.
func (v *visit) cart(s *act) {
	units := v.units
	if s.lines {
		v.units, v.worth = s.units, s.cents
		if s.cart > 0 {
			v.worth = boundedCents(s.cart)
		}
	}
	if v.units != units {
		v.changed = s.at
	}
}

// boundedCents keeps a price where sums cannot overflow.
func boundedCents(cents int64) int64 { return min(max(0, cents), 1_000_000_000) }
