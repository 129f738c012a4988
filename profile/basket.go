package profile

import "github.com/handschlag/handschlag/event"

// basket counts the session's cart. A report (a cart or checkout with its lines)
// replaces what was added up; a completed order empties it.
func (s *Session) basket(e step) {
	units := s.Units
	switch e.kind {
	case event.ProductAdded:
		s.Adds++
		s.move(unitsOf(e.f.Quantity), e.f.PriceCents)
		s.CartMS = e.at
	case event.ProductRemoved:
		s.Removes++
		s.move(-unitsOf(e.f.Quantity), e.f.PriceCents)
		s.CartMS = e.at
	case event.CartViewed, event.CheckoutStarted:
		if len(e.f.Items) > 0 {
			s.Units, s.Cents = total(e.f.Items, e.f.CartCents)
		}
		if s.Units != units {
			s.CartMS = e.at
		}
	case event.OrderCompleted:
		s.Adds, s.Removes, s.Units, s.Cents, s.CartMS = 0, 0, 0, 0, 0
	}
}

// move adds units at a price, or takes them out; neither sum falls below nothing.
func (s *Session) move(units, cents int64) {
	s.Units = max(0, s.Units+units)
	s.Cents = max(0, s.Cents+units*centsOf(cents))
}

// total is the units and value of a cart's lines; a value told with them wins.
func total(items []event.Item, told int64) (units, cents int64) {
	for _, i := range items {
		n := unitsOf(i.Quantity)
		units += n
		cents += n * centsOf(i.PriceCents)
	}
	if told > 0 {
		cents = centsOf(told)
	}
	return units, cents
}

// unitsOf reads a quantity: none told is one.
func unitsOf(quantity int64) int64 { return min(max(1, quantity), unitsMax) }

// centsOf keeps a price where sums cannot overflow: up to ten million.
func centsOf(cents int64) int64 { return min(max(0, cents), 1_000_000_000) }

// checkout follows the way from cart to order.
func (s *Session) checkout(e step) {
	switch e.kind {
	case event.CheckoutFailed:
		s.Errors++
		fallthrough
	case event.CheckoutStarted, event.CheckoutStepViewed, event.CheckoutStepCompleted:
		s.Checkout, s.CheckoutMS = true, e.at
	case event.OrderCompleted:
		if e.f.OrderKey == 0 || e.f.OrderKey != s.OrderKey {
			s.Orders++
		}
		s.Checkout, s.CheckoutMS, s.Errors, s.OrderKey = false, 0, 0, e.f.OrderKey
	}
}
