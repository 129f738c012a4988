package variant

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// fit is the hierarchical model of one slot. With θ the mean rewards of the variants for
// everybody, d_s what a segment adds and y_s its observed means,
//
//	θ   ~ N(c, A),  A = wide·11' + Σ_f τ_f² K_f + τ_v² I     factors, and each variant alone
//	d_s ~ N(0, G),  G = γ_l² 11' + γ_f² Σ_f K_f + γ_v² I     the same, by segment
//	y_s ~ N(θ + d_s, D_s),  D_s = σ_s²/n                     on the variants seen
//
// Gaussian, hence closed form given the variances (Gelman et al., Bayesian Data Analysis,
// 3rd ed., ch. 5 and 15). With W_s = (G+D_s)⁻¹ on the variants seen, the posterior of θ
// has covariance M = (A⁻¹ + ΣW_s)⁻¹: every matrix has the size of the slot, so the work
// grows with the number of segments and not with its cube.
//
// The variances are those of the greatest marginal likelihood times a Gamma(2, 1/scale)
// prior on each τ, which keeps them off 0 and off infinity where the levels are few (Chung,
// Rabe-Hesketh, Dorie, Gelman, Liu, Psychometrika 78, 2013), found by the MM algorithm of
// Zhou, Hu, Qiao, Cho, Zhou (J. Comput. Graph. Stat. 28, 2019), eq. 5, which cannot overshoot.
type fit struct {
	groups []*group
	centre float64
	scale  float64 // of the prior on each τ: a twentieth of the reward's standard deviation
	wide   float64 // variance of the intercept
	names  []string
	common []*mat.SymDense
	own    []*mat.SymDense // of segments; none if there is but one group
	tau    []float64       // variances of common
	gamma  []float64       // variances of own
	y, d   [][]float64     // by group: means less the centre, and their sampling variances; 0 where nothing was seen

	// of the last expectation step
	w     []*mat.SymDense // by group
	g, m  *mat.SymDense
	theta *mat.VecDense
}

const (
	fitSteps = 100  // of three
	fitTight = 1e-4 // relative change of every standard deviation
	leapMost = 64   // lengths of a step
	fewUnits = 100  // weight of the common variance in a segment's own
)

func newFit(slot Slot, gs []*group) *fit {
	f := &fit{groups: gs}
	f.names, f.common = kernels(slot)
	if len(gs) > 1 {
		n := len(slot.Variants)
		level, factors := mat.NewSymDense(n, nil), mat.NewSymDense(n, nil)
		for i := range n {
			for j := range i + 1 {
				level.SetSym(i, j, 1)
			}
		}
		for _, k := range f.common[:len(f.common)-1] {
			factors.AddSym(factors, k)
		}
		f.own = []*mat.SymDense{level, f.common[len(f.common)-1]}
		if len(f.common) > 1 {
			f.own = append(f.own, factors)
		}
	}
	f.noise()
	return f
}

// run takes MM steps until the standard deviations stand still, in threes: two plain ones,
// then one from where they seem to lead (SQUAREM, scheme S3; Varadhan and Roland, Scand. J.
// Stat. 35, 2008), on the logarithms.
func (f *fit) run() error {
	for range fitSteps {
		var x [3][]float64
		for k := range x {
			x[k] = f.logs()
			change, err := f.once()
			if err != nil {
				return err
			}
			if change < fitTight {
				return f.expect()
			}
		}
		f.leap(x)
	}
	return f.expect()
}

func (f *fit) once() (float64, error) {
	if err := f.expect(); err != nil {
		return 0, err
	}
	return f.move(), nil
}

// logs are the logarithms of all variances.
func (f *fit) logs() []float64 {
	out := make([]float64, 0, len(f.tau)+len(f.gamma))
	for _, v := range slices.Concat(f.tau, f.gamma) {
		out = append(out, math.Log(v))
	}
	return out
}

// leap goes from x₀ to x₀ − 2αr + α²v, r the first step, v the change of the steps.
func (f *fit) leap(x [3][]float64) {
	var rr, vv float64
	for i := range x[0] {
		r, v := x[1][i]-x[0][i], x[2][i]-2*x[1][i]+x[0][i]
		rr, vv = rr+r*r, vv+v*v
	}
	if vv == 0 {
		return
	}
	alpha := max(-leapMost, min(-1, -math.Sqrt(rr/vv)))
	for i := range x[0] {
		r, v := x[1][i]-x[0][i], x[2][i]-2*x[1][i]+x[0][i]
		to := x[0][i] - 2*alpha*r + alpha*alpha*v
		to = max(x[2][i]-3, min(x[2][i]+3, to)) // at most a factor of 20
		if i < len(f.tau) {
			f.tau[i] = math.Exp(to)
		} else {
			f.gamma[i-len(f.tau)] = math.Exp(to)
		}
	}
}

// expect computes W, A, G, M and the posterior mean of θ for the variances of now.
func (f *fit) expect() error {
	n := len(f.groups[0].n)
	a := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			a.SetSym(i, j, f.wide)
		}
	}
	addScaled(a, f.common, f.tau)
	g := mat.NewSymDense(n, nil)
	addScaled(g, f.own, f.gamma)
	inverse, err := invert(a)
	if err != nil {
		return err
	}
	b := mat.NewVecDense(n, nil)
	f.w, f.g, f.theta = make([]*mat.SymDense, len(f.groups)), g, mat.NewVecDense(n, nil)
	for s := range f.groups {
		if f.w[s], err = seen(g, f.d[s]); err != nil {
			return err
		}
		inverse.AddSym(inverse, f.w[s])
		b.AddVec(b, times(f.w[s], mat.NewVecDense(n, f.y[s])))
	}
	if f.m, err = invert(inverse); err != nil {
		return err
	}
	f.theta.MulVec(f.m, b)
	return nil
}

// move takes one MM step and gives the greatest relative change of a standard deviation.
func (f *fit) move() float64 {
	n := len(f.groups[0].n)
	p, e := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	q, t := make([]float64, len(f.own)), make([]float64, len(f.own))
	for s, w := range f.w {
		var rest mat.VecDense
		rest.SubVec(mat.NewVecDense(n, f.y[s]), f.theta)
		es := times(w, &rest)
		e.AddVec(e, es)
		p.AddSym(p, w)
		if len(f.own) > 0 {
			left := less(w, f.m, false)
			for i, k := range f.own {
				q[i], t[i] = q[i]+mat.Inner(es, k, es), t[i]+dot(left, k)
			}
		}
	}
	left, change := less(p, f.m, len(f.own) == 0), 0.0
	for i, k := range f.common {
		change = max(change, f.step(&f.tau[i], mat.Inner(e, k, e), dot(left, k)))
	}
	for i := range f.own {
		change = max(change, f.step(&f.gamma[i], q[i], t[i]))
	}
	return change
}

// step moves one variance x: it maximises −t·x/2 − x₀²q/(2x) + log(x)/2 − √x/scale, with the
// last term replaced by its tangent, which lies below.
func (f *fit) step(x *float64, q, t float64) float64 {
	old := *x
	t += 1 / (f.scale * math.Sqrt(old))
	*x = (1 + math.Sqrt(1+4*t*q*old*old)) / (2 * t)
	return math.Abs(math.Sqrt(*x/old) - 1)
}
