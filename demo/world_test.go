package demo

import (
	"testing"
	"time"
)

func TestTheFileIsWholeAndTheWorldRepeats(t *testing.T) {
	clicks, err := Clicks()
	if err != nil {
		t.Fatal(err)
	}
	if len(clicks) != 165474 {
		t.Fatalf("read %d clicks, the source has 165,474", len(clicks))
	}
	all, err := NewWorld("s", 1)
	if err != nil {
		t.Fatal(err)
	}
	if all.Clicks != 165474 || len(all.Products) != 217 {
		t.Errorf("world has %d clicks and %d products, want 165,474 and 217", all.Clicks, len(all.Products))
	}
	a, _ := NewWorld("s", 12)
	b, _ := NewWorld("s", 12)
	if a.Clicks != b.Clicks || len(a.Visitors) != len(b.Visitors) || a.Visitors[7] != b.Visitors[7] {
		t.Error("the same seed gave two worlds")
	}
	if share := float64(a.Clicks) / 165474; share < 0.05 || share > 0.12 {
		t.Errorf("one visitor in twelve has %.3f of the clicks", share)
	}
	t.Logf("1 in 12: %d clicks, %d visitors, %d days", a.Clicks, len(a.Visitors), len(a.Days))
}

func TestNoVisitStartsOutsideTheDayAndTimesRise(t *testing.T) {
	w, err := NewWorld("s", 12)
	if err != nil {
		t.Fatal(err)
	}
	for d, visits := range w.Visits {
		for _, v := range visits {
			last := v.Start
			for _, x := range v.Views {
				if !x.At.After(last) {
					t.Fatalf("day %s: a click at %s does not follow %s", d, x.At, last)
				}
				last = x.At
			}
		}
	}
}

// Orders follow from the seed, come from visitors who accepted, and are sent in an hour in which no
// click is: the counters of an hour are of either.
func TestOrdersAreInventedApartFromClicks(t *testing.T) {
	w, err := NewWorld("s", 12)
	if err != nil {
		t.Fatal(err)
	}
	yes, trains := 0, 0
	for _, v := range w.Visitors {
		if v.Answer != Accepts && v.Answer != AcceptsIt {
			continue
		}
		if yes++; v.Trains {
			trains++
		}
		if said := v.consentCall()["purposes"].(object)[training]; said != v.Trains {
			t.Fatalf("%+v says %v to training", v, said)
		}
	}
	if share := float64(trains) / float64(yes); share < .75 || share > .85 {
		t.Errorf("%.3f of who accepts says yes to training", share)
	}
	orders := 0
	for _, d := range w.Days {
		for _, o := range w.ordered(d.AddDate(0, 0, 1)) {
			at, err := time.Parse(time.RFC3339Nano, o["timestamp"].(string))
			if err != nil || at.After(d.AddDate(0, 0, 1).Add(ordersAt)) {
				t.Fatalf("ordered at %v, sent at 4 on the day after %v: %v", o["timestamp"], d, err)
			}
			orders++
		}
		for _, v := range w.Visits[d] {
			for _, x := range v.Views {
				if since := x.At.Sub(d); since < ordersAt+time.Hour || since >= 24*time.Hour+ordersAt {
					t.Fatalf("a click %v into the day lies in the hour of orders", since)
				}
			}
		}
	}
	if orders < 500 {
		t.Errorf("%d orders", orders)
	}
}
