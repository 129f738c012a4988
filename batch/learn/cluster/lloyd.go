package cluster

import (
	"math"
	"slices"
	"sync"
)

// found is where a descent ended.
type found struct {
	centres [][]float64
	labels  []int32 // of the distinct rows
	inertia float64
	rounds  int
	settled bool
}

// blocks is how many parts sums are added up in, whatever the number of workers: a
// sum of floats depends on its order.
const blocks = 64

// partial is what one block adds to the centres.
type partial struct {
	sum     []float64 // k × dim
	weight  []float64 // k
	inertia float64
	moved   bool
}

// descend moves centres to the middle of the rows that are nearest to them, until
// none changes its centre.
func (d descent) descend(centres [][]float64) found {
	f := found{centres: centres, labels: make([]int32, len(d.weight))}
	for i := range f.labels {
		f.labels[i] = -1
	}
	for f.rounds = 1; ; f.rounds++ {
		p := d.assign(f)
		f.inertia = p.inertia
		if f.settled = !p.moved; f.settled || f.rounds > d.o.Rounds {
			return f
		}
		f.centres = d.middles(f, p)
	}
}

// assign gives each row the nearest centre, in blocks.
func (d descent) assign(f found) partial {
	parts, size := make([]partial, blocks), (len(d.weight)+blocks-1)/blocks
	next := make(chan int, blocks)
	for b := range blocks {
		next <- b
	}
	close(next)
	var all sync.WaitGroup
	for range d.o.Workers {
		all.Go(func() {
			for b := range next {
				parts[b] = d.block(f, min(b*size, len(d.weight)), min((b+1)*size, len(d.weight)))
			}
		})
	}
	all.Wait()
	sum := parts[0]
	for _, p := range parts[1:] {
		sum.add(p)
	}
	return sum
}

func (d descent) block(f found, from, to int) partial {
	k, dim := len(f.centres), d.rows.Dim
	p := partial{sum: make([]float64, k*dim), weight: make([]float64, k)}
	for i := from; i < to; i++ {
		row, w := d.rows.At(i), d.weight[i]
		c := Nearest(f.centres, row)
		p.moved = p.moved || f.labels[i] != c
		f.labels[i] = c
		p.weight[c] += w
		p.inertia += float64(w * distance(f.centres[c], row))
		for j, v := range row {
			p.sum[int(c)*dim+j] += float64(w * v)
		}
	}
	return p
}

func (p *partial) add(q partial) {
	for i, v := range q.sum {
		p.sum[i] += v
	}
	for i, v := range q.weight {
		p.weight[i] += v
	}
	p.inertia += q.inertia
	p.moved = p.moved || q.moved
}

// middles are the means of the clusters. One that lost all its rows goes to the row
// that is farthest from its centre.
func (d descent) middles(f found, p partial) [][]float64 {
	dim := d.rows.Dim
	out := make([][]float64, len(f.centres))
	taken := map[int]bool{}
	for c := range out {
		out[c] = make([]float64, dim)
		if p.weight[c] == 0 {
			far := d.farthest(f, taken)
			taken[far] = true
			copy(out[c], d.rows.At(far))
			continue
		}
		for j := range dim {
			out[c][j] = p.sum[c*dim+j] / p.weight[c]
		}
	}
	return out
}

func (d descent) farthest(f found, but map[int]bool) (far int) {
	most := math.Inf(-1)
	for i := range d.weight {
		if gap := distance(f.centres[f.labels[i]], d.rows.At(i)); gap > most && !but[i] {
			far, most = i, gap
		}
	}
	return far
}

// result puts the clusters in the order of their centres.
func (f found) result(scale Scale, at []int32, weight []float64) Result {
	order := make([]int, len(f.centres))
	for c := range order {
		order[c] = c
	}
	slices.SortFunc(order, func(a, b int) int { return compare(f.centres[a], f.centres[b]) })
	r := Result{
		Centres: make([][]float64, len(order)), Sizes: make([]int64, len(order)), Labels: make([]int32, len(at)),
		Inertia: f.inertia, Rounds: f.rounds, Settled: f.settled, Scale: scale,
	}
	name := make([]int32, len(order))
	for n, c := range order {
		r.Centres[n], name[c] = f.centres[c], int32(n)
	}
	for i, w := range weight {
		r.Sizes[name[f.labels[i]]] += int64(w)
	}
	for i, distinct := range at {
		r.Labels[i] = name[f.labels[distinct]]
	}
	return r
}
