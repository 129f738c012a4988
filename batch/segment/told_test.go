package segment

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// after is a teller of tonight that knows what was told before.
func after(before memory) *teller {
	return &teller{memory: before, now: 25, night: "2026-11-03", told: map[string]*int64{}, again: map[string]bool{}}
}

// toldAfter is what is told of a report's numbers after what was told before.
func toldAfter(t testing.TB, before memory, r *Report) *Report {
	t.Helper()
	tonight := after(before)
	if err := tonight.tellNumbers(r); err != nil {
		t.Fatal(err)
	}
	r.shorten(tonight)
	tonight.remembered(r, 90)
	r.Step, r.K = 25, 25
	return r
}

func TestWhatIsNoNumberStopsTheReport(t *testing.T) {
	r := Report{Need: &NeedSection{AUC: Figure{Mean: .12345678, Low: math.Copysign(0, -1)}}}
	if err := r.rounded(); err != nil || r.Need.AUC.Mean != .123457 || math.Signbit(r.Need.AUC.Low) {
		t.Errorf("got %v, %+v", err, r.Need.AUC)
	}
	r.Need.Bins = []CalibrationBin{{Observed: math.NaN()}}
	if err := r.rounded(); err == nil || err.Error() != "report.Need.Bins[0].Observed is NaN, no number" {
		t.Errorf("got %v", err)
	}
}

// A number stays until the true one is k away from all that it could have been.
func TestANumberIsToldAgainUntilKLeftIt(t *testing.T) {
	none, hidden := []float64{0}, []float64(nil)
	for _, c := range []struct {
		last  []float64
		known bool
		step  int64
		count int64
		want  int64 // -1: withheld
	}{
		{nil, false, 25, 0, 0}, {nil, false, 25, 24, -1}, {nil, false, 25, 25, 25}, {nil, false, 25, 99, 75},
		{none, true, 25, 24, 0}, {none, true, 25, 25, 25},
		{hidden, true, 25, 0, -1}, {hidden, true, 25, 48, -1}, {hidden, true, 25, 49, 25},
		{[]float64{25}, true, 25, 1, 25}, {[]float64{25}, true, 25, 0, 0}, {[]float64{25}, true, 25, 73, 25}, {[]float64{25}, true, 25, 74, 50},
		{[]float64{100}, true, 25, 76, 100}, {[]float64{100}, true, 25, 75, 75}, {[]float64{100}, true, 25, 148, 100}, {[]float64{100}, true, 25, 149, 125},
		{[]float64{110}, true, 1, 134, 100}, {[]float64{110}, true, 1, 135, 125}, {[]float64{110}, true, 1, 86, 100}, {[]float64{110}, true, 1, 85, 75}, // an earlier version told 110
		{hidden, true, 1, 0, -1}, {hidden, true, 1, 500, -1}, // and withheld for whatever reason
		{[]float64{120}, true, 10, 140, 100}, {[]float64{20}, true, 10, 40, -1}, // k was 10
	} {
		m := memory{date: "2026-11-02", step: c.step, k: c.step, told: map[string][]float64{}}
		if c.step == 1 {
			m.k = 25
		}
		if c.known {
			m.told["x"] = c.last
		}
		got := int64(-1)
		if told := after(m).tell("x", c.count); told != nil {
			got = *told
		}
		if got != c.want {
			t.Errorf("%d after %v in steps of %d is told as %d, want %d", c.count, c.last, c.step, got, c.want)
		}
	}
}

// Whatever a number does from night to night: it is told in steps, moves by k or not at all,
// is never 2k from the truth, and a move of fewer than k from where it was told anew changes
// nothing.
func TestToldNumbersMoveByK(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := memory{date: "2026-11-02", step: 25, k: 25, told: map[string][]float64{}}
		count, anew := int64(0), int64(0)
		for night := range rapid.IntRange(2, 30).Draw(t, "nights") {
			count = max(0, count+rapid.Int64Range(-60, 60).Draw(t, "move"))
			tonight := after(m)
			told := tonight.tell("x", count)
			last, known := m.told["x"]
			if told != nil && (*told%25 != 0 || *told-count >= 25 || count-*told >= 50) || told == nil && count >= 49 {
				t.Fatalf("night %d: %d is told as %v", night, count, one(told))
			}
			if known && told != nil && len(last) > 0 && Isolates(*told, int64(last[0]), 25) {
				t.Fatalf("night %d: %d after %v", night, *told, last)
			}
			if known && max(count, anew)-min(count, anew) < 25 && !slices.Equal(one(told), last) {
				t.Fatalf("night %d: %d, told anew at %d as %v, is told as %v", night, count, anew, last, one(told))
			}
			if !tonight.again["x"] {
				anew = count
			}
			m.told["x"] = one(told)
		}
	})
}

// A figure is told again with its number, and not finer than persons are: nobody of fewer
// than k shows in it, and one of them never.
func TestAFigureIsToldAgainWithItsNumber(t *testing.T) {
	arm := func(persons int64, share, cents float64) *Report {
		return &Report{Offer: &OfferSection{Offered: Arm{&persons, &Figure{share, share - .02, share + .02}, &cents}}}
	}
	first := toldAfter(t, memory{}, arm(1_010, .08213, 1_234.5))
	o := first.Offer.Offered
	if *o.Persons != 1_000 || math.Abs(o.Conversion.Mean-.08) > 1e-9 || math.Abs(o.Conversion.High-.1) > 1e-9 || *o.NetCents != 1_240 {
		t.Errorf("told %s", mustJSON(t, o))
	}
	m := first.memory()
	if again := toldAfter(t, m, arm(1_040, .09, 1_400)).Offer.Offered; string(mustJSON(t, again)) != string(mustJSON(t, o)) {
		t.Errorf("30 more: told %s", mustJSON(t, again))
	}
	if again := toldAfter(t, m, &Report{Offer: &OfferSection{Offered: Arm{Persons: at(int64(990))}}}).Offer.Offered; string(mustJSON(t, again)) != string(mustJSON(t, o)) {
		t.Errorf("withheld tonight: told %s", mustJSON(t, again))
	}
	if anew := toldAfter(t, m, arm(1_060, .0901, 1_401)).Offer.Offered; *anew.Persons != 1_050 || math.Abs(anew.Conversion.Mean-.09) > 1e-9 || *anew.NetCents != 1_400 {
		t.Errorf("60 more: told %s", mustJSON(t, anew))
	}
	if few := toldAfter(t, memory{}, arm(24, .5, 100)).Offer.Offered; few != (Arm{}) {
		t.Errorf("of 24: told %s", mustJSON(t, few))
	}
}

// What a report has no more is remembered while it could still count, and held against what
// it is when it comes back.
func TestWhatIsToldNoMoreIsRemembered(t *testing.T) {
	product := func(persons int64) *Report {
		return &Report{AsOf: monday, Unmet: &Unmet{Products: []UnmetProduct{{Product: "p[1]", Persons: &persons}}}}
	}
	first := toldAfter(t, memory{}, product(60))
	gone := toldAfter(t, first.memory(), &Report{AsOf: monday.AddDate(0, 0, 1)})
	told := func(r *Report) *ToldBefore {
		at := slices.IndexFunc(r.ToldBefore, func(b ToldBefore) bool { return b.Name == "unmet_needs.products[p(1)].persons" })
		if at < 0 {
			return nil
		}
		return &r.ToldBefore[at]
	}
	if b := told(gone); b == nil || b.Date != "2026-11-02" || !slices.Equal(b.Told, []float64{50}) {
		t.Fatalf("remembered: %+v", gone.ToldBefore)
	}
	if back := toldAfter(t, gone.memory(), product(97)); told(back) != nil || *back.Unmet.Products[0].Persons != 50 {
		t.Errorf("told %s, remembered %+v", mustJSON(t, back.Unmet.Products), back.ToldBefore)
	}
	late := after(gone.memory())
	late.night = "2027-03-01"
	if late.remembered(gone, 90); len(gone.ToldBefore) != 0 {
		t.Errorf("still remembered: %+v", gone.ToldBefore)
	}
}

// A few persons neither bring a product into the list of unmet needs nor drive one out.
func TestFewPersonsDoNotChangeTheListOfUnmetNeeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wanted := rapid.SliceOfN(rapid.Int64Range(0, 120), 1, 40).Draw(t, "wanted")
		list := func(before memory, counts []int64) *Report {
			r := &Report{AsOf: monday, Unmet: &Unmet{}}
			for i, count := range counts {
				r.Unmet.Products = append(r.Unmet.Products, UnmetProduct{Product: fmt.Sprintf("p%02d", i), Persons: &count})
			}
			tonight := after(before)
			if err := tonight.tellNumbers(r); err != nil {
				t.Fatal(err)
			}
			r.shorten(tonight)
			r.Step, r.K = 25, 25
			return r
		}
		first := list(memory{}, wanted)
		moved := slices.Clone(wanted)
		for i := range moved {
			if moved[i] = max(0, moved[i]+rapid.Int64Range(-24, 24).Draw(t, "moved")); wanted[i] > 24 {
				moved[i] = max(1, moved[i])
			}
		}
		one, _ := json.Marshal(first.Unmet)
		two, _ := json.Marshal(list(first.memory(), moved).Unmet)
		if string(one) != string(two) {
			t.Fatalf("%v: %s\n%v: %s", wanted, one, moved, two)
		}
	})
}

// Of a share of at least k among at least twice as many, one person more or less moves less
// than the last digit that is told.
func TestAShareIsNoFinerThanAPerson(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.IntRange(50, 100_000).Draw(t, "all")
		some := rapid.IntRange(25, all-25).Draw(t, "some")
		told := func(some int) (share float64) {
			low, high := learn.Wilson(some, all, z95)
			p := float64(some) / float64(all)
			v := coarse(isFigure, []float64{p, low, high}, float64(all), 25)
			if alone := coarse(isShare, []float64{p}, float64(all), 25); math.Abs(alone[0]-v[0]) > 8/math.Sqrt(float64(all)) {
				t.Fatalf("%d of %d: %v with an interval, %v without", some, all, v[0], alone[0])
			}
			return v[0]
		}
		unit := 1 / float64(all)
		if one, more := told(some), told(some+1); one != more && math.Abs(one-more) < unit-1e-12 {
			t.Fatalf("%d of %d is told as %v, one more as %v", some, all, one, more)
		}
	})
}

// A night that is done again publishes what it published, also where there is nothing to tell:
// nobody bought, so there are no cuts.
func TestANightOfNobodyWhoBoughtIsTheSameAgain(t *testing.T) {
	s := newShop(t)
	for n := range 40 {
		s.says(subject(n), consent.Given, monday.Add(-time.Hour), consent.PersonalisationContent)
		s.sees(subject(n), event.ProductViewed, monday, event.Fields{Product: "p1", Category: "tea", PriceCents: 1000})
	}
	in := s.night(monday.AddDate(0, 0, 1))
	first := s.run(in).Publication
	if again := s.run(in).Publication; again.Run != first.Run {
		t.Errorf("the same night again is run %s, was %s", again.Run, first.Run)
	}
}
