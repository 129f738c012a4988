package eval

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/variant"
)

// agent gives shares for the next day, from what it was told of the days before.
type agent interface {
	shares() ([]float64, error)
	tell(day int, shares []float64, n, orders [armFolds][]float64)
}

// The agents, in the order of the table.
const (
	agentEven = iota
	agentPlain
	agentFloored
	agentPooled
	agentRuled
	agents
)

var agentNames = [agents]string{
	"equal shares", "plain Thompson sampling, 40 free arms", "the same with our floor", "pooled over factors", "pooled, under the promotion rule",
}

// armDraws are draws of a posterior for one day's shares, of every agent.
const armDraws = 500

func newAgent(kind int, seed uint64) agent {
	switch kind {
	case agentEven:
		return even{}
	case agentPlain, agentFloored:
		p := &plain{random: learn.NewRandom(seed, 20), n: make([]float64, armCount), success: make([]float64, armCount)}
		if kind == agentFloored {
			p.floor = float64(learn.Floor) / learn.Million
		}
		return p
	}
	return &nightly{slot: arms(), options: variant.Options{Draws: armDraws, Seed: seed}, ruled: kind == agentRuled}
}

// even never learns.
type even struct{}

func (even) shares() ([]float64, error) {
	out := make([]float64, armCount)
	for i := range out {
		out[i] = 1. / armCount
	}
	return out, nil
}

func (even) tell(int, []float64, [armFolds][]float64, [armFolds][]float64) {}

// plain is Thompson sampling on free arms: each has a Beta(1, 1) prior of its own (Chapelle
// and Li, NIPS 2011), updated once a day; shares are the probabilities of being the best.
type plain struct {
	random     *learn.Random
	floor      float64
	n, success []float64
}

func (p *plain) shares() ([]float64, error) {
	out, x := make([]float64, len(p.n)), make([]distuv.Beta, len(p.n))
	for i := range x {
		x[i] = distuv.Beta{Alpha: 1 + p.success[i], Beta: 1 + p.n[i] - p.success[i], Src: p.random}
	}
	for range armDraws {
		best, top := 0, -1.0
		for i := range x {
			if v := x[i].Rand(); v > top {
				best, top = i, v
			}
		}
		out[best] += 1. / armDraws
	}
	return raised(out, p.floor), nil
}

// raised gives each share at least the floor, at the cost of those above it, in proportion.
func raised(shares []float64, floor float64) []float64 {
	low := make([]bool, len(shares))
	for {
		out, left, free := make([]float64, len(shares)), 1.0, 0.0
		for i, s := range shares {
			if low[i] {
				left -= floor
			} else {
				free += s
			}
		}
		again := false
		for i, s := range shares {
			if out[i] = floor; !low[i] {
				out[i] = s * left / free
				if out[i] < floor {
					low[i], again = true, true
				}
			}
		}
		if !again {
			return out
		}
	}
}

func (p *plain) tell(_ int, _ []float64, n, orders [armFolds][]float64) {
	for f := range n {
		for i := range p.n {
			p.n[i] += n[f][i]
			p.success[i] += orders[f][i]
		}
	}
}

// nightly is this project's night: cells, estimates pooled over factors, shares with the
// floor; if ruled, only such as the promotion rule lets pass.
type nightly struct {
	slot    variant.Slot
	options variant.Options
	ruled   bool
	cells   []variant.Cell
	current map[string]map[string]int64
}

func (a *nightly) shares() ([]float64, error) {
	if err := a.night(); err != nil {
		return nil, err
	}
	out := make([]float64, len(a.slot.Variants))
	for i, v := range a.slot.Variants {
		out[i] = float64(a.current[""][v.ID]) / learn.Million
	}
	return out, nil
}

func (a *nightly) night() (err error) {
	if a.ruled {
		p, err := variant.Propose(a.slot, a.cells, a.current, variant.Alarm{}, learn.Floor, a.options, variant.Rule{})
		a.current = p.Weights
		return err
	}
	p, err := variant.Estimate(a.slot, a.cells, a.options)
	if err == nil {
		a.current, err = p.Weights(learn.Floor, nil)
	}
	return err
}

func (a *nightly) tell(day int, shares []float64, n, orders [armFolds][]float64) {
	for f := range n {
		for i, v := range a.slot.Variants {
			if n[f][i] == 0 {
				continue
			}
			w, y := 1/shares[i], orders[f][i]
			a.cells = append(a.cells, variant.Cell{
				Variant: v.ID, Period: fmt.Sprintf("%03d", day), Fold: f, Persons: int64(n[f][i]), N: int64(n[f][i]), W: n[f][i] * w, WW: n[f][i] * w * w,
				Reward: variant.Sums{Sum: y, Squares: y, WSum: y * w, WWSum: y * w * w, WWSqrs: y * w * w},
			})
		}
	}
}
