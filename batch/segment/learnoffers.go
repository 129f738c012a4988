package segment

import (
	"context"
	"fmt"
	"math"

	"github.com/handschlag/handschlag/batch/learn/uplift"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/profile"
)

// arm is one side of the comparison of offers.
type arm struct {
	persons, ordered, netCents int64
	squares                    float64 // of net cents
}

// trial is what came of one offer, made or held out, of one person.
type trial struct {
	heldOut  bool
	ppm      int64 // propensity of what was drawn
	need     int64
	card     string
	features []float64
	orders   int64
	netCents int64
	outcome  string // of the contact, "" if there was none
}

// learnOffers estimates what offering a human changes, for whom, from the random
// hold-out, and what a contact gains. Where the data do not show it nothing is published.
func (n *night) learnOffers(ctx context.Context) error {
	trials, err := n.offerTrials(ctx)
	if err != nil {
		return err
	}
	n.needTrials = trials
	rows := make([]uplift.Row, len(trials))
	for i, t := range trials {
		rows[i] = t.row(n.in.Config.Learning.MarginBP)
		n.arms[side(t.heldOut)].add(t)
		if t.outcome != "" && !t.heldOut {
			n.takenUp++
		}
	}
	n.effect, err = uplift.Fit(rows, uplift.Options{Names: n.trialFeatures, Terms: uplift.Terms{MarginCents: 1, AdviserCents: n.adviserCents()}, Seed: 1})
	if err != nil {
		return fmt.Errorf("estimating what offers change: %w", err)
	}
	return n.publishGain()
}

// publishGain writes the expected gain of a contact in whole cents: the effect of an
// offer, less than one of which leads to a contact, over that share (Bloom, Evaluation
// Review 8(2), 1984: who is offered and declines gains nothing).
func (n *night) publishGain() error {
	if !n.effect.Known || n.takenUp == 0 || !n.publishes("offers") {
		return nil
	}
	card, err := n.effect.Model.Scorecard(1 / n.contactRate())
	if err != nil {
		return fmt.Errorf("writing what an offer gains: %w", err)
	}
	signed := card.Sign(profile.CatalogueVersion())
	n.gain = &signed
	return nil
}

// contactRate is the share of offers that led to a contact which an adviser closed.
func (n *night) contactRate() float64 {
	return float64(n.takenUp) / float64(max(1, n.arms[1].persons))
}

// adviserCents is what an offer costs: a contact's cost for as many as take it up.
func (n *night) adviserCents() int64 {
	return int64(math.Round(float64(n.in.Config.Offers.CostCents) * n.contactRate()))
}

func side(heldOut bool) int {
	if heldOut {
		return 0
	}
	return 1
}

func (a *arm) add(t trial) {
	a.persons++
	if t.orders > 0 {
		a.ordered++
	}
	a.netCents += t.netCents
	a.squares += float64(t.netCents) * float64(t.netCents)
}

// row is the trial as the estimate reads it; its outcome is margin in cents.
func (t trial) row(marginBP int64) uplift.Row {
	p := float64(t.ppm) / decide.Million
	if t.heldOut {
		p = 1 - p
	}
	return uplift.Row{X: t.features, Treated: !t.heldOut, Propensity: p, Outcome: float64(t.netCents) * float64(marginBP) / 10_000}
}

// offerTrials reads table offer_results, in the order of persons.
func (n *night) offerTrials(ctx context.Context) (out []trial, err error) {
	err = n.db.each(ctx, "select held_out, ppm, need, scorecard, features, orders, net_cents, outcome from offer_results order by person",
		func(scan func(...any) error) error {
			var t trial
			var features []any
			if err := scan(&t.heldOut, &t.ppm, &t.need, &t.card, &features, &t.orders, &t.netCents, &t.outcome); err != nil {
				return err
			}
			for _, f := range features {
				v, ok := f.(int64)
				if !ok {
					return fmt.Errorf("a feature is %v", f)
				}
				t.features = append(t.features, float64(v))
			}
			out = append(out, t)
			return nil
		})
	if err != nil {
		return nil, fmt.Errorf("reading what came of offers: %w", err)
	}
	return out, nil
}
