package price

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// Check says what is wrong with an interval as a shop sends it.
func (i Interval) Check() error {
	var wrong []error
	for _, x := range []struct{ field, value string }{{"product_id", i.Product}, {"storefront", i.Storefront}, {"channel", i.Channel}} {
		if x.value == "" || len(x.value) > 128 {
			wrong = append(wrong, fmt.Errorf("%s wants 1 to 128 bytes", x.field))
		}
	}
	if !currency(i.Currency) {
		wrong = append(wrong, errors.New("currency wants three capital letters"))
	}
	if i.From.IsZero() {
		wrong = append(wrong, errors.New("from is missing"))
	}
	if !i.To.IsZero() && !i.From.Before(i.To) {
		wrong = append(wrong, errors.New("to is not after from"))
	}
	if i.GrossCents < 0 || i.GrossCents > 1e12 {
		wrong = append(wrong, errors.New("gross_cents wants 0 or more"))
	}
	return errors.Join(wrong...)
}

func currency(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return len(s) == 3
}

// Merge adds rows to a history. The result is the whole history in the order of
// product, storefront, channel, currency and time; neither argument changes.
//
// A row that is there already changes nothing. A row may close an interval of the
// history that is open: by beginning after it, or by repeating it with an end. Any
// other overlap is an error that names both, and so is a row that Check rejects.
func Merge(history, rows []Interval) ([]Interval, error) {
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, inOrder)
	var wrong []error
	for n, r := range rows {
		if err := r.Check(); err != nil {
			wrong = append(wrong, fmt.Errorf("%v: %w", r, err))
		}
		if n > 0 && overlap(rows[n-1], r) && !same(rows[n-1], r) {
			wrong = append(wrong, fmt.Errorf("%v overlaps %v", r, rows[n-1]))
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("merging prices: %w", errors.Join(wrong...))
	}
	m := merging{bySeries: make(map[series][]Interval)}
	for _, h := range history {
		m.bySeries[key(h)] = append(m.bySeries[key(h)], h)
	}
	for _, r := range rows {
		if err := m.add(r); err != nil {
			wrong = append(wrong, err)
		}
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("merging prices: %w", errors.Join(wrong...))
	}
	return m.all(), nil
}

type merging struct{ bySeries map[series][]Interval }

func (m *merging) add(r Interval) error {
	h := m.bySeries[key(r)]
	for n, old := range h {
		switch {
		case !overlap(old, r):
		case same(old, r):
			return nil
		case old.To.IsZero() && old.From.Before(r.From):
			h[n].To = r.From
		case old.To.IsZero() && same(old, Interval{r.Product, r.Storefront, r.Channel, r.Currency, r.From, old.To, r.GrossCents, r.Announced}):
			h[n] = r
			return nil
		default:
			return fmt.Errorf("%v overlaps %v", r, old)
		}
	}
	m.bySeries[key(r)] = append(h, r)
	return nil
}

func (m *merging) all() []Interval {
	var out []Interval
	for _, h := range m.bySeries {
		out = append(out, h...)
	}
	slices.SortStableFunc(out, inOrder)
	return out
}

// overlap reports whether some moment lies in both intervals of one series.
func overlap(a, b Interval) bool {
	return key(a) == key(b) && (a.To.IsZero() || b.From.Before(a.To)) && (b.To.IsZero() || a.From.Before(b.To))
}

func same(a, b Interval) bool {
	return key(a) == key(b) && a.From.Equal(b.From) && a.To.Equal(b.To) && a.GrossCents == b.GrossCents && a.Announced == b.Announced
}

// String names an interval in an error.
func (i Interval) String() string {
	to := "open"
	if !i.To.IsZero() {
		to = i.To.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s/%s/%s/%s %s to %s at %d", i.Product, i.Storefront, i.Channel, i.Currency, i.From.Format(time.RFC3339), to, i.GrossCents)
}
