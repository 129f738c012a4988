package need

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/mat"
)

// Curve turns points into a probability. It never falls.
type Curve struct {
	Method string    `json:"method"`           // platt | beta | isotonic
	A      []float64 `json:"a,omitempty"`      // platt: log odds = a₀ + a₁ s; beta: a₀ + a₁ ln q − a₂ ln(1−q), q = sigmoid(s)
	Points []float64 `json:"points,omitempty"` // isotonic: s in the middle of those with a share; straight in between
	Shares []float64 `json:"shares,omitempty"`
}

// The methods: Platt, Advances in Large Margin Classifiers, 1999; Kull, Silva Filho, Flach,
// AISTATS 2017 (beta); Zadrozny, Elkan, KDD 2002 (isotonic, by pooled adjacent violators).
var methods = []string{"platt", "beta", "isotonic"}

// shift is Platt's curve with a slope of 1: the card's own odds, at another base rate.
const shift = "shift"

// shifted moves log odds so that as many outcomes are expected as there were.
func shifted(rows []Row, s []float64) Curve {
	low, high := -40.0, 40.0
	for range 60 {
		expected, yes, middle := 0.0, 0.0, (low+high)/2
		for i, r := range rows {
			expected, yes = expected+r.weight()*sigmoid(middle+s[i]), yes+r.weight()*one(r.Y)
		}
		if expected < yes {
			low = middle
		} else {
			high = middle
		}
	}
	return Curve{Method: "platt", A: []float64{(low + high) / 2, 1}}
}

// at gives the probability of log odds s.
func (c Curve) at(s float64) float64 {
	switch c.Method {
	case "isotonic":
		return c.between(s)
	case "beta":
		return sigmoid(c.A[0] + c.A[1]*-softplus(-s) + c.A[2]*softplus(s))
	}
	return sigmoid(c.A[0] + c.A[1]*s)
}

// between runs straight from one point to the next, and on as it was beyond the ends.
func (c Curve) between(s float64) float64 {
	i := sort.Search(len(c.Points), func(i int) bool { return c.Points[i] > s })
	if i == 0 || i == len(c.Points) {
		return c.Shares[min(i, len(c.Shares)-1)]
	}
	part := (s - c.Points[i-1]) / (c.Points[i] - c.Points[i-1])
	return c.Shares[i-1] + part*(c.Shares[i]-c.Shares[i-1])
}

func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// bend fits a curve to log odds that were found without the row itself.
func bend(method string, rows []Row, s []float64) Curve {
	rows, s = merged(rows, s)
	switch method {
	case "isotonic":
		return isotonic(rows, s)
	case shift:
		return shifted(rows, s)
	case "beta":
		if c := linear(method, rows, s, func(s float64) []float64 { return []float64{-softplus(-s), softplus(s)} }); c.A[1] >= 0 && c.A[2] >= 0 {
			return c
		}
	}
	return linear("platt", rows, s, func(s float64) []float64 { return []float64{s} })
}

// merged makes rows of equal log odds and outcome one: points are whole, and few differ.
func merged(rows []Row, s []float64) (out []Row, at []float64) {
	type key struct {
		s float64
		y bool
	}
	known := map[key]int{}
	for i, r := range rows {
		n, ok := known[key{s[i], r.Y}]
		if !ok && r.weight() > 0 {
			n = len(out)
			known[key{s[i], r.Y}] = n
			out, at = append(out, Row{Y: r.Y}), append(at, s[i])
		}
		out[n].Weight += r.weight()
	}
	return out, at
}

// linear fits a logistic regression on what columns gives. A slope under 0 would turn the
// order round: then there is none.
func linear(method string, rows []Row, s []float64, columns func(float64) []float64) Curve {
	x := make([][]float64, len(rows))
	for i := range rows {
		x[i] = append([]float64{1}, columns(s[i])...)
	}
	a := regress(x, rows, 1e-6)
	if method == "platt" && a[1] < 0 {
		a = append(regress(ones(len(rows)), rows, 0), 0)
	}
	return Curve{Method: method, A: a}
}

func ones(n int) [][]float64 {
	x := make([][]float64, n)
	for i := range x {
		x[i] = []float64{1}
	}
	return x
}

// regress is logistic regression with a ridge on all columns but the first.
func regress(x [][]float64, rows []Row, ridge float64) []float64 {
	m := len(x[0])
	a := make([]float64, m)
	for range 50 {
		h, g := mat.NewSymDense(m, nil), mat.NewVecDense(m, nil)
		for i, v := range x {
			p, w := sigmoid(dot(a, v)), rows[i].weight()
			for k := range m {
				g.SetVec(k, g.AtVec(k)+w*v[k]*(one(rows[i].Y)-p))
				for l := k; l < m; l++ {
					h.SetSym(k, l, h.At(k, l)+w*max(p*(1-p), 1e-9)*v[k]*v[l])
				}
			}
		}
		for k := 1; k < m; k++ {
			h.SetSym(k, k, h.At(k, k)+ridge)
			g.SetVec(k, g.AtVec(k)-ridge*a[k])
		}
		var chol mat.Cholesky
		var step mat.VecDense
		if !chol.Factorize(h) || chol.SolveVecTo(&step, g) != nil {
			return a
		}
		most := 0.0
		for k := range a {
			a[k] += min(max(step.AtVec(k), -5), 5)
			most = max(most, math.Abs(step.AtVec(k)))
		}
		if most < 1e-9 {
			break
		}
	}
	return a
}

func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
