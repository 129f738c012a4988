package need

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// visitors are drawn with known log odds: searches raise them in steps, an order ends the need, the
// hour says nothing, and the channel has names.
func visitors(seed uint64, n int, strength float64) ([]Row, []Feature) {
	r, rows := learn.NewRandom(seed), make([]Row, n)
	for i := range rows {
		searches, orders, hour, channel := float64(r.IntN(8)), float64(r.IntN(3)/2), float64(r.IntN(5)-1), float64(r.IntN(3))
		x := -2 + strength*(min(searches, 4)/2-2*orders+[]float64{0, 1, -1}[int(channel)])
		rows[i] = Row{X: []float64{searches, orders, hour, channel}, Y: r.Float64() < sigmoid(x)}
	}
	return rows, []Feature{
		{Name: "searches", Shape: Rising}, {Name: "orders", Shape: Falling}, {Name: "hour_band"}, {Name: "channel", Shape: Named, Levels: []string{"mail", "search", "advert"}},
	}
}

func fitted(t *testing.T, rows []Row, specs []Feature, o Options) Card {
	t.Helper()
	c, err := Fit(t.Context(), rows, specs, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheCardFindsTheTruth(t *testing.T) {
	rows, specs := visitors(1, 20_000, 1)
	c := fitted(t, rows, specs, Options{})
	at := func(feature int, x float64) float64 {
		return float64(c.Features[feature].Bins[c.Features[feature].bin(x)].Points) * math.Ln2 / 10
	}
	for _, k := range []struct{ feature, x, want float64 }{
		{0, 2, 1}, {0, 4, 2}, {0, 7, 2}, {1, 1, -2}, {2, -1, 0}, {2, 3, 0}, {3, 1, 1}, {3, 2, -1},
	} {
		if got := at(int(k.feature), k.x); math.Abs(got-k.want) > .3 {
			t.Errorf("%s = %v earns %.2f, want %.2f", specs[int(k.feature)].Name, k.x, got, k.want)
		}
	}
	for _, r := range rows[:200] {
		truth := sigmoid(-2 + min(r.X[0], 4)/2 - 2*r.X[1] + []float64{0, 1, -1}[int(r.X[3])])
		if p := c.Probability(c.Points(r.X)); math.Abs(p-truth) > .08 {
			t.Fatalf("%v: probability %.3f, truth %.3f", r.X, p, truth)
		}
	}
}

func TestTheOrderOfRowsDoesNotMatter(t *testing.T) {
	rows, specs := visitors(2, 1500, 1)
	for i := range rows {
		rows[i].Group, rows[i].Weight = uint64(i%700), 1+float64(i%3)
	}
	a := fitted(t, rows, specs, Options{Pairs: 2})
	for seed := range uint64(3) {
		shuffled := make([]Row, 0, len(rows))
		for _, i := range learn.NewRandom(seed).Perm(len(rows)) {
			shuffled = append(shuffled, rows[i])
		}
		if b := fitted(t, shuffled, specs, Options{Pairs: 2}); fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
			t.Fatalf("another order gives another card:\n%+v\n%+v", a, b)
		}
	}
}

// On noise alone, a free fit would go up and down.
func TestNoBinBreaksItsShape(t *testing.T) {
	for seed := range uint64(5) {
		r, rows := learn.NewRandom(seed), make([]Row, 2000)
		for i := range rows {
			x := []float64{float64(r.IntN(30)), float64(r.IntN(30)), float64(r.IntN(2))}
			rows[i] = Row{X: x, Y: r.Float64() < sigmoid(2*x[2]-1+math.Sin(x[0])+math.Sin(x[1]))}
		}
		specs := []Feature{{Name: "up", Shape: Rising}, {Name: "down", Shape: Falling}, {Name: "signal"}}
		c := fitted(t, rows, specs, Options{Bins: []int{20}, Penalties: []float64{.01}})
		points := func(j int) (out []int64) {
			for _, b := range c.Features[j].Bins {
				out = append(out, b.Points)
			}
			return out
		}
		up, down := points(0), points(1)
		slices.Reverse(down)
		if !slices.IsSorted(up) || !slices.IsSorted(down) {
			t.Errorf("seed %d: up %v, down (reversed) %v", seed, up, down)
		}
	}
}

func TestTooFewPositivesAreNoCard(t *testing.T) {
	rows, specs := visitors(3, 2000, 1)
	yes := 0
	for i := range rows {
		if yes++; yes > 49 {
			rows[i].Y = false
		}
	}
	_, err := Fit(t.Context(), rows, specs, Options{})
	var unknown *Unknown
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "don't know") || unknown.Rows != 2000 {
		t.Errorf("got %v", err)
	}
}

// Where the features say nothing, at most 5 % of fits claim a card.
func TestNoiseIsNoCard(t *testing.T) {
	claims := 0
	const fits = 60
	for seed := range uint64(fits) {
		rows, specs := visitors(100+seed, 800, 0)
		for i := range rows {
			rows[i].Y = learn.NewRandom(seed, uint64(i)).Float64() < .2
		}
		if _, err := Fit(t.Context(), rows, specs, Options{Bins: []int{6}, Penalties: []float64{300, 30, 3, .3}}); err == nil {
			claims++
		} else if !errors.As(err, new(*Unknown)) {
			t.Fatal(err)
		}
	}
	if claims > fits*5/100 {
		t.Errorf("%d of %d fits on noise claim a card", claims, fits)
	}
}

// A claim that rests on a few persons is none, however many rows they left.
func TestRowsOfOnePersonCountOnce(t *testing.T) {
	rows, specs := visitors(5, 40, 0)
	var many []Row
	for g, r := range rows {
		for range 100 {
			r.Group = uint64(g + 1)
			many = append(many, r)
		}
	}
	if _, err := Fit(t.Context(), many, specs, Options{}); !errors.As(err, new(*Unknown)) {
		t.Errorf("40 persons without a pattern, 100 rows each: %v", err)
	}
}

func TestBadRowsAreNamed(t *testing.T) {
	rows, specs := visitors(6, 200, 1)
	for want, change := range map[string]func(r *Row){
		`row 7: feature "searches" is NaN`:             func(r *Row) { r.X[0] = math.NaN() },
		`row 7: it has 3 features, and 4 are`:          func(r *Row) { r.X = r.X[:3] },
		`row 7: its weight is -1`:                      func(r *Row) { r.Weight = -1 },
		`row 7: feature "channel" is 3, and its names`: func(r *Row) { r.X[3] = 3 },
	} {
		bad := slices.Clone(rows)
		bad[7].X = slices.Clone(bad[7].X)
		change(&bad[7])
		if _, err := Fit(t.Context(), bad, specs, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := Fit(t.Context(), rows, append(slices.Clone(specs[:3]), specs[0]), Options{}); err == nil {
		t.Error("a feature twice is taken")
	}
}
