package value

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// bounds of every parameter of a fit. Beyond them the likelihood is flat: that far
// out buyers are all alike, nobody leaves, or nobody returns.
const (
	lowest  = 1e-3
	highest = 1e4
)

// objective is minus a mean log-likelihood of logarithms of parameters. It fills
// grad with its derivatives by them, unless grad is nil.
type objective func(logs, grad []float64) float64

// fence leaves an objective as it is inside the bounds and turns it up outside, so
// that an optimum at infinity becomes a finite one near a bound.
func (f objective) fence() objective {
	return func(logs, grad []float64) float64 {
		tame := make([]float64, len(logs)) // what f can still be computed for
		penalty := 0.0
		for i, l := range logs {
			tame[i] = min(max(l, math.Log(lowest)-reach), math.Log(highest)+reach)
			out := beyond(l)
			penalty += out * out
		}
		v := f(tame, grad)
		for i := range grad {
			if tame[i] != logs[i] {
				grad[i] = 0
			}
			grad[i] += 2 * beyond(logs[i])
		}
		return v + penalty
	}
}

// reach is how far beyond the bounds, in logarithms, an objective is asked.
const reach = 3

// beyond is how far a logarithm lies outside the bounds.
func beyond(l float64) float64 {
	return l - min(max(l, math.Log(lowest)), math.Log(highest))
}

// remember keeps the last point, as a search asks for its value and its slope one
// after the other and the slope costs little beside the value.
func (f objective) remember() objective {
	var at, slope []float64
	var value float64
	return func(logs, grad []float64) float64 {
		if !slices.Equal(at, logs) || at == nil {
			at, slope = slices.Clone(logs), make([]float64, len(logs))
			value = f(logs, slope)
		}
		copy(grad, slope)
		return value
	}
}

// minimum is what a search came to.
type minimum struct {
	params []float64 // within the bounds
	value  float64
	ended  bool // the search ended by itself, at a flat point
}

// search descends from one start after another (BFGS) until two came to the same end,
// and takes the lowest end; where that got stuck a simplex goes on. It does at most a
// fixed number of steps, whatever the objective.
func (f objective) search(starts [][]float64) minimum {
	best := minimum{value: math.Inf(1)}
	for _, start := range starts {
		m := f.descend(start, &optimize.BFGS{})
		again := m.ended && best.ended && math.Abs(m.value-best.value) < 1e-8
		if m.value < best.value-1e-9 {
			best = m
		}
		if again {
			break
		}
	}
	if best.params == nil || !best.ended {
		from := starts[0]
		if best.params != nil {
			from = best.params
		}
		if m := f.descend(from, &optimize.NelderMead{}); m.value <= best.value {
			best = m
		}
	}
	return best
}

func (f objective) descend(start []float64, how optimize.Method) minimum {
	logs := make([]float64, len(start))
	for i, p := range start {
		logs[i] = math.Log(p)
	}
	fenced := f.fence().remember()
	problem := optimize.Problem{
		Func: func(x []float64) float64 { return fenced(x, nil) },
		Grad: func(grad, x []float64) { fenced(x, grad) },
	}
	settings := &optimize.Settings{GradientThreshold: 1e-7, MajorIterations: 300, FuncEvaluations: 2000,
		Converger: &optimize.FunctionConverge{Absolute: 1e-12, Iterations: 5}}
	r, err := optimize.Minimize(problem, logs, settings, how)
	if r == nil || math.IsNaN(r.F) || math.IsInf(r.F, 0) {
		return minimum{value: math.Inf(1)}
	}
	return minimum{params: f.within(r.X), value: r.F, ended: err == nil || f.flat(r.X)}
}

// within gives the parameters of logarithms, inside the bounds.
func (f objective) within(logs []float64) []float64 {
	params := make([]float64, len(logs))
	for i, l := range logs {
		params[i] = math.Exp(min(max(l, math.Log(lowest)), math.Log(highest)))
	}
	return params
}

// flat says that no derivative is worth a step: a line search that fails there has
// only run out of digits.
func (f objective) flat(logs []float64) bool {
	grad := make([]float64, len(logs))
	f.fence()(logs, grad)
	for _, g := range grad {
		if math.Abs(g) > 1e-5 {
			return false
		}
	}
	return true
}
