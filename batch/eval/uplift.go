package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"

	"github.com/handschlag/handschlag/batch/learn/uplift"
)

const (
	upliftGroup      = "uplift"
	upliftSeed       = 1
	upliftSplits     = 5    // of the rows into folds, to compare forms
	upliftReplicates = 2000 // of the bootstrap
	upliftShuffles   = 300  // of the labels
	upliftShops      = 200  // simulated
)

// Uplift judges whom to make an offer. Everything is learned and chosen on the first
// file; the second is opened once, to be ranked by the finished model.
func Uplift(ctx context.Context, o Options, in UpliftFiles) ([]Row, error) {
	if in.Shuffles == 0 {
		in.Shuffles = upliftShuffles
	}
	if in.Shops == 0 {
		in.Shops = upliftShops
	}
	own := in.Train != ""
	if !own {
		in = in.ofThePackage()
	}
	train, valid, err := in.open(o, own)
	if errors.Is(err, fs.ErrNotExist) && !own {
		shops, err := simulated(ctx, in.Shops)
		return append([]Row{Absent(upliftGroup, "campaign, q on valid.csv")}, shops...), err
	}
	if err != nil {
		return nil, err
	}
	j := upliftJudge{Options: o, in: in, own: own, train: train, valid: valid}
	for _, step := range []func(context.Context) error{j.learn, j.judge, j.compare, j.shuffle} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if own {
		return j.rows, nil
	}
	shops, err := simulated(ctx, in.Shops)
	return append(j.rows, shops...), err
}

// upliftJudge fills the table.
type upliftJudge struct {
	Options
	in      UpliftFiles
	own     bool // files of the caller, without targets
	train   trial
	valid   Holdout[uplift.Row]
	verdict uplift.Verdict
	rows    []Row
}

func (j *upliftJudge) add(r Row, note string, args ...any) {
	j.rows = append(j.rows, r.Noted(note, args...))
}

// options are the decided ones.
func (j *upliftJudge) options(f uplift.Form) uplift.Options {
	return uplift.Options{Names: j.train.names, Form: f, Seed: upliftSeed}
}

// learn fits the model and says what training rows show.
func (j *upliftJudge) learn(context.Context) (err error) {
	j.verdict, err = uplift.Fit(j.train.rows, j.options(uplift.Interacting()))
	if err != nil {
		return fmt.Errorf("learning from %s: %w", j.in.Train, err)
	}
	v, known := j.verdict, "don't know"
	if v.Known {
		known = "known"
	}
	j.add(Row{Group: upliftGroup, Name: "verdict on training rows", Ours: known, Verdict: Shown}, "%s; ranking %.1f standard errors above chance on rows it was not learned from; %d features", v.Reason, v.Ranking.Z, len(j.train.names))
	if j.thin() {
		j.unknown("average effect, training rows", "share targeted, training rows")
		return nil
	}
	j.add(Show(upliftGroup, "average effect, training rows", v.Effect, 4), "95 %% interval %.4f to %.4f; %d offered, %d held out", v.Low, v.High, v.Treated, v.Control)
	targeted, on := Show(upliftGroup, "share targeted, training rows", v.Target.Share, 3), effectOnNobody
	if v.Target.Share > 0 {
		on = fmt.Sprintf("effect on them %.4f, 95 %% interval %.4f to %.4f, by folds not learned from", v.Target.Effect, v.Target.Low, v.Target.High)
	}
	j.add(targeted, "%s", on)
	return nil
}

const effectOnNobody = "nobody is targeted"

// thin says that training rows let nothing be estimated, whatever their outcomes.
func (j *upliftJudge) thin() bool {
	return j.verdict.Reason == uplift.TooFew || j.verdict.Reason == uplift.RatioOff
}

// unknown are figures that thin rows do not give.
func (j *upliftJudge) unknown(names ...string) {
	for _, name := range names {
		j.rows = append(j.rows, Unknown(upliftGroup, name, "nothing is estimated: %s; %d offered, %d held out", j.verdict.Reason, j.verdict.Treated, j.verdict.Control))
	}
}

// judge opens the second file and ranks it.
func (j *upliftJudge) judge(context.Context) error {
	if j.TrainOnly || j.in.Valid == "" {
		return nil
	}
	rows := j.valid.Open(j.Options)
	var best []uplift.Row
	score, treated, outcome := make([]float64, len(rows)), make([]bool, len(rows)), make([]float64, len(rows))
	for i, r := range rows {
		score[i], treated[i], outcome[i] = j.verdict.Model.Effect(r.X), r.Treated, r.Outcome
		if score[i] > 0 && j.verdict.Target.Share > 0 {
			best = append(best, r)
		}
	}
	order := uplift.NewOrder(score, treated, outcome)
	q := order.Q()
	low, high := order.Interval(upliftReplicates, .95, upliftSeed)
	switch {
	case !slices.Contains(treated, true) || !slices.Contains(treated, false):
		j.rows = append(j.rows, Unknown(upliftGroup, "q, judged rows", "nobody was offered, or nobody was held out; %d rows", len(rows)))
	case j.own:
		j.add(Show(upliftGroup, "q, judged rows", q, 4), "95 %% bootstrap interval %.4f to %.4f; %d rows", low, high, len(rows))
	default:
		j.add(AtLeast(upliftGroup, "campaign, q on valid.csv", .0203, q, 4), "%d rows, ties shared; learned on train.csv", len(rows))
		j.add(above0(upliftGroup, "campaign, lower end of q's interval", low), "95 %% bootstrap interval %.4f to %.4f, %d replicates", low, high, upliftReplicates)
	}
	effect, from, to := difference(rows)
	j.add(Show(upliftGroup, "average effect, judged rows", effect, 4), "%s", span(from, to))
	effect, from, to = difference(best)
	on := fmt.Sprintf("effect on them %s, %s", decimal(effect, 4), span(from, to))
	if len(best) == 0 {
		on = effectOnNobody
	}
	j.add(Show(upliftGroup, "share targeted, judged rows", float64(len(best))/float64(len(rows)), 3), "%s", on)
	return nil
}

// span tells an interval of difference.
func span(low, high float64) string {
	if math.IsNaN(low + high) {
		return "no interval: offers, or rows without, are missing here or in TRAIN"
	}
	return fmt.Sprintf("95 %% interval %.4f to %.4f", low, high)
}

// above0 wants a figure to lie above 0.
func above0(group, name string, ours float64) Row {
	r := Row{Group: group, Name: name, Target: "> 0", Ours: decimal(ours, 4)}
	return r.judge(ours > 0, -ours)
}

// compare shows what the form was chosen by.
func (j *upliftJudge) compare(ctx context.Context) error {
	const name = "q by cross-validation, "
	if j.thin() {
		j.unknown(name+"four features together (chosen)", name+"additive (a scorecard)")
		return nil
	}
	for _, c := range []struct {
		name string
		form uplift.Form
	}{{"four features together (chosen)", uplift.Interacting()}, {"additive (a scorecard)", uplift.Additive()}} {
		q, splits, err := uplift.CrossValidate(ctx, j.train.rows, j.options(c.form), upliftSplits)
		if err != nil {
			return err
		}
		j.add(Show(upliftGroup, name+c.name, q, 4), "training rows, %d × 5 folds, from %.4f to %.4f", len(splits), slices.Min(splits), slices.Max(splits))
	}
	return nil
}

// shuffle counts claims where there is nothing to claim. Of rows that let nothing be claimed, however
// they are shuffled, that would prove nothing.
func (j *upliftJudge) shuffle(ctx context.Context) error {
	if j.thin() {
		j.unknown("false claims, labels shuffled")
		return nil
	}
	claims, err := uplift.Placebo(ctx, j.train.rows, j.options(uplift.Interacting()), j.in.Shuffles)
	if err != nil {
		return err
	}
	j.add(AtMost(upliftGroup, "false claims, labels shuffled", .05, float64(claims)/float64(j.in.Shuffles), 4),
		"%d of %d; the true share is at most %.4f with 95 %% confidence (exact binomial)", claims, j.in.Shuffles, atMostShare(claims, j.in.Shuffles))
	return nil
}

// difference is the effect of offering by the weighted difference of means (Hájek's
// estimator: weights 1/p and 1/(1 − p)), with its 95 % interval.
func difference(rows []uplift.Row) (effect, low, high float64) {
	var sum, weight, mean, variance [2]float64
	side := func(r uplift.Row) (int, float64) {
		if r.Treated {
			return 1, 1 / r.Propensity
		}
		return 0, 1 / (1 - r.Propensity)
	}
	for _, r := range rows {
		s, w := side(r)
		sum[s], weight[s] = sum[s]+w*r.Outcome, weight[s]+w
	}
	for s := range mean {
		mean[s] = sum[s] / weight[s]
	}
	for _, r := range rows {
		s, w := side(r)
		variance[s] += w * w * (r.Outcome - mean[s]) * (r.Outcome - mean[s]) / weight[s] / weight[s]
	}
	effect = mean[1] - mean[0]
	deviation := math.Sqrt(variance[0] + variance[1])
	return effect, effect - 1.959964*deviation, effect + 1.959964*deviation
}

// atMostShare is the upper end of the exact 95 % interval, one-sided, of a share of
// which k of n were seen (Clopper, Pearson, Biometrika 1934).
func atMostShare(k, n int) float64 {
	if k >= n {
		return 1
	}
	return mathext.InvRegIncBeta(float64(k+1), float64(n-k), .95)
}
