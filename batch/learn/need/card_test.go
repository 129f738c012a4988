package need

import (
	"math"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/decide"
	"pgregory.net/rapid"
)

// What the night fitted is what the day scores.
func TestTheDayScoresAsTheCardDoes(t *testing.T) {
	rows, specs := visitors(11, 3000, 1)
	c := fitted(t, rows, specs, Options{})
	s, err := c.Scorecard("f1")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Fits("f1"); err != nil {
		t.Error(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		x, features := make([]float64, len(specs)), map[string]int64{}
		for j, f := range specs {
			v := rapid.Int64Range(-3, 12).Draw(t, f.Name)
			x[j], features[f.Name] = float64(v), v
		}
		if got := s.Score(features).Total; got != c.Points(x) {
			t.Fatalf("%v: the day scores %d, the card %d", features, got, c.Points(x))
		}
	})
	if got := s.Score(nil).Total; got != c.Base {
		t.Errorf("nothing known scores %d, the base is %d", got, c.Base)
	}
}

// Decisions must show what was seen even where it earns nothing, or no later night could learn from it.
func TestAFeatureWithoutPointsStaysOnTheCard(t *testing.T) {
	c := Card{Double: 10, Features: []Scored{{Name: "searches", Shape: "rising", Bins: []Bin{{Points: 0}}}}}
	s, err := c.Scorecard("f1")
	if err != nil || len(s.Features) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if parts := s.Score(map[string]int64{"searches": 3}).Parts; len(parts) != 1 || parts[0] != (decide.Point{Feature: "searches", Value: 3}) {
		t.Errorf("parts %v", parts)
	}
}

func TestTheDayRefusesWhatItCannotRead(t *testing.T) {
	half := Card{Features: []Scored{{Name: "a", Bins: []Bin{{}, {AtLeast: .5, Points: 1}}}}}
	if _, err := half.Scorecard("f"); err == nil || !strings.Contains(err.Error(), "0.5") {
		t.Errorf("half: %v", err)
	}
	paired := Card{Pairs: []Pair{{}}}
	if _, err := paired.Scorecard("f"); err == nil || !strings.Contains(err.Error(), "1 pairs") {
		t.Errorf("pairs: %v", err)
	}
}

// The shop's thresholds keep their meaning.
func TestAnAnchorHolds(t *testing.T) {
	rows, specs := visitors(12, 3000, 1)
	c := fitted(t, rows, specs, Options{})
	a, err := c.Anchored(40, .3)
	if err != nil {
		t.Fatal(err)
	}
	if a.Probability(40) < .3 || a.Probability(39) >= .3 {
		t.Errorf("40 points stand for %.3f, 39 for %.3f", a.Probability(40), a.Probability(39))
	}
	for _, r := range rows[:100] {
		if p, q := c.Probability(c.Points(r.X)), a.Probability(a.Points(r.X)); math.Abs(p-q) > 1e-12 {
			t.Fatalf("the anchor changed %v from %v to %v", r.X, p, q)
		}
	}
	if _, err := c.Anchored(40, .9999); err == nil {
		t.Error("a probability that nobody reaches is an anchor")
	}
}

func TestPointsNeverLowerTheProbability(t *testing.T) {
	rows, specs := visitors(13, 3000, 1)
	c := fitted(t, rows, specs, Options{})
	s := make([]float64, len(rows))
	for i, r := range rows {
		s[i] = c.odds(c.Points(r.X))
	}
	low, high := c.span()
	for _, method := range methods {
		c.Curve = bend(method, rows, s)
		for n := low; n < high; n++ {
			if p, q := c.Probability(n), c.Probability(n+1); p > q || !(p > 0) || !(q < 1) {
				t.Fatalf("%s: %d points are %v, one more is %v", method, n, p, q)
			}
		}
	}
}

func TestLabelsSayWhichValuesABinHolds(t *testing.T) {
	s := Scored{Bins: []Bin{{AtLeast: 0}, {AtLeast: 2}, {AtLeast: 7.5}}}
	for i, want := range []string{"below 2", "2 – below 7.5", "7.5 and more"} {
		if got := s.Label(i); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
