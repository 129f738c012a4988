package segment

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/need"
	"github.com/handschlag/handschlag/profile"
)

// learnNeed fits the points of need on the offers that were made: a need was real if
// the visitor took the offer up and the adviser called it other than not needed.
// Nothing is published where the features say no more than the base rate.
func (n *night) learnNeed(ctx context.Context) error {
	rows, specs := n.needRows(), n.needFeatures()
	card, err := need.Fit(ctx, rows, specs, need.Options{Seed: 1})
	var unknown *need.Unknown
	if errors.As(err, &unknown) {
		return nil // why holds numbers of persons
	}
	if err != nil {
		return err
	}
	n.needCard = &card
	if n.needJudged, err = calibration(ctx, rows, specs); err != nil {
		return err
	}
	anchored, err := card.Anchored(n.in.Config.Offers.NeedHuman, marginal(n.made()))
	if err != nil {
		return nil // no anchor for the configured threshold: the configured card stays
	}
	signed, err := anchored.Scorecard(profile.CatalogueVersion())
	if err != nil {
		return fmt.Errorf("writing the scorecard of need: %w", err)
	}
	n.needCard = &anchored
	if n.publishes("need") {
		n.scorecard = &signed
	}
	return nil
}

// made are the offers that were made.
func (n *night) made() []trial {
	return slices.DeleteFunc(slices.Clone(n.needTrials), func(t trial) bool { return t.heldOut })
}

func (n *night) needRows() []need.Row {
	made := n.made()
	rows := make([]need.Row, len(made))
	for i, t := range made {
		rows[i] = need.Row{X: t.features, Y: welcome(t.outcome)}
	}
	return rows
}

// needFeatures are those of the configured card; what it gives points for may only
// earn more the more there is of it, what it takes points for only less.
func (n *night) needFeatures() []need.Feature {
	out := make([]need.Feature, len(n.trialFeatures))
	for i, f := range n.in.Config.Scorecard.Features {
		out[i] = need.Feature{Name: f.Name, Shape: need.Free}
		if len(f.Bins) == 0 {
			continue
		}
		switch last := f.Bins[len(f.Bins)-1].Points; {
		case last > 0:
			out[i].Shape = need.Rising
		case last < 0:
			out[i].Shape = need.Falling
		}
	}
	return out
}

// marginal is how often the offers with the fewest points, a third of them, were welcome.
func marginal(made []trial) float64 {
	slices.SortStableFunc(made, func(a, b trial) int { return cmp.Compare(a.need, b.need) })
	third, yes := made[:max(1, len(made)/3)], 0
	for _, t := range third {
		if welcome(t.outcome) {
			yes++
		}
	}
	return float64(yes) / float64(len(third))
}

// calibration fits a card on two thirds of the rows and holds it against the last,
// which it did not see. Rows are in the order of pseudonyms, which is random.
func calibration(ctx context.Context, rows []need.Row, specs []need.Feature) (learn.Calibration, error) {
	cut := 2 * len(rows) / 3
	card, err := need.Fit(ctx, rows[:cut], specs, need.Options{Seed: 1})
	if errors.As(err, new(*need.Unknown)) {
		return learn.Calibration{Verdict: learn.DontKnow}, nil
	}
	if err != nil {
		return learn.Calibration{}, err
	}
	var p []float64
	var y []bool
	for _, r := range rows[cut:] {
		p, y = append(p, card.Probability(card.Points(r.X))), append(y, r.Y)
	}
	return learn.JudgeCalibration(p, y, calibrationTolerance), nil
}

// calibrationTolerance is how far probabilities of need may be off on average.
const calibrationTolerance = .05
