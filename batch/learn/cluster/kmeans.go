package cluster

import (
	"fmt"
	"math"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// Options say how to look. Zero values take what stands beside them.
type Options struct {
	K           int
	Standardise bool   // bring each dimension to mean 0 and spread 1 first
	Restarts    int    // 10: the best of so many seedings
	Rounds      int    // 300: of Lloyd's iteration at most
	Seed        uint64 // of the draws
	Sample      int    // 50,000: restarts see every n-th of more distinct rows than this; the best then goes over all
	Workers     int    // 1: goroutines; the answer is the same with any number
}

func (o Options) filled() Options {
	for _, d := range []struct {
		at    *int
		value int
	}{{&o.Restarts, 10}, {&o.Rounds, 300}, {&o.Sample, 50_000}, {&o.Workers, 1}} {
		if *d.at < 1 {
			*d.at = d.value
		}
	}
	return o
}

// Result is what was found. Clusters are in the order of their centres, compared
// number by number, so that equal rows give equal names.
type Result struct {
	Centres [][]float64 // k rows, standardised if that was asked for
	Sizes   []int64     // rows in each
	Labels  []int32     // of each row, in the order it was given; 0 to k-1
	Inertia float64     // sum of squared distances to the nearest centre
	Rounds  int         // that the last descent took
	Settled bool        // it ended because nothing moved any more
	Scale   Scale       // of the dimensions; empty unless standardised
}

// Fit looks for k centres that are near all rows: Lloyd's iteration (S. P. Lloyd,
// IEEE Trans. Inf. Theory 28, 1982) from seeds drawn by greedy k-means++ (Arthur and
// Vassilvitskii, SODA 2007), the best of several. Fewer distinct rows than k are an
// error, and so is a number that is none.
func Fit(p Points, o Options) (Result, error) {
	o = o.filled()
	if err := p.check(); err != nil {
		return Result{}, err
	}
	rows, weight, at := p.distinct()
	if o.K < 1 || len(weight) < o.K {
		return Result{}, fmt.Errorf("clustering: want 1 or more clusters, and no more than the %d distinct rows; got %d", len(weight), o.K)
	}
	var scale Scale
	if o.Standardise {
		rows, scale = rows.standardise(weight)
	}
	d := descent{rows, weight, o}
	best := d.thinned().best()
	if len(weight) > o.Sample {
		best = d.descend(best.centres)
	}
	return best.result(scale, at, weight), nil
}

// Nearest is the centre that is nearest to a row, the first of equally near ones.
func Nearest(centres [][]float64, row []float64) int32 {
	near, least := 0, math.Inf(1)
	for c, centre := range centres {
		if d := distance(centre, row); d < least {
			near, least = c, d
		}
	}
	return int32(near)
}

// distance is squared and Euclidean. The conversion keeps compilers from fusing
// multiplication and addition, which some machines do and others do not.
func distance(a, b []float64) (sum float64) {
	for j, v := range a {
		sum += float64((v - b[j]) * (v - b[j]))
	}
	return sum
}

// descent is the rows that centres are looked for in.
type descent struct {
	rows   Points
	weight []float64
	o      Options
}

// thinned is every n-th row if there are more than the sample holds.
func (d descent) thinned() descent {
	every := (len(d.weight) + d.o.Sample - 1) / d.o.Sample
	if every < 2 {
		return d
	}
	out := descent{rows: Points{Dim: d.rows.Dim}, o: d.o}
	for i := 0; i < len(d.weight); i += every {
		out.rows.Values = append(out.rows.Values, d.rows.At(i)...)
		out.weight = append(out.weight, d.weight[i])
	}
	return out
}

// best is the lowest of several descents; the first of equally low ones.
func (d descent) best() (best found) {
	for restart := range d.o.Restarts {
		f := d.descend(d.seed(learn.NewRandom(d.o.Seed, uint64(restart))))
		if restart == 0 || f.inertia < best.inertia {
			best = f
		}
	}
	return best
}

// seed draws k centres: each next one by its squared distance to those that are
// there, the best of 2 + ln k draws.
func (d descent) seed(r *learn.Random) [][]float64 {
	gap := slices.Repeat([]float64{math.Inf(1)}, len(d.weight))
	chance := slices.Clone(d.weight) // the first by weight alone
	var centres [][]float64
	for len(centres) < d.o.K {
		least, chosen := math.Inf(1), 0
		for range 2 + int(math.Log(float64(d.o.K))) {
			i := draw(chance, r)
			if left := d.left(gap, d.rows.At(i)); left < least {
				least, chosen = left, i
			}
		}
		centres = append(centres, slices.Clone(d.rows.At(chosen)))
		for i, w := range d.weight {
			gap[i] = min(gap[i], distance(d.rows.At(i), d.rows.At(chosen)))
			chance[i] = float64(w * gap[i])
		}
	}
	return centres
}

// draw picks a place by weight; none weighs less than 0 and one more.
func draw(weight []float64, r *learn.Random) int {
	var total float64
	for _, w := range weight {
		total += w
	}
	left, last := r.Float64()*total, 0
	for i, w := range weight {
		if w <= 0 {
			continue
		}
		last = i
		if left -= w; left < 0 {
			return i
		}
	}
	return last
}

// left is the inertia if one more centre were there.
func (d descent) left(gap, centre []float64) (sum float64) {
	for i, w := range d.weight {
		sum += float64(w * min(gap[i], distance(d.rows.At(i), centre)))
	}
	return sum
}
