package segment

import (
	"slices"
	"testing"
	"time"
)

// A night that cannot tell a number does not forget what was told of it: when it can be told
// again, one person more changes nothing.
func TestAWithheldNightForgetsNothing(t *testing.T) {
	for _, more := range []int{0, 1} {
		s := newShop(t)
		s.everyday(240, 1)
		s.agreeToMail(0, 14, monday.Add(-time.Minute)) // 74, with the 60 who do anyway
		for night, want := range []int64{50, -1, -1, 50} {
			if night == 3 {
				s.agreeToMail(14, more, monday.AddDate(0, 0, 3))
			}
			in := s.night(monday.AddDate(0, 0, night+1))
			in.ExportsOff = night == 1 || night == 2
			in.Fresh = nil
			got := int64(-1)
			if rows := reach(t, s.run(in).Report.Segments, "lookers", "email").Rows; rows != nil {
				got = *rows
			}
			if got != want {
				t.Errorf("%d more, night %d: %d rows are told, want %d", more, night, got, want)
			}
		}
	}
}

// Whoever left a list was told of as none, and comes back as one who was: with k persons.
func TestWhatLeavesAListAtNoneComesBackWithK(t *testing.T) {
	wanted := func(persons int64) *Report {
		r := &Report{AsOf: monday, Unmet: &Unmet{}}
		if persons > 0 {
			r.Unmet.Products = []UnmetProduct{{Product: "p1", Persons: &persons, Searched: &persons}}
		}
		return r
	}
	offered := func(count int64) *Report {
		r := &Report{AsOf: monday}
		if count > 0 {
			r.Offers = []OfferCount{{Offer: "human", Count: count, Reasons: []RuleCount{{Rule: "ESC-01", Count: count}}}}
		}
		return r
	}
	for name, list := range map[string]func(int64) *Report{"unmet needs": wanted, "offers": offered} {
		for _, c := range []struct{ counts, want []int64 }{
			{[]int64{30, 0, 1, 24, 25}, []int64{25, -1, -1, -1, 25}},
			{[]int64{60, 20, 26, 48, 49}, []int64{50, -1, -1, -1, 25}}, // withheld, which is 1 to 24
		} {
			m, told := memory{}, []int64{}
			for night, count := range c.counts {
				r := list(count)
				r.AsOf = monday.AddDate(0, 0, night)
				toldAfter(t, m, r)
				at := int64(-1)
				switch {
				case len(r.Offers) > 0:
					at = r.Offers[0].Count
				case r.Unmet != nil && len(r.Unmet.Products) > 0:
					at = *r.Unmet.Products[0].Persons
				}
				m, told = r.memory(), append(told, at)
			}
			if !slices.Equal(told, c.want) {
				t.Errorf("%s: %v are told as %v, want %v", name, c.counts, told, c.want)
			}
		}
	}
}

// A list that could not be made tonight is no list of none.
func TestAMissingListTellsOfNobodyThatTheyWent(t *testing.T) {
	persons := int64(60)
	first := toldAfter(t, memory{}, &Report{AsOf: monday, Unmet: &Unmet{Products: []UnmetProduct{{Product: "p1", Persons: &persons}}}})
	gone := toldAfter(t, first.memory(), &Report{AsOf: monday.AddDate(0, 0, 1)})
	if told := gone.memory().told["unmet_needs.products[p1].persons"]; !slices.Equal(told, []float64{50}) {
		t.Errorf("remembered as %v", told)
	}
}
