package variant

import "math"

// noise sets centre, scale and the sampling variances.
func (f *fit) noise() {
	var n, sum, squares, within, degrees float64
	for _, g := range f.groups {
		s, d := g.within()
		within, degrees = within+s, degrees+d
		for i := range g.n {
			n, sum, squares = n+g.n[i], sum+g.sum[i], squares+g.squares[i]
		}
	}
	f.wide, f.scale = 1, 1
	if n == 0 {
		f.observe(1, 0)
		return
	}
	f.centre = sum / n
	all := 0.0
	if degrees > 0 {
		all = within / degrees
	}
	if total := squares/n - f.centre*f.centre; all <= 0 {
		all = total
	}
	if all <= 1e-12*(1+f.centre*f.centre) { // every reward was the same
		all = max(f.centre*f.centre, 1e-6)
	}
	f.scale = math.Sqrt(all) / 20
	f.wide = f.centre*f.centre + all
	f.observe(all, f.centre)
}

// observe fills y and d; a segment's variance is its own, drawn to that of all.
func (f *fit) observe(all, centre float64) {
	f.y, f.d = make([][]float64, len(f.groups)), make([][]float64, len(f.groups))
	for s, g := range f.groups {
		within, degrees := g.within()
		sigma := (within + fewUnits*all) / (degrees + fewUnits)
		f.y[s], f.d[s] = make([]float64, len(g.n)), make([]float64, len(g.n))
		for i, n := range g.n {
			if n > 0 {
				f.y[s][i], f.d[s][i] = g.sum[i]/n-centre, sigma/n
			}
		}
	}
	if f.tau == nil {
		f.tau, f.gamma = fill(len(f.common), f.scale*f.scale/16), fill(len(f.own), f.scale*f.scale/64)
	}
}

func fill(n int, v float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = v
	}
	return out
}
