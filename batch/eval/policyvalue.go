package eval

import (
	"maps"
	"slices"

	"github.com/handschlag/handschlag/batch/learn/offpolicy"
	"github.com/handschlag/handschlag/batch/learn/variant"
)

// uniform shows every item of a log alike at each of its positions.
func uniform(log []choice) probabilities {
	items, out := map[string]bool{}, frequencies(log)
	for _, c := range log {
		items[c.item] = true
	}
	for place := range out {
		out[place] = map[string]float64{}
		for item := range items {
			out[place][item] = 1 / float64(len(items))
		}
	}
	return out
}

// value gives the report of a policy on a log.
func value(log []choice, target probabilities) (offpolicy.Report, error) {
	slot := slotOf(log, target)
	samples := make([]offpolicy.Sample, len(log))
	for fold := range policyFolds {
		model, err := modelOf(slot, log, func(i int) bool { return i%policyFolds != fold })
		if err != nil {
			return offpolicy.Report{}, err
		}
		direct := map[string]float64{}
		for i, c := range log {
			if i%policyFolds != fold {
				continue
			}
			key := c.context + "\x00" + c.place
			if _, ok := direct[key]; !ok {
				for _, item := range slices.Sorted(maps.Keys(target[c.place])) {
					direct[key] += target[c.place][item] * model(c.context, item)
				}
			}
			samples[i] = offpolicy.Sample{
				Reward: c.reward, Propensity: c.propensity, Target: target[c.place][c.item], Fitted: model(c.context, c.item), Direct: direct[key],
			}
		}
	}
	return offpolicy.Evaluate(samples, offpolicy.Options{Seed: policySeed})
}

// slotOf lists every item of a log and a policy.
func slotOf(log []choice, target probabilities) variant.Slot {
	items := map[string]bool{}
	for _, c := range log {
		items[c.item] = true
	}
	for _, shares := range target {
		for item := range shares {
			items[item] = true
		}
	}
	s := variant.Slot{Name: "log"}
	for _, item := range slices.Sorted(maps.Keys(items)) {
		s.Variants = append(s.Variants, variant.Variant{ID: item})
	}
	return s
}

// modelOf fits the mean reward of items by position and context on the rows that are in.
func modelOf(slot variant.Slot, log []choice, in func(int) bool) (func(context, item string) float64, error) {
	cells := map[[2]string]*variant.Cell{}
	for i, c := range log {
		if !in(i) {
			continue
		}
		key := [2]string{c.context, c.item}
		if cells[key] == nil {
			cells[key] = &variant.Cell{Segment: c.context, Variant: c.item}
		}
		cells[key].Add(c.propensity, c.reward, nil)
	}
	var list []variant.Cell
	for _, c := range cells {
		list = append(list, *c)
	}
	p, err := variant.Estimate(slot, variant.Merge(list), variant.Options{K: 1})
	if err != nil {
		return nil, err
	}
	return p.Value, nil
}
