package decide_test

import (
	"reflect"
	"testing"

	"github.com/handschlag/handschlag/decide"
	"pgregory.net/rapid"
)

var card = decide.Scorecard{Version: "1", Base: 2, Features: []decide.Feature{
	{Name: "searches", Bins: []decide.Bin{{AtLeast: 2, Points: 5}, {AtLeast: 4, Points: 9}}},
	{Name: "orders", Bins: []decide.Bin{{AtLeast: 1, Points: -7}}},
	{Name: "hour_band", Bins: []decide.Bin{{AtLeast: -1, Points: 1}, {AtLeast: 0, Points: 0}}},
}}

func TestScore(t *testing.T) {
	for name, c := range map[string]struct {
		features map[string]int64
		total    int64
		parts    []decide.Point
	}{
		"nothing known is the base":          {nil, 2, []decide.Point{}},
		"below the first bin earns nothing":  {map[string]int64{"searches": 1}, 2, []decide.Point{}},
		"a bin begins at its bound":          {map[string]int64{"searches": 2}, 7, []decide.Point{{"searches", 2, 5}}},
		"the highest bin reached counts":     {map[string]int64{"searches": 99}, 11, []decide.Point{{"searches", 99, 9}}},
		"points may be taken away, in order": {map[string]int64{"orders": 1, "searches": 3}, 0, []decide.Point{{"searches", 3, 5}, {"orders", 1, -7}}},
		"negative values have bins too":      {map[string]int64{"hour_band": -1}, 3, []decide.Point{{"hour_band", -1, 1}}},
		"what the card does not name is not": {map[string]int64{"device": 5}, 2, []decide.Point{}},
	} {
		t.Run(name, func(t *testing.T) {
			want := decide.Score{Version: "1", Total: c.total, Parts: c.parts}
			if got := card.Score(c.features); !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestTheTotalIsBasePlusPartsAndNeverAboveTheHighest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		card := rapid.SampledFrom([]decide.Scorecard{card, card.Sign("f1")}).Draw(t, "card")
		s := card.Score(rapid.MapOf(rapid.SampledFrom([]string{"searches", "orders", "hour_band"}), rapid.Int64()).Draw(t, "features"))
		sum := card.Base
		for _, p := range s.Parts {
			sum += p.Points
		}
		if sum != s.Total || s.Total > card.Highest() {
			t.Fatalf("%+v, highest %d", s, card.Highest())
		}
	})
}

// The night learns from records, so a signed scorecard keeps what it saw there.
func TestASignedScorecardKeepsWhatEarnedNothing(t *testing.T) {
	features := map[string]int64{"searches": 1, "orders": 1, "hour_band": 0}
	if got := card.Score(features).Parts; !reflect.DeepEqual(got, []decide.Point{{"orders", 1, -7}}) {
		t.Errorf("unsigned: %v", got)
	}
	if got := card.Sign("f1").Score(features).Parts; !reflect.DeepEqual(got, []decide.Point{{"searches", 1, 0}, {"orders", 1, -7}}) {
		t.Errorf("signed: %v", got)
	}
}

func TestAScorecardIsRefusedWhereItDoesNotFit(t *testing.T) {
	signed := card.Sign("f1")
	if err := signed.Fits("f1"); err != nil {
		t.Errorf("as signed: %v", err)
	}
	moved, swapped, cheaper := signed, signed, signed
	moved.FeaturesVersion, swapped.Version = "f2", "1"
	cheaper.Base--
	for name, c := range map[string]decide.Scorecard{"unsigned": card, "another catalogue": card.Sign("f2"), "catalogue exchanged": moved, "version exchanged": swapped, "points changed": cheaper} {
		if c.Fits("f1") == nil {
			t.Errorf("%s: fits", name)
		}
	}
	if moved.Fits("f2") == nil {
		t.Error("a scorecard whose catalogue was exchanged after signing fits that one")
	}
}

// What records before signing name must keep its digest.
func TestAnUnsignedScorecardReadsAsBefore(t *testing.T) {
	b, err := decide.Canonical(decide.Scorecard{Version: "1"})
	if want := `{"base":0,"features":null,"version":"1"}`; err != nil || string(b) != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
}

func TestDigestsNameContent(t *testing.T) {
	other := card
	other.Base++
	if card.Digest() == other.Digest() || len(card.Digest()) != 64 {
		t.Errorf("%s and %s", card.Digest(), other.Digest())
	}
	a := decide.Weights{Version: "1", Slots: map[string]map[string]map[string]int64{"s": {"": {"a": 1, "b": 999_999}}}}
	b := decide.Weights{Version: "1", Slots: map[string]map[string]map[string]int64{"s": {"": {"b": 999_999, "a": 1}}}}
	if a.Digest() != b.Digest() || len(a.Digest()) != 64 {
		t.Errorf("%s and %s", a.Digest(), b.Digest())
	}
}

func TestWeightsValidate(t *testing.T) {
	slots := func(everybody map[string]int64) map[string]map[string]map[string]int64 {
		return map[string]map[string]map[string]int64{"home_hero": {"": everybody}}
	}
	for name, c := range map[string]struct {
		slots map[string]map[string]map[string]int64
		floor int64
		ok    bool
	}{
		"an even share is valid":           {slots(decide.Uniform([]string{"a", "b", "c"})), 10_000, true},
		"one part missing is not":          {slots(map[string]int64{"a": 500_000, "b": 499_999}), 0, false},
		"one part too many is not":         {slots(map[string]int64{"a": 500_000, "b": 500_001}), 0, false},
		"below the floor is not":           {slots(map[string]int64{"a": 999_000, "b": 1000}), 10_000, false},
		"at the floor is":                  {slots(map[string]int64{"a": 990_000, "b": 10_000}), 10_000, true},
		"a negative share is not":          {slots(map[string]int64{"a": 1_000_001, "b": -1}), 0, false},
		"no variants are not":              {slots(map[string]int64{}), 0, false},
		"none for everybody is not":        {map[string]map[string]map[string]int64{"s": {"loyal": {"a": 1_000_000}}}, 0, false},
		"no slots at all are fine, unused": {nil, 10_000, true},
	} {
		t.Run(name, func(t *testing.T) {
			if err := (decide.Weights{Slots: c.slots}).Validate(c.floor); (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWeightsForASegmentFallBackToEverybody(t *testing.T) {
	w := decide.Weights{Slots: map[string]map[string]map[string]int64{"s": {"": {"a": 1}, "loyal": {"b": 1}}}}
	for segment, want := range map[string]string{"loyal": "b", "new": "a", "": "a"} {
		if _, ok := w.For("s", segment)[want]; !ok {
			t.Errorf("segment %q got %v", segment, w.For("s", segment))
		}
	}
	if w.For("other", "") != nil {
		t.Error("a slot without weights has some")
	}
}
