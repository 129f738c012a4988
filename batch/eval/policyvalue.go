package eval

import (
	"fmt"
	"maps"
	"slices"
	"strings"

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

// value gives the report of a policy on a log. The policy must say something of each of the
// log's positions.
func value(log []choice, target probabilities) (offpolicy.Report, error) {
	for _, place := range slices.Sorted(maps.Keys(frequencies(log))) {
		if target[place] == nil {
			return offpolicy.Report{}, fmt.Errorf("the policy says nothing of position %q, which the log has; it has position %q", place, slices.Sorted(maps.Keys(target)))
		}
	}
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

// beyond is the share of a policy's choices, of as many at each position as the log has, that
// the log never shows there, with their names; and the positions that it never has.
func beyond(log []choice, target probabilities) (share float64, items, places []string) {
	logged, n, seen := frequencies(log), map[string]float64{}, map[string]bool{}
	for _, c := range log {
		n[c.place] += 1 / float64(len(log))
	}
	for _, place := range slices.Sorted(maps.Keys(target)) {
		if logged[place] == nil {
			places = append(places, place)
			continue
		}
		for _, item := range slices.Sorted(maps.Keys(target[place])) {
			if p := target[place][item]; p > 0 && logged[place][item] == 0 {
				share, seen[item] = share+n[place]*p, true
			}
		}
	}
	return share, slices.Sorted(maps.Keys(seen)), places
}

// toldBeyond names what the log cannot show, and takes back what was recommended on it.
func toldBeyond(rows []Row, log []choice, target probabilities) []Row {
	share, items, places := beyond(log, target)
	if share > 0 {
		row := Show(policyGroup, "share on items that the log never shows", share, 4)
		rows = append(rows, row.Noted("%s; what they would earn is a guess in DM, DR and Switch-DR, and nothing in IPW and SNIPW", listed(items)))
	}
	if len(places) > 0 {
		row := Row{Group: policyGroup, Name: "positions that the log never has", Ours: fmt.Sprint(len(places)), Verdict: Shown}
		rows = append(rows, row.Noted("%s; nothing is said of them", listed(places)))
	}
	for i, r := range rows {
		if strings.HasSuffix(r.Name, recommended) && r.Ours == "yes" && share > beyondMost {
			rows[i].Ours, rows[i].Note = "no", fmt.Sprintf("don't know: the log never shows %.1f %% of what the policy would do", 100*share)
		}
	}
	return rows
}

// listed names the first of some.
func listed(names []string) string {
	const most = 12
	out := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		out += fmt.Sprintf(" and %d more", more)
	}
	return out
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
