package profile

import (
	"slices"

	"github.com/handschlag/handschlag/event"
)

// take folds one event into the running session. It answers the pair of products
// that the event compared, if it closed a compare loop.
func (s *Session) take(e step) (pair [2]string) {
	s.endLook(e.at)
	s.Events++
	s.LastMS = e.at
	if e.families.has(forTime) {
		s.Hour = hourOf(e.f.HourBand, s.Hour)
	}
	if e.families.has(forSearch) {
		s.search(e)
	}
	if e.families.has(forProduct) {
		pair = s.product(e)
	}
	if e.families.has(forBasket) {
		s.basket(e)
	}
	if e.families.has(forCheckout) {
		s.checkout(e)
	}
	return pair
}

var hourBands = []string{"night", "morning", "afternoon", "evening"}

func hourOf(band string, was int64) int64 {
	if i := slices.Index(hourBands, band); i >= 0 {
		return int64(i) + 1
	}
	return was
}

func (s *Session) search(e step) {
	switch e.kind {
	case event.ProductClicked, event.ProductViewed, event.ProductAdded:
		if s.Awaiting {
			s.Clicked++
			s.Awaiting = false
		}
	case event.ProductsSearched:
		if last := len(s.Queries) - 1; s.Awaiting && last >= 0 && s.Queries[last] != e.f.QueryKey {
			s.Reformulated++
		}
		s.Searches++
		s.Awaiting, s.Exact = true, e.f.QueryExact
		if e.keep.Has(event.FieldResults) && e.f.Results == 0 {
			s.Zero++
		}
		s.query(e.f.QueryKey)
	}
}

// query puts a key last in the list, and counts it if the list had it not.
func (s *Session) query(key int64) {
	if i := slices.Index(s.Queries, key); i >= 0 {
		s.Queries = slices.Delete(s.Queries, i, i+1)
	} else {
		s.Distinct++
		if len(s.Queries) == QueriesMax {
			s.Queries = slices.Delete(s.Queries, 0, 1)
		}
	}
	s.Queries = append(s.Queries, key)
}

func (s *Session) product(e step) (pair [2]string) {
	switch e.kind {
	case event.ProductsCompared:
		s.Loops++
	case event.SizeGuideOpened:
		s.SizeGuides++
		s.look(e)
	case event.VariantSelected:
		s.look(e)
	case event.ProductViewed:
		s.Views++
		if look := s.look(e); look != nil {
			s.view(look)
			pair = s.loop(e.f.Product)
		}
	}
	return pair
}

// look touches the product that the event is about: it becomes the latest of the
// list. Its time begins, unless the page has measured it already.
func (s *Session) look(e step) *Look {
	if e.f.Product == "" {
		return nil
	}
	look := s.touch(e.f.Product)
	if v := e.f.Variant; v != "" {
		if look.Variant != "" && look.Variant != v {
			look.Flips++
			s.FlipsMax = max(s.FlipsMax, look.Flips)
		}
		look.Variant = v
	}
	if e.f.DwellMS > 0 {
		s.dwelt(look, e.f.DwellMS)
	} else {
		s.Open = true
	}
	return look
}

func (s *Session) touch(product string) *Look {
	n := len(s.Products)
	i := slices.IndexFunc(s.Products, func(l Look) bool { return l.Product == product })
	switch {
	case i < 0 && n < ProductsMax:
		s.Products = append(s.Products, Look{Product: product})
		return &s.Products[n]
	case i < 0:
		i, s.Products[0] = 0, Look{Product: product}
	}
	look := s.Products[i]
	copy(s.Products[i:], s.Products[i+1:])
	s.Products[n-1] = look
	return &s.Products[n-1]
}

func (s *Session) view(look *Look) {
	if look.Views == 0 {
		s.Viewed++
	}
	look.Views++
	s.ViewsMax = max(s.ViewsMax, look.Views)
}

// loop counts a return from one product to the one before it.
func (s *Session) loop(product string) (pair [2]string) {
	if product == s.ViewB {
		return pair
	}
	if product == s.ViewA {
		s.Loops++
		pair = [2]string{s.ViewA, s.ViewB}
	}
	s.ViewA, s.ViewB = s.ViewB, product
	return pair
}

// endLook closes the look that the last event opened.
func (s *Session) endLook(at int64) {
	if look := s.looking(); look != nil {
		s.dwelt(look, at-s.LastMS)
	}
	s.Open = false
}

// looking is the product that the last event opened, nil if it opened none.
func (s *Session) looking() *Look {
	if !s.Open || len(s.Products) == 0 {
		return nil
	}
	return &s.Products[len(s.Products)-1]
}

func (s *Session) dwelt(look *Look, ms int64) {
	look.DwellMS += min(max(0, ms), DwellMax.Milliseconds())
	s.DwellMaxMS = max(s.DwellMaxMS, look.DwellMS)
}
