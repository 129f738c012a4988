package need

import "gonum.org/v1/gonum/mat"

// side is the sign that a variable may have.
type side int8

const (
	either side = iota
	up          // 0 or more
	down        // 0 or less
	zero        // 0
)

// quadratic minimises ½ bᵀGb − cᵀb over b of the right signs, for a positive definite G,
// by block principal pivoting (Portugal, Júdice, Vicente, Mathematics of Computation 63, 1994;
// Kim, Park, SIAM Journal on Scientific Computing 33, 2011): solve without the signs of some, swap those
// that are then wrong, all at once while that helps, else the last one alone, which always ends.
func quadratic(g [][]float64, c []float64, sign []side) []float64 {
	free := make([]bool, len(c))
	for k, s := range sign {
		free[k] = s != zero
	}
	fewest, patience := len(c)+1, 3
	var b []float64
	for range 100 + 10*len(c) {
		b = among(g, c, free)
		wrong := violated(g, c, b, sign, free)
		if len(wrong) == 0 {
			return b
		}
		switch {
		case len(wrong) < fewest:
			fewest, patience = len(wrong), 3
		case patience > 0:
			patience--
		default:
			wrong = wrong[len(wrong)-1:]
		}
		for _, k := range wrong {
			free[k] = !free[k]
		}
	}
	for k, s := range sign { // never seen: better a feasible answer than none
		if s == up && b[k] < 0 || s == down && b[k] > 0 {
			b[k] = 0
		}
	}
	return b
}

// violated names what has the wrong sign, or is held at 0 though it should not be.
func violated(g [][]float64, c, b []float64, sign []side, free []bool) (wrong []int) {
	const tolerance = 1e-9
	for k, s := range sign {
		if s != up && s != down {
			continue
		}
		x := b[k]
		if !free[k] {
			x = dot(g[k], b) - c[k] // the slope: it would move against it
		}
		if s == down {
			x = -x
		}
		if x < -tolerance {
			wrong = append(wrong, k)
		}
	}
	return wrong
}

// among solves for the free variables, with the others at 0.
func among(g [][]float64, c []float64, free []bool) []float64 {
	var at []int
	for k, f := range free {
		if f {
			at = append(at, k)
		}
	}
	b := make([]float64, len(c))
	if len(at) == 0 {
		return b
	}
	a, rhs := mat.NewSymDense(len(at), nil), mat.NewVecDense(len(at), nil)
	for i, k := range at {
		rhs.SetVec(i, c[k])
		for j, l := range at[i:] {
			a.SetSym(i, i+j, g[k][l])
		}
	}
	var chol mat.Cholesky
	var x mat.VecDense
	if !chol.Factorize(a) || chol.SolveVecTo(&x, rhs) != nil {
		return b
	}
	for i, k := range at {
		b[k] = x.AtVec(i)
	}
	return b
}
