package offpolicy

import (
	"math"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
)

// estimator is Σa/Σb over samples; a mean has b = 1.
type estimator struct {
	name string
	term func(Sample) (a, b float64)
}

// moments of one estimator over a set of samples.
type moments struct{ n, a, b, aa, ab, bb float64 }

func (m *moments) add(a, b float64) {
	m.n, m.a, m.b = m.n+1, m.a+a, m.b+b
	m.aa, m.ab, m.bb = m.aa+a*a, m.ab+a*b, m.bb+b*b
}

// ratio is Σa/Σb and its standard error by linearisation: √Σ(a − vb)² / Σb.
func (m moments) ratio() (v, se float64) {
	if m.b == 0 {
		return 0, 0
	}
	v = m.a / m.b
	return v, math.Sqrt(max(0, m.aa-2*v*m.ab+v*v*m.bb)) / m.b
}

// bootstrap gives values, standard errors and bootstrap-t intervals (Efron and Tibshirani,
// An Introduction to the Bootstrap, 1993, ch. 12.5): weighted rewards are skewed, and unlike
// normal or percentile intervals these follow the skew on the side where it is dangerous.
// All estimators see the same resamples; each resample has its own stream of the seed.
func bootstrap(samples []Sample, list []estimator, o Options) []Value {
	n := len(samples)
	a, b := make([][]float64, len(list)), make([][]float64, len(list))
	out, t := make([]Value, len(list)), make([][]float64, len(list))
	for k, e := range list {
		a[k], b[k], t[k] = make([]float64, n), make([]float64, n), make([]float64, 0, o.Draws)
		var m moments
		for i, s := range samples {
			a[k][i], b[k][i] = e.term(s)
			m.add(a[k][i], b[k][i])
		}
		out[k].Name = e.name
		out[k].Value, out[k].SE = m.ratio()
	}
	for d := range o.Draws {
		r, m := learn.NewRandom(o.Seed, uint64(d)), make([]moments, len(list))
		for range n {
			i := r.IntN(n)
			for k := range list {
				m[k].add(a[k][i], b[k][i])
			}
		}
		for k := range list {
			if v, se := m[k].ratio(); se > 0 {
				t[k] = append(t[k], (v-out[k].Value)/se)
			} else {
				t[k] = append(t[k], math.Inf(-1)) // a resample without any reward: it could be more
			}
		}
	}
	for k := range out {
		out[k].interval(t[k], o.Level)
	}
	return out
}

// interval turns resampled t into [v − t_high·se, v − t_low·se].
func (v *Value) interval(t []float64, level float64) {
	slices.Sort(t)
	tail := (1 - level) / 2 * float64(len(t)-1)
	low, high := t[int(math.Floor(tail))], t[len(t)-1-int(math.Floor(tail))]
	v.Low, v.High = v.Value-high*v.SE, v.Value-low*v.SE
}
