package cluster

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/batch/learn"
)

// crowd is n rows around k places, so many spreads apart.
func crowd(seed uint64, n, k, dim int, apart float64) Points {
	r, p := learn.NewRandom(seed), Points{Dim: dim}
	for i := range n {
		for j := range dim {
			p.Values = append(p.Values, apart*float64((i%k)*(j+1))+r.Normal())
		}
	}
	return p
}

// shuffled is the rows in another order; where says where each went.
func shuffled(p Points, seed uint64) (out Points, where []int) {
	where, out = learn.NewRandom(seed).Perm(p.Len()), Points{p.Dim, make([]float64, len(p.Values))}
	for i, to := range where {
		copy(out.At(to), p.At(i))
	}
	return out, where
}

func fit(t interface{ Fatal(...any) }, p Points, o Options) Result {
	r, err := Fit(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// equal compares bit by bit.
func equal(a, b Result) bool {
	same := func(x, y []float64) bool {
		return slices.EqualFunc(x, y, func(v, w float64) bool { return math.Float64bits(v) == math.Float64bits(w) })
	}
	return slices.EqualFunc(a.Centres, b.Centres, same) && same([]float64{a.Inertia}, []float64{b.Inertia}) &&
		slices.Equal(a.Sizes, b.Sizes) && slices.Equal(a.Labels, b.Labels)
}

func TestTheOrderOfRowsChangesNothing(t *testing.T) {
	for _, o := range []Options{{K: 4}, {K: 4, Standardise: true}, {K: 3, Sample: 500}} {
		p := crowd(1, 3000, 5, 3, 2)
		one := fit(t, p, o)
		for seed := range uint64(5) {
			q, where := shuffled(p, seed)
			other := fit(t, q, o)
			back := make([]int32, len(where))
			for i, to := range where {
				back[i] = other.Labels[to]
			}
			if other.Labels = back; !equal(one, other) {
				t.Fatalf("%+v: order %d gives inertia %v and sizes %v, not %v and %v", o, seed, other.Inertia, other.Sizes, one.Inertia, one.Sizes)
			}
		}
	}
}

func TestAnyNumberOfWorkersGivesTheSameBits(t *testing.T) {
	p := crowd(2, 5000, 6, 4, 1)
	one := fit(t, p, Options{K: 6})
	for _, workers := range []int{2, 3, 8, 100} {
		if other := fit(t, p, Options{K: 6, Workers: workers}); !equal(one, other) {
			t.Errorf("%d workers: inertia %v, not %v", workers, other.Inertia, one.Inertia)
		}
	}
}

func TestGroupsThatLieApartAreFound(t *testing.T) {
	r := fit(t, crowd(3, 2000, 5, 3, 20), Options{K: 5})
	for i, label := range r.Labels {
		if int(label) != i%5 {
			t.Fatalf("row %d is in %d", i, label)
		}
	}
	if !r.Settled || !slices.Equal(r.Sizes, []int64{400, 400, 400, 400, 400}) {
		t.Errorf("sizes %v", r.Sizes)
	}
}

// TestNothingBetterExistsAmongFewRows tries every partition of eight rows.
func TestNothingBetterExistsAmongFewRows(t *testing.T) {
	for seed := range uint64(20) {
		p := crowd(seed, 8, 8, 2, .5)
		for k := 1; k <= 3; k++ {
			least := math.Inf(1)
			for code := range int(math.Pow(float64(k), 8)) {
				labels := make([]int, 8)
				for i := range labels {
					labels[i], code = code%k, code/k
				}
				least = min(least, inertia(p, labels, k))
			}
			if r := fit(t, p, Options{K: k, Restarts: 50}); math.Abs(r.Inertia-least) > 1e-9 {
				t.Errorf("seed %d, k %d: %v, but %v exists", seed, k, r.Inertia, least)
			}
		}
	}
}

// inertia of a partition, by the sum over pairs: for one cluster it is that of all
// squared distances between two rows, divided by twice its size.
func inertia(p Points, labels []int, k int) (sum float64) {
	for c := range k {
		n, pairs := 0.0, 0.0
		for i, a := range labels {
			if a != c {
				continue
			}
			n++
			for j, b := range labels {
				if b == c {
					for d := range p.Dim {
						pairs += (p.At(i)[d] - p.At(j)[d]) * (p.At(i)[d] - p.At(j)[d])
					}
				}
			}
		}
		if n > 0 {
			sum += pairs / (2 * n)
		}
	}
	return sum
}

// far is the squared distance of a row from a centre.
func far(centre, row []float64) (sum float64) {
	for j, c := range centre {
		sum += (c - row[j]) * (c - row[j])
	}
	return sum
}

func TestWhatIsFoundHoldsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k, dim := rapid.IntRange(1, 5).Draw(t, "k"), rapid.IntRange(1, 3).Draw(t, "dim")
		n := rapid.IntRange(8, 60).Draw(t, "n")
		p := Points{dim, rapid.SliceOfN(rapid.Map(rapid.IntRange(-3, 12), func(v int) float64 { return float64(v) }), n*dim, n*dim).Draw(t, "values")}
		r, err := Fit(p, Options{K: k, Restarts: 2})
		rows, _, _ := p.distinct()
		if (err != nil) != (rows.Len() < k) {
			t.Fatalf("%d distinct rows, k %d: %v", rows.Len(), k, err)
		}
		if err != nil {
			return
		}
		labels := make([]int, n)
		for i, l := range r.Labels {
			own, best := far(r.Centres[l], p.At(i)), far(r.Centres[Nearest(r.Centres, p.At(i))], p.At(i))
			if labels[i] = int(l); own > best*(1+1e-9) { // as near to two is in either
				t.Fatalf("row %d is in %d, %v away, and the nearest centre is %v away", i, l, own, best)
			}
		}
		if want := inertia(p, labels, k); math.Abs(r.Inertia-want) > 1e-9*(1+want) || slices.Contains(r.Sizes, 0) {
			t.Fatalf("inertia %v, by pairs %v; sizes %v", r.Inertia, want, r.Sizes)
		}
	})
}

func TestStandardRowsHaveMeanZeroAndSpreadOne(t *testing.T) {
	p := crowd(5, 400, 3, 3, 1)
	for i := range p.Len() {
		p.At(i)[0], p.At(i)[2] = 1000*p.At(i)[0]+5, 7
	}
	one := fit(t, p, Options{K: 1, Standardise: true})
	if math.Abs(one.Inertia-2*400) > 1e-6 || math.Abs(one.Scale.Undo(one.Centres[0])[2]-7) > 1e-12 {
		t.Errorf("two columns that differ among 400 rows give %v; the third is %v", one.Inertia, one.Scale.Undo(one.Centres[0]))
	}
}

func TestRowsThatCannotBeGroupedAreNamed(t *testing.T) {
	for name, c := range map[string]struct {
		p Points
		k int
	}{
		"too few":       {Points{1, []float64{1, 1, 1, 2}}, 3},
		"no k":          {Points{1, []float64{1}}, 0},
		"no number":     {Points{1, []float64{1, math.NaN()}}, 1},
		"no end":        {Points{1, []float64{1, math.Inf(1)}}, 1},
		"half a row":    {Points{2, []float64{1, 2, 3}}, 1},
		"no dimensions": {Points{0, []float64{1}}, 1},
	} {
		if _, err := Fit(c.p, Options{K: c.k}); err == nil {
			t.Errorf("%s: was grouped", name)
		}
	}
}
