package eval

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/need"
)

// others are what the card is held against: a plain logistic regression, and the card
// of single features that the day can read.
type others struct {
	linear  need.Linear
	singles *need.Card // nil: the card has no pairs itself, or single features say nothing
}

func (c intentCase) beside(ctx context.Context, train sessions, options need.Options) (out others, err error) {
	if out.linear, err = need.FitLinear(ctx, train.rows, train.specs, options); err != nil || options.Pairs == 0 {
		return out, err
	}
	options.Pairs = 0
	singles, err := need.Fit(ctx, train.rows, train.specs, options)
	if unknown := (*need.Unknown)(nil); errors.As(err, &unknown) {
		return out, nil
	}
	out.singles = &singles
	return out, err
}

// say gives a figure of each: of a regression's probabilities, and of a card.
func (o others) say(linear float64, card func(need.Card) float64) string {
	out := fmt.Sprintf("logistic regression %.4f", linear)
	if o.singles != nil {
		out += fmt.Sprintf(", single features alone %.4f", card(*o.singles))
	}
	return out
}

// crossed shows what was found on training rows alone.
func (c intentCase) crossed(card need.Card, beside others, o need.Options) []Row {
	f, by, curve := card.Fit, "cross-validated", card.Curve.Method
	rows := fmt.Sprintf("%d training rows, %d folds", f.Rows, o.Folds)
	if o.Forward {
		by, rows = "validated forwards", fmt.Sprintf("%d training rows; mean over %s, each judged by a fit on those before", f.Rows, c.in.Split)
		if curve += " of all"; f.Recent > 0 {
			curve = fmt.Sprintf("%s of the last %d", card.Curve.Method, f.Recent)
		}
	}
	return []Row{
		Show(intentGroup, c.label("AUC, "+by), f.AUC, 4).Noted("%s; %s", rows, beside.say(beside.linear.Fit.AUC, func(c need.Card) float64 { return c.Fit.AUC })),
		Show(intentGroup, c.label("AP, "+by), f.Precision, 4).Noted("bins ≤ %d, penalty %g, %d pairs, curve %s; %s",
			f.MaxBins, f.Penalty, len(card.Pairs), curve, beside.say(beside.linear.Fit.Precision, func(c need.Card) float64 { return c.Fit.Precision })),
	}
}

// judge holds them against rows that none saw.
func (c intentCase) judge(card need.Card, beside others, held []need.Row) []Row {
	y, linear, yes := make([]bool, len(held)), make([]float64, len(held)), 0
	for i, r := range held {
		linear[i] = beside.linear.Probability(r.X)
		if y[i] = r.Y; r.Y {
			yes++
		}
	}
	figure := func(measure func(p []float64, y []bool) float64, score func(c need.Card, points int64) float64, row func(ours float64) Row, more string) Row {
		of := func(c need.Card) float64 { return measure(scores(c, held, score), y) }
		return row(of(card)).Noted("%s%s", more, beside.say(measure(linear, y), of))
	}
	calibration := learn.JudgeCalibration(scores(card, held, need.Card.Probability), y, .02)
	points := func(_ need.Card, points int64) float64 { return float64(points) }
	return []Row{
		figure(learn.AUC, points, func(v float64) Row { return c.atLeast("AUC", c.auc, v) }, fmt.Sprintf("hold-out of %d rows, %d positive; ", len(y), yes)),
		figure(learn.AveragePrecision, points, func(v float64) Row { return c.atLeast("AP", c.precision, v) }, ""),
		figure(worstError, need.Card.Probability, func(v float64) Row { return c.atMost("calibration error", c.calibration, v) },
			fmt.Sprintf("%s: %s; the larger of 10 bins of equal width and of equal mass; ", calibration.Verdict, calibration.Why)),
		figure(learn.Brier, need.Card.Probability, func(v float64) Row { return Show(intentGroup, c.label("Brier score"), v, 4) }, ""),
	}
}

func scores(c need.Card, rows []need.Row, score func(c need.Card, points int64) float64) []float64 {
	out := make([]float64, len(rows))
	for i, r := range rows {
		out[i] = score(c, c.Points(r.X))
	}
	return out
}

func worstError(p []float64, y []bool) float64 {
	return math.Max(learn.CalibrationError(learn.EqualWidth(p, y, 10)), learn.CalibrationError(learn.EqualMass(p, y, 10)))
}

func (c intentCase) atLeast(what string, target, ours float64) Row {
	if target == 0 {
		return Show(intentGroup, c.label(what), ours, 4)
	}
	return AtLeast(intentGroup, c.label(what), target, ours, 4)
}

func (c intentCase) atMost(what string, target, ours float64) Row {
	if target == 0 {
		return Show(intentGroup, c.label(what), ours, 4)
	}
	return AtMost(intentGroup, c.label(what), target, ours, 4)
}
