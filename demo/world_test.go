package demo

import "testing"

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
