package segment

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/variant"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/decide"
)

// guards are the figures that no new shares may make worse: returns, whether visitors
// come back, and what was sold.
var guards = []variant.Metric{{Name: "returns"}, {Name: "visits", Higher: true}, {Name: "net_cents", Higher: true}}

// weigh estimates every slot's variants and gives the shares to publish: new ones where
// they are surely better and no guardrail speaks against them, else those in force.
func (n *night) weigh(ctx context.Context) error {
	earlier, err := n.earlierWeights()
	if err != nil {
		return err
	}
	slots := map[string]map[string]map[string]int64{}
	for _, name := range slices.Sorted(maps.Keys(n.in.Config.Slots)) {
		slot := slotOf(name, n.in.Config.Slots[name])
		p, err := n.propose(ctx, slot, earlier)
		if err != nil {
			return fmt.Errorf("weighing slot %q: %w", name, err)
		}
		n.proposals = append(n.proposals, p)
		slots[name] = n.bySegment(p.Weights)
	}
	n.weights, err = learn.Versioned(slots)
	return err
}

// slotOf is a configured slot as the estimates know it, its variants in order.
func slotOf(name string, s config.Slot) variant.Slot {
	out := variant.Slot{Name: name}
	for _, v := range s.Variants {
		out.Variants = append(out.Variants, variant.Variant{ID: v.ID, Factors: v.Factors})
	}
	slices.SortFunc(out.Variants, func(a, b variant.Variant) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// propose judges one slot. What is not to be published keeps equal shares.
func (n *night) propose(ctx context.Context, slot variant.Slot, earlier []publishedWeights) (variant.Proposal, error) {
	var now decide.Weights
	if len(earlier) > 0 && n.publishes("variants") {
		now = earlier[len(earlier)-1].Weights
	}
	alarm, err := n.sampleRatio(ctx, slot, now)
	if err != nil {
		return variant.Proposal{}, err
	}
	cells, err := n.cells(ctx, slot)
	if err != nil {
		return variant.Proposal{}, err
	}
	p, err := variant.Propose(slot, cells, known(now.Slots[slot.Name], n.in.Config.Segments), alarm, learn.Floor, variant.Options{K: int64(n.k)}, variant.Rule{Guards: guards})
	if err == nil && !n.publishes("variants") {
		p.Promotion.Promote = false
		p.Promotion.Reasons = append(p.Promotion.Reasons, "learning.publish does not name variants")
		p.Weights = map[string]map[string]int64{"": decide.Uniform(ids(slot))}
	}
	return p, err
}

// known leaves out segments that are configured no more.
func known(shares map[string]map[string]int64, segments []config.Segment) map[string]map[string]int64 {
	out := map[string]map[string]int64{}
	for segment, own := range shares {
		if segment == "" || slices.ContainsFunc(segments, func(s config.Segment) bool { return s.Name == segment }) {
			out[segment] = own
		}
	}
	return out
}

func ids(slot variant.Slot) (out []string) {
	for _, v := range slot.Variants {
		out = append(out, v.ID)
	}
	return out
}

// bySegment gives each segment that contents may be chosen by shares of its own: what was
// learnt of it, else everybody's, so that its draws are told apart from now on.
func (n *night) bySegment(learnt map[string]map[string]int64) map[string]map[string]int64 {
	out := map[string]map[string]int64{"": learnt[""]}
	if !n.in.Config.Learning.BySegment {
		return out
	}
	for _, s := range n.in.Config.Segments {
		if s.Special != "" || !n.lawful(s) {
			continue
		}
		if out[s.Name] = learnt[s.Name]; out[s.Name] == nil {
			out[s.Name] = learnt[""]
		}
	}
	return out
}

func (n *night) publishes(part string) bool {
	return slices.Contains(n.in.Config.Learning.Publish, part)
}

// cells reads what came of a slot's draws. What was drawn of variants that are configured
// no more tells nothing.
func (n *night) cells(ctx context.Context, slot variant.Slot) (out []variant.Cell, err error) {
	names := ids(slot)
	query := `select segment, variant, eligible, day, fold, ppm, n, orders, net_cents, net_cents_squared::double, went_back, came_back
		from content_results where slot = ` + quote(slot.Name) + ` order by all`
	err = n.db.each(ctx, query, func(scan func(...any) error) error {
		var segment, id, eligible string
		var day time.Time
		var fold int32
		var ppm, count, orders, net, back, again int64
		var squares float64
		if err := scan(&segment, &id, &eligible, &day, &fold, &ppm, &count, &orders, &net, &squares, &back, &again); err != nil {
			return err
		}
		c := variant.Cell{Segment: segment, Variant: id, Eligible: strings.Split(eligible, ","), Period: day.Format(time.DateOnly), Fold: int(fold), Persons: count, N: count}
		if slices.ContainsFunc(append(c.Eligible, id), func(v string) bool { return !slices.Contains(names, v) }) {
			return nil
		}
		p, units := float64(ppm)/decide.Million, float64(count)
		c.W, c.WW = units/p, units/(p*p)
		c.Reward = weighed(p, float64(orders), float64(orders))
		c.Guards = map[string]variant.Sums{
			"returns": weighed(p, float64(back), float64(back)), "visits": weighed(p, float64(again), float64(again)),
			"net_cents": weighed(p, float64(net), squares),
		}
		out = append(out, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what came of contents: %w", err)
	}
	return variant.Merge(out), nil
}

// weighed are sums over units that were all drawn with one propensity.
func weighed(p, sum, squares float64) variant.Sums {
	return variant.Sums{Sum: sum, Squares: squares, WSum: sum / p, WWSum: sum / (p * p), WWSqrs: squares / (p * p)}
}

// sampleRatio compares the last ingest day's draws under the shares in force with what
// those promised.
func (n *night) sampleRatio(ctx context.Context, slot variant.Slot, now decide.Weights) (variant.Alarm, error) {
	var drawn []variant.Cell
	names := ids(slot)
	query := fmt.Sprintf("select segment, variant, eligible, n from drawn where slot = %s and weights = %s order by all", quote(slot.Name), quote(now.Digest()))
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var c variant.Cell
		var eligible string
		if err := scan(&c.Segment, &c.Variant, &eligible, &c.N); err != nil {
			return err
		}
		if c.Eligible = strings.Split(eligible, ","); !slices.ContainsFunc(append(c.Eligible, c.Variant), func(v string) bool { return !slices.Contains(names, v) }) {
			drawn = append(drawn, c)
		}
		return nil
	})
	if err != nil {
		return variant.Alarm{}, fmt.Errorf("reading what was drawn: %w", err)
	}
	return variant.SampleRatio(variant.Observed(drawn), variant.Expected(slot, drawn, now.Slots[slot.Name])), nil
}
