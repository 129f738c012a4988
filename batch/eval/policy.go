package eval

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/handschlag/handschlag/batch/learn/offpolicy"
)

// PolicyFiles are a log and a policy to value by it.
type PolicyFiles struct {
	Log         string // CSV; "": open-bandit-men in both directions, with the figures it must give
	Target      string // CSV of probabilities, or
	TargetLog   string // another log, whose policy is the shares of items by position
	Probability string // column of Target
	Columns     columns
}

// Columns names the columns of a log; position and context may be missing.
func Columns(item, position, reward, propensity string, context []string) columns {
	return columns{item, position, reward, propensity, context}
}

const (
	policyGroup = "policy"
	policySeed  = 1
	policyFolds = 5    // of the reward model: each row is modelled without its fold
	beyondMost  = .001 // share of choices that the log never shows, up to which a policy may be recommended
	recommended = "recommended over the log's policy"
)

var openBandit = Columns("item_id", "position", "click", "propensity_score", nil)

// direction is one log of open-bandit valued for the policy of the other.
type direction struct {
	name, log, target string
	uniform           bool    // the target is 1/items at every position, as it is known to be
	ipw, snipw, se    float64 // as the issue states them; se 0: not stated
	full              float64 // CTR of the target in the full data
}

// The full data's CTRs are those of Saito et al., arXiv 2008.07146, table 1, campaign "men":
// random 0.51 % of 452,949, Bernoulli TS 0.67 % of 4,077,727 impressions.
var directions = []direction{
	{name: "random → TS", log: "random", target: "bts", ipw: .00566, snipw: .00574, se: .00140, full: .0067},
	{name: "TS → random", log: "bts", target: "random", uniform: true, ipw: .00301, snipw: .00319, full: .0051},
}

// Policy values policies by the logs of others: see offpolicy. The reward model is pooled
// over items and positions and never fitted on the rows that it is asked for.
func Policy(ctx context.Context, o Options, in PolicyFiles) ([]Row, error) {
	if in.Log != "" {
		return in.own(o)
	}
	var rows []Row
	for _, d := range directions {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		more, err := d.rows(o)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func (d direction) rows(o Options) ([]Row, error) {
	log, err := d.read(o, d.log)
	if errors.Is(err, fs.ErrNotExist) {
		return []Row{Absent(policyGroup, "open-bandit-men, "+d.name)}, nil
	}
	if err != nil {
		return nil, err
	}
	other, err := d.read(o, d.target)
	if err != nil {
		return nil, err
	}
	target := frequencies(other)
	if d.uniform {
		target = uniform(log)
	}
	r, err := value(log, target)
	if err != nil {
		return nil, err
	}
	name := "open-bandit-men, " + d.name + ", "
	rows := []Row{
		Digits(policyGroup, name+offpolicy.IPW, d.ipw, r.Values[0].Value, 5).Noted("± %.5f, %s", r.Values[0].SE, interval(r.Values[0])),
		Digits(policyGroup, name+offpolicy.SNIPW, d.snipw, r.Values[1].Value, 5).Noted("± %.5f, %s", r.Values[1].SE, interval(r.Values[1])),
	}
	if d.se > 0 {
		rows = append(rows, Digits(policyGroup, name+"standard error of IPW", d.se, r.Values[0].SE, 5))
	}
	rows = append(rows, told(name, r)...)
	refused := &rows[len(rows)-1]
	refused.Target = "no: the sample is too small"
	*refused = refused.judge(refused.Ours == "no" && strings.Contains(refused.Note, "don't know"), 1)
	for _, v := range r.Values {
		if !math.IsNaN(v.Low) {
			rows = append(rows, holds(name+v.Name+": interval holds the full data's CTR", d.full, v))
		}
	}
	return rows, nil
}

func (d direction) read(o Options, policy string) ([]choice, error) {
	name := "open-bandit-men/" + policy + "/men.csv"
	f, err := o.openShipped(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readChoices(name, f, openBandit)
}

// own values a policy on files of the same shape.
func (in PolicyFiles) own(o Options) ([]Row, error) {
	log, err := readFile(in.Log, func(r io.Reader) ([]choice, error) { return readChoices(in.Log, r, in.Columns) })
	if err != nil {
		return nil, err
	}
	var target probabilities
	switch {
	case (in.Target == "") == (in.TargetLog == ""):
		return nil, errors.New("want a policy to value: a file of probabilities or another log, one of them")
	case in.Target != "":
		target, err = readFile(in.Target, func(r io.Reader) (probabilities, error) {
			return readProbabilities(in.Target, r, in.Columns, in.Probability)
		})
	default:
		var other []choice
		other, err = readFile(in.TargetLog, func(r io.Reader) ([]choice, error) { return readChoices(in.TargetLog, r, in.Columns) })
		target = frequencies(other)
	}
	if err != nil {
		return nil, err
	}
	r, err := value(log, target)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", in.Log, err)
	}
	rows := []Row{Show(policyGroup, "mean reward of the log", r.Logged, 5).Noted("%d choices", r.N)}
	for _, v := range r.Values[:2] {
		rows = append(rows, Show(policyGroup, v.Name, v.Value, 5).Noted("± %.5f, %s", v.SE, interval(v)))
	}
	return toldBeyond(append(rows, told("", r)...), log, target), nil
}

func readFile[T any](path string, read func(io.Reader) (T, error)) (T, error) {
	f, err := os.Open(path)
	if err != nil {
		var none T
		return none, err
	}
	defer func() { _ = f.Close() }()
	return read(f)
}

// told are the figures of a report that nothing is demanded of.
func told(name string, r offpolicy.Report) []Row {
	var rows []Row
	for _, v := range r.Values[2:] {
		row := Show(policyGroup, name+v.Name, v.Value, 5).Noted("the model's error is not known")
		if !math.IsNaN(v.Low) {
			row = row.Noted("± %.5f, %s", v.SE, interval(v))
		}
		if v.Name == offpolicy.SwitchDR {
			row = row.Noted("%s; τ = %.2f", row.Note, r.Switch)
		}
		rows = append(rows, row)
	}
	ok, reasons := r.Recommend(offpolicy.Rule{})
	verdict := Row{Group: policyGroup, Name: name + recommended, Ours: "no", Verdict: Shown, Note: strings.Join(reasons, "; ")}
	if ok {
		verdict.Ours, verdict.Note = "yes", fmt.Sprintf("gain %.5f, %s", r.Gain.Value, interval(r.Gain))
	}
	return append(rows,
		Show(policyGroup, name+"effective sample", r.ESS, 0).Noted("of %d; %.1f effective rewards; mean weight %.3f", r.N, r.Rewards, r.MeanWeight), verdict)
}

func interval(v offpolicy.Value) string {
	if math.IsNaN(v.Low + v.High) {
		return "95 % bootstrap-t –"
	}
	return fmt.Sprintf("95 %% bootstrap-t %.5f to %.5f", v.Low, v.High)
}

// holds wants an interval to hold a figure.
func holds(name string, figure float64, v offpolicy.Value) Row {
	r := Row{Group: policyGroup, Name: name, Published: decimal(figure, 4), Target: "in the interval", Ours: fmt.Sprintf("%.5f to %.5f", v.Low, v.High)}
	return r.judge(v.Low <= figure && figure <= v.High, max(v.Low-figure, figure-v.High))
}
