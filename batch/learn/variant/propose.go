package variant

import (
	"fmt"
	"maps"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/decide"
)

// Folds is how many parts the subjects are cut into. Shares are judged on all but the first,
// and learned from half of them on average.
const Folds = 5

// Proposal is what a night has to say about a slot.
type Proposal struct {
	Posterior Posterior                   `json:"-"`
	Weights   map[string]map[string]int64 `json:"-"` // to publish: the new shares if promoted, else those in force
	Candidate map[string]map[string]int64 `json:"-"`
	Promotion Promotion                   `json:"promotion"`
	Vetoes    []Veto                      `json:"vetoes,omitempty"`
	Alarm     Alarm                       `json:"sample_ratio"`
	Board     []Row                       `json:"board"`
}

// Propose estimates, makes new shares, and judges them. current are the shares in force
// (segment → variant → parts per million; nil or without a variant: equal shares). New
// shares must beat those of Rule.Reference, by default equal ones. They are judged by
// sequential validation on the folds (Cell.Fold; Wager, Sequential Validation of Treatment
// Heterogeneity, 2024): the value is that of shares learned the same way from the folds
// before. With one fold alone nothing is promoted; nor while the sample-ratio alarm, which the caller gives, is on.
func Propose(slot Slot, cells []Cell, current map[string]map[string]int64, alarm Alarm, floorPPM int64, o Options, rule Rule) (Proposal, error) {
	p := Proposal{Alarm: alarm}
	var err error
	if p.Posterior, err = Estimate(slot, cells, o); err != nil {
		return p, err
	}
	if current, err = complete(slot, current, floorPPM); err != nil {
		return p, err
	}
	if rule.Reference == nil {
		rule.Reference, _ = complete(slot, nil, floorPPM)
	}
	if p.Vetoes, err = vetoes(slot, cells, rule.Reference, o, rule); err != nil {
		return p, err
	}
	if p.Candidate, err = p.Posterior.Weights(floorPPM, stopped(p.Vetoes)); err != nil {
		return p, err
	}
	trials, err := sequence(slot, cells, floorPPM, o, rule)
	if err != nil {
		return p, err
	}
	if len(trials) > 0 {
		p.Promotion = judge(slot, trials, current, rule.filled())
	}
	p.refuse(len(trials) == 0, "don't know: fewer than two folds have more than one unit, so that shares cannot be judged on others than they were learned from")
	p.refuse(alarm.Fired, fmt.Sprintf("the sample-ratio alarm is on (p = %.2g, %s)", alarm.P, alarm.Worst))
	if p.Weights = current; p.Promotion.Promote {
		p.Weights = p.Candidate
	}
	p.Board = p.board(slot, current)
	return p, nil
}

func (p *Proposal) refuse(when bool, reason string) {
	if !when {
		return
	}
	if p.Promotion.Promote {
		p.Promotion.Promote, p.Promotion.Reasons = false, nil
	}
	p.Promotion.Reasons = append(p.Promotion.Reasons, reason)
}

func stopped(vetoes []Veto) map[string]bool {
	out := map[string]bool{}
	for _, v := range vetoes {
		out[v.Variant] = true
	}
	return out
}

// sequence learns shares, and which variants are vetoed, from the first folds, to be judged on
// the next, and so on: who judges was never learned from, nor will be before it has judged.
// A fold of a single unit judges nothing: it has no spread.
func sequence(slot Slot, cells []Cell, floorPPM int64, o Options, rule Rule) ([]trial, error) {
	o.K = 1 // nothing of a fold is published but sums over all cells
	var out []trial
	var before *Posterior
	folds := parts(cells)
	for k := 1; k < len(folds); k++ {
		learned := slices.Concat(folds[:k]...)
		model, err := estimate(slot, learned, o, before)
		if err != nil {
			return nil, err
		}
		harmful, err := vetoes(slot, learned, rule.Reference, o, rule)
		if err != nil {
			return nil, err
		}
		candidate, err := model.Weights(floorPPM, stopped(harmful))
		if err != nil {
			return nil, err
		}
		out, before = append(out, trial{folds[k], candidate, model}), &model
	}
	return out, nil
}

// parts are the cells of each fold that has more than one unit, in order.
func parts(cells []Cell) (out [][]Cell) {
	by, units := map[int][]Cell{}, map[int]int64{}
	for _, c := range cells {
		by[c.Fold] = append(by[c.Fold], c)
		units[c.Fold] += c.N
	}
	for _, fold := range slices.Sorted(maps.Keys(by)) {
		if units[fold] > 1 {
			out = append(out, by[fold])
		}
	}
	return out
}

// complete gives the shares in force, made whole where variants are new or gone: a new one
// gets the floor, the others keep their proportions.
func complete(slot Slot, current map[string]map[string]int64, floorPPM int64) (map[string]map[string]int64, error) {
	n := int64(len(slot.Variants))
	if floorPPM < 0 || n*floorPPM > learn.Million {
		return nil, fmt.Errorf("slot %q: %d variants cannot each have %d ppm", slot.Name, n, floorPPM)
	}
	ids := make([]string, n)
	for i, v := range slot.Variants {
		ids[i] = v.ID
	}
	out := map[string]map[string]int64{"": decide.Uniform(ids)}
	for segment, own := range current {
		if whole(own, ids, floorPPM) {
			out[segment] = own
			continue
		}
		counts := make([]int64, n)
		for i, id := range ids {
			counts[i] = max(0, own[id]-floorPPM)
		}
		out[segment] = map[string]int64{}
		for i, extra := range apportion(counts, learn.Million-n*floorPPM) {
			out[segment][ids[i]] = floorPPM + extra
		}
	}
	return out, nil
}

func whole(shares map[string]int64, ids []string, floorPPM int64) bool {
	sum := int64(0)
	for _, id := range ids {
		if shares[id] < floorPPM {
			return false
		}
		sum += shares[id]
	}
	return sum == learn.Million && len(shares) == len(ids)
}
