package segment

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// diary is what one person did, by hand: days before as of → views and orders.
type diary map[int]struct{ views, orders int }

// count sums up to so many days before as of.
func (d diary) count(days int) (views, orders, visits int) {
	for ago, did := range d {
		if ago <= days {
			views, orders, visits = views+did.views, orders+did.orders, visits+1
		}
	}
	return views, orders, visits
}

// ago is the nearest and the farthest day of those between two bounds; 0 for none.
func (d diary) ago(from, to int) (nearest, farthest int) {
	for days := range d {
		if days < from || days > to {
			continue
		}
		if nearest == 0 || days < nearest {
			nearest = days
		}
		farthest = max(farthest, days)
	}
	return nearest, farthest
}

func (d diary) lifecycle() string {
	last, first := d.ago(1, 90)
	_, start := d.ago(1, 28)
	before, _ := d.ago(29, 90)
	switch {
	case last > 56:
		return "lapsed"
	case last > 28:
		return "cooling"
	case first <= 28:
		return "new"
	case before-start > 28:
		return "returning"
	}
	return "active"
}

func (d diary) risk() int {
	last, first := d.ago(1, 90)
	_, _, visits := d.count(90)
	if visits < 3 {
		return 0
	}
	gap := max(3, float64(first-last)/float64(visits-1))
	switch away := float64(last); {
	case away > 4*gap:
		return 3
	case away > 2*gap:
		return 2
	}
	return 1
}

// segments are conditions, and the same said in Go.
var segmentsByHand = map[string]struct {
	where string
	is    func(d diary) bool
}{
	"looks": {"product_views_28d >= 2 and orders_28d = 0", func(d diary) bool { v, o, _ := d.count(28); return v >= 2 && o == 0 }},
	"buys":  {"orders_90d between 1 and 2 or orders_90d > 4", func(d diary) bool { _, o, _ := d.count(90); return o == 1 || o == 2 || o > 4 }},
	"new":   {"lifecycle = 1", func(d diary) bool { return d.lifecycle() == "new" }},
	"act":   {"lifecycle = 2", func(d diary) bool { return d.lifecycle() == "active" }},
	"back":  {"lifecycle = 3", func(d diary) bool { return d.lifecycle() == "returning" }},
	"cool":  {"lifecycle = 4", func(d diary) bool { return d.lifecycle() == "cooling" }},
	"lapse": {"lifecycle = 5", func(d diary) bool { return d.lifecycle() == "lapsed" }},
	"risk0": {"churn_risk = 0", func(d diary) bool { return d.risk() == 0 }},
	"risk1": {"churn_risk = 1", func(d diary) bool { return d.risk() == 1 }},
	"risk2": {"churn_risk = 2", func(d diary) bool { return d.risk() == 2 }},
	"risk3": {"churn_risk = 3", func(d diary) bool { return d.risk() == 3 }},
	"often": {"case when active_days_90d > 5 then true else active_days_28d % 2 = 1 end", func(d diary) bool {
		_, _, long := d.count(90)
		_, _, short := d.count(28)
		return long > 5 || short%2 == 1
	}},
	"since": {"days_since_visit in (1, 2, 3) or not days_since_first_visit < 80", func(d diary) bool {
		last, first := d.ago(1, 90)
		return last <= 3 || first >= 80
	}},
}

// visitDays are days before as of: those about which conditions turn, and a few more.
var visitDays = []int{1, 2, 4, 7, 13, 27, 28, 29, 56, 57, 60, 79, 80, 90, 91}

// TestMembershipIsTheConditionOfWhatEachDid: what the day reads of a person is what
// the conditions say of their diary; and whoever withdrew, objected or was erased is
// in no segment, not even in one that everybody is in.
func TestMembershipIsTheConditionOfWhatEachDid(t *testing.T) {
	s, r := newShop(t), learn.NewRandom(3)
	asOf := monday.AddDate(0, 0, 95)
	diaries, names := map[consent.Subject]diary{}, map[consent.Subject]string{}
	for n := range 120 {
		who, d := subject(n), diary{}
		s.says(who, consent.Given, monday.AddDate(0, 0, -10), basis)
		from, upTo, often := r.IntN(len(visitDays)), r.IntN(len(visitDays)), 1+r.IntN(5)
		for _, ago := range visitDays[min(from, upTo) : max(from, upTo)+1] {
			if r.IntN(5) >= often {
				continue
			}
			did := struct{ views, orders int }{r.IntN(3), r.IntN(3) / 2}
			at := asOf.AddDate(0, 0, -ago).Add(12 * time.Hour)
			s.sees(who, event.ProductListViewed, at, event.Fields{})
			for i := range did.views {
				s.sees(who, event.ProductViewed, at.Add(time.Duration(i+1)*time.Second), event.Fields{Product: "p"})
			}
			for i := range did.orders {
				s.sees(who, event.OrderCompleted, at.Add(time.Minute), event.Fields{OrderKey: int64(1 + n*1000 + ago*4 + i), CartCents: 900})
			}
			if d[ago] = did; ago > 90 {
				delete(d, ago)
			}
		}
		diaries[who], names[who] = d, fmt.Sprint("subject ", n)
	}
	s.says(subject(1), consent.Withdrawn, asOf.Add(-time.Hour), basis)
	objector := s.subjects[subject(2)]
	objector.objections = []string{consent.Profiling}
	s.subjects[subject(2)] = objector
	delete(s.standings, subject(3))
	delete(s.subjects, subject(3)) // what an erasure leaves, before the days are rewritten
	for _, n := range []int{1, 2, 3} {
		diaries[subject(n)] = nil
	}
	in := s.night(asOf)
	in.Config.Segments = []config.Segment{{Name: "everybody", Where: "sessions_90d >= 0"}}
	for name, by := range segmentsByHand {
		in.Config.Segments = append(in.Config.Segments, config.Segment{Name: name, Where: by.where})
	}
	res := s.run(in)
	members, held := held(res), map[string]int{}
	order := []string{}
	for who := range res.Members.All() {
		order = append(order, who.String())
	}
	if !slices.IsSorted(order) {
		t.Error("members are not in the order of their subjects")
	}
	for who, d := range diaries {
		got, want := slices.Sorted(slices.Values(members[who].Segments)), []string{}
		if len(d) > 0 {
			want = append(want, "everybody")
			for name, by := range segmentsByHand {
				if by.is(d) {
					want = append(want, name)
					held[name]++
				}
			}
		}
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("%s is in %v, by hand in %v: %v", names[who], got, want, d)
		}
	}
	for name := range segmentsByHand {
		if held[name] < 2 {
			t.Errorf("only %d in %s: the test says little of it", held[name], name)
		}
	}
}
