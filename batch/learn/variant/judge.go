package variant

import (
	"fmt"
	"math"
)

// Rule says when new shares may replace those in force. The zero value takes the defaults.
type Rule struct {
	// Reference are the shares that new ones must beat (segment → variant → parts per million).
	// nil: those in force for Judge; equal shares, which is what a shop that learned nothing
	// would show, for Propose. Shares in force that were learned from the units at hand would
	// look better than they are, and no night's small step would ever pass.
	Reference    map[string]map[string]int64
	LeastESS     float64  // effective sample size of the new shares; 0: 1,000 units
	LeastRewards float64  // effective number of rewards; 0: 25; below 0: not asked, for rewards of both signs
	Confidence   float64  // of each one-sided bound; 0: .95
	Guards       []Metric // none of which may fall
}

// Metric is a guardrail: a figure of each unit that must not get worse.
type Metric struct {
	Name   string
	Higher bool    // more is better, as with repeat visits; returns and opt-outs: less is
	Margin float64 // share of the reference's value that may be lost unproven (non-inferiority); 0: .2
}

func (r Rule) filled() Rule {
	if r.LeastESS == 0 {
		r.LeastESS = 1000
	}
	if r.LeastRewards == 0 {
		r.LeastRewards = 25
	}
	if r.Confidence == 0 {
		r.Confidence = .95
	}
	return r
}

// Promotion is the judgement of new shares. Values are mean rewards of a unit.
type Promotion struct {
	Promote bool     `json:"promote"`
	Reasons []string `json:"reasons"`  // why not, or what it stands on
	Current float64  `json:"current"`  // value of the shares in force; flattered where they were learned from these units
	Value   float64  `json:"value"`    // of the new ones
	ValueSE float64  `json:"value_se"` // standard error of Value
	Gain    float64  `json:"gain"`     // against the reference
	Low     float64  `json:"low"`      // of the gain: two-sided interval whose ends are one-sided bounds
	High    float64  `json:"high"`
	ESS     float64  `json:"ess"`     // (Σw)²/Σw², w = new share / logged propensity (Kish, 1965)
	Rewards float64  `json:"rewards"` // (Σwy)²/Σ(wy)²: how many rewarded units the value stands on
	Guards  []Guard  `json:"guards,omitempty"`
}

// Guard is what new shares do to a guardrail metric.
type Guard struct {
	Metric  string  `json:"metric"`
	Current float64 `json:"current"` // under the reference
	Change  float64 `json:"change"`  // from there to the new shares
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Veto    bool    `json:"veto"`
}

// Judge compares two tables of shares (segment → variant → parts per million) by what the
// logs say: doubly robust with the posterior as the reward model (Dudík, Langford, Li, ICML
// 2011, eq. 4), on the difference of the two, unit by unit, so that what they share cancels.
// The candidate must not have been learned from the same units; Propose sees to that.
func Judge(slot Slot, cells []Cell, current, candidate map[string]map[string]int64, model Posterior, rule Rule) Promotion {
	return judge(slot, []trial{{cells, candidate, model}}, current, rule.filled())
}

// trial is a candidate with the cells that it is judged on.
type trial struct {
	cells     []Cell
	candidate map[string]map[string]int64
	model     Posterior
}

func judge(slot Slot, trials []trial, current map[string]map[string]int64, rule Rule) Promotion {
	var value, now tally
	gain, each := make(tallies, len(trials)), make(tallies, len(trials))
	reference := rule.Reference
	if reference == nil {
		reference = current
	}
	for i, t := range trials {
		q := t.model.Value
		sums := func(c Cell) Sums { return c.Reward }
		gain[i].add(slot, t.cells, t.candidate, reference, q, sums)
		value.add(slot, t.cells, t.candidate, nil, q, sums)
		each[i].add(slot, t.cells, t.candidate, nil, q, sums)
		now.add(slot, t.cells, current, nil, q, sums)
	}
	z := normalQuantile(2*rule.Confidence - 1)
	p := Promotion{Current: now.mean(), Value: value.mean(), ValueSE: each.se(), Gain: gain.mean(), ESS: kish(value.w, value.ww), Rewards: kish(value.wy, value.wyy)}
	p.Low, p.High = p.Gain-z*gain.se(), p.Gain+z*gain.se()
	why := func(format string, args ...any) { p.Reasons = append(p.Reasons, fmt.Sprintf(format, args...)) }
	if p.ESS < rule.LeastESS {
		why("don't know: the effective sample is %.0f units, want %.0f", p.ESS, rule.LeastESS)
	}
	if p.Rewards < rule.LeastRewards {
		why("don't know: the value stands on %.0f effective rewards, want %.0f", p.Rewards, rule.LeastRewards)
	}
	if !(p.Low > 0) {
		why("a gain of %.4g per unit is not above 0 with confidence %.0f %%: at least %.4g", p.Gain, 100*rule.Confidence, p.Low)
	}
	for _, m := range rule.Guards {
		g, reason := guard(slot, trials, reference, m, z)
		if p.Guards = append(p.Guards, g); g.Veto {
			why("%s", reason)
		}
	}
	if p.Promote = len(p.Reasons) == 0; p.Promote {
		why("the gain per unit is %.4g, at least %.4g with confidence %.0f %%, on %.0f effective units", p.Gain, p.Low, 100*rule.Confidence, p.ESS)
	}
	return p
}

// guard asks whether a metric gets worse by more than the margin (non-inferiority).
func guard(slot Slot, trials []trial, reference map[string]map[string]int64, m Metric, z float64) (Guard, string) {
	if m.Margin == 0 {
		m.Margin = .2
	}
	sums := func(c Cell) Sums { return c.Guards[m.Name] }
	var n, sum float64
	for _, t := range trials {
		for _, c := range t.cells {
			n, sum = n+float64(c.N), sum+sums(c).Sum
		}
	}
	flat := func(string, string) float64 { return sum / max(1, n) }
	var now tally
	change := make(tallies, len(trials))
	for i, t := range trials {
		change[i].add(slot, t.cells, t.candidate, reference, flat, sums)
		now.add(slot, t.cells, reference, nil, flat, sums)
	}
	g := Guard{Metric: m.Name, Current: now.mean(), Change: change.mean()}
	g.Low, g.High = g.Change-z*change.se(), g.Change+z*change.se()
	harm, sure := g.High, g.Low > 0
	if m.Higher {
		harm, sure = -g.Low, g.High < 0
	}
	if g.Veto = !(harm <= m.Margin*math.Abs(g.Current)); !g.Veto {
		return g, ""
	}
	if sure {
		return g, fmt.Sprintf("veto: %s gets worse under the new shares, by %.4g from %.4g", m.Name, math.Abs(g.Change), g.Current)
	}
	return g, fmt.Sprintf("veto: %s could get worse by %.4g under the new shares, more than %.0f %% of %.4g", m.Name, harm, 100*m.Margin, g.Current)
}
