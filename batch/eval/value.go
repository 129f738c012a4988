package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"time"

	learned "github.com/handschlag/handschlag/batch/learn/value"
)

// ValueFiles is a log of orders and how it is split in time.
type ValueFiles struct {
	Log         string // path; none: CDNOW's sample
	Shape       OrderLog
	Calibration string // last day of what is fitted
	Holdout     string // last day of what is forecast
}

// cdnow is the 1/10 sample of customers; its ids are those of the second column.
var cdnow = ValueFiles{Log: "cdnow/CDNOW_sample.txt", Shape: OrderLog{Buyer: 2, Date: 3, Amount: 5},
	Calibration: "1997-09-30", Holdout: "1998-06-30"}

// Value judges BG/NBD, Gamma-Gamma and Slowing: fits up to the last day of
// calibration, forecasts of the days after it. Of CDNOW it checks the published
// figures (SOURCE.md of the data) and the histories of the published summary.
func Value(_ context.Context, o Options, in ValueFiles) ([]Row, error) {
	if in.Log != "" {
		return judgeValue(o, in, os.Open, nil)
	}
	rows, err := judgeValue(o, cdnow, o.Open, publishedOfCDNOW)
	if errors.Is(err, fs.ErrNotExist) {
		return []Row{Absent("value", "CDNOW's sample")}, nil
	}
	return rows, err
}

func judgeValue(o Options, in ValueFiles, open func(string) (*os.File, error), compare func(Options, valueFit) ([]Row, error)) ([]Row, error) {
	from, to, err := in.days()
	if err != nil {
		return nil, err
	}
	f, err := open(in.Log)
	if err != nil {
		return nil, fmt.Errorf("opening the log of orders: %w", err)
	}
	log, err := ReadOrders(f, in.Log, in.Shape)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err := in.within(log, from, to, o.TrainOnly); err != nil {
		return nil, err
	}
	known, after := split(log, from, to)
	holdout := Hold(fmt.Sprintf("%s, %s to %s", in.Log, in.Calibration, in.Holdout), after)
	fit, err := fitValue(known, float64(to-from))
	if err != nil {
		return nil, fmt.Errorf("fitting %s: %w", in.Log, err)
	}
	var rows []Row
	if compare != nil {
		rows, err = compare(o, fit)
	} else {
		rows = fit.parameters()
	}
	if err != nil {
		return nil, err
	}
	earlier, err := rolling(log, from)
	if err != nil {
		return nil, err
	}
	rows = append(append(rows, fit.ours()...), earlier...)
	if !o.TrainOnly {
		rows = append(rows, fit.judged(holdout.Open(o), compare != nil)...)
	}
	return rows, nil
}

// days are both ends as days since 1970.
func (in ValueFiles) days() (from, to int, err error) {
	calibration, err := time.Parse(time.DateOnly, in.Calibration)
	if err != nil {
		return 0, 0, fmt.Errorf("the last day of calibration, %q, is no date like 1997-09-30", in.Calibration)
	}
	holdout, err := time.Parse(time.DateOnly, in.Holdout)
	if err != nil {
		return 0, 0, fmt.Errorf("the last day of the hold-out, %q, is no date like 1998-06-30", in.Holdout)
	}
	if !holdout.After(calibration) {
		return 0, 0, fmt.Errorf("the hold-out ends on %s, not after the calibration (%s)", in.Holdout, in.Calibration)
	}
	return daysOf(calibration), daysOf(holdout), nil
}

// within wants the calibration, and what is judged, inside the days that the log has orders of:
// nobody knows what happened on others.
func (in ValueFiles) within(log map[string][]order, from, to int, trainOnly bool) error {
	first, last := math.MaxInt, math.MinInt
	for _, orders := range log {
		first, last = min(first, orders[0].day), max(last, orders[len(orders)-1].day)
	}
	day := func(d int) string { return time.Unix(int64(d)*24*60*60, 0).UTC().Format(time.DateOnly) }
	switch {
	case from < first || from > last:
		return fmt.Errorf("the calibration ends on %s; %s has orders from %s to %s", in.Calibration, in.Log, day(first), day(last))
	case to > last && !trainOnly:
		return fmt.Errorf("the hold-out ends on %s; %s has orders from %s to %s, and nothing is known of the days after", in.Holdout, in.Log, day(first), day(last))
	}
	return nil
}

// valueFit is a model and what it expects of each buyer, by BG/NBD and by Slowing.
type valueFit struct {
	model      learned.Model
	trails     []learned.Trail
	buyers     []buyer
	days       float64
	bgnbd, own []learned.Expectation
}

func fitValue(known []buyer, days float64) (valueFit, error) {
	f := valueFit{buyers: known, days: days}
	var spends []learned.Spend
	for _, b := range known {
		f.trails, spends = append(f.trails, b.trail), append(spends, b.spend)
	}
	m, err := learned.FitTrails(f.trails, spends)
	if err != nil {
		return f, err
	}
	f.model = m
	outlook := m.Outlook(days)
	for _, b := range known {
		f.bgnbd = append(f.bgnbd, m.Expect(b.trail.History(), b.spend, days))
		f.own = append(f.own, outlook.Expect(b.trail, b.spend))
	}
	return f, nil
}

// parameters shows a fit that nothing is published of.
func (f valueFit) parameters() []Row {
	m := f.model
	return []Row{
		Show("value", "buyers", m.Buyers, 0).Noted("flags %q", m.Flags),
		Show("value", "BG/NBD r", m.Orders.R, 3), Show("value", "BG/NBD α, weeks", m.Orders.Alpha, 3),
		Show("value", "BG/NBD a", m.Orders.A, 3), Show("value", "BG/NBD b", m.Orders.B, 3),
		Show("value", "BG/NBD log-likelihood", m.LogLikelihood, 1),
		Show("value", "Gamma-Gamma p", m.Spend.P, 2), Show("value", "Gamma-Gamma q", m.Spend.Q, 2), Show("value", "Gamma-Gamma γ", m.Spend.Gamma, 2),
		Show("value", "BG/NBD forecast, orders", total(f.bgnbd), 1),
	}
}

// ours shows what Slowing adds, on calibration data.
func (f valueFit) ours() []Row {
	if f.model.Slowing == nil {
		return nil
	}
	r := f.model.Slowing
	return []Row{
		Show("value", "Slowing log-likelihood", r.LogLikelihood(f.trails), 1).Noted("r %.3f, α %.3f, a %.3f, b %.3f, s %.3f, β %.2f; BG/NBD %.1f", r.R, r.Alpha, r.A, r.B, r.S, r.Beta, f.model.LogLikelihood),
		Show("value", "Slowing forecast, orders", total(f.own), 1),
	}
}

// rolling shows both models at six earlier as-ofs, judged by what came between them
// and the end of calibration: beside the likelihood, what Slowing was chosen by.
func rolling(log map[string][]order, end int) ([]Row, error) {
	var wrong, off, bgnbdWrong, bgnbdOff, n float64
	for weeks := 8; weeks <= 18; weeks += 2 {
		known, after := split(log, end-7*weeks, end)
		if len(known) == 0 {
			continue
		}
		f, err := fitValue(known, float64(7*weeks))
		if err != nil {
			return nil, fmt.Errorf("fitting %d weeks before the end of calibration: %w", weeks, err)
		}
		wrong, bgnbdWrong, n = wrong+rmse(f.own, after), bgnbdWrong+rmse(f.bgnbd, after), n+1
		off, bgnbdOff = off+math.Abs(excess(f.own, after)), bgnbdOff+math.Abs(excess(f.bgnbd, after))
	}
	return []Row{
		Show("value", "last 8 to 18 weeks of calibration, mean RMSE", wrong/n, 4).Noted("BG/NBD %.4f", bgnbdWrong/n),
		Show("value", "last 8 to 18 weeks of calibration, mean total error, %", off/n, 1).Noted("BG/NBD %.1f", bgnbdOff/n),
	}, nil
}

// judged compares the forecasts with what came.
func (f valueFit) judged(after []later, targets bool) []Row {
	wrong, off := rmse(f.own, after), math.Abs(excess(f.own, after))
	rows := []Row{
		Show("value", "hold-out RMSE of BG/NBD, orders", rmse(f.bgnbd, after), 4),
		Show("value", "hold-out total error of BG/NBD, %", excess(f.bgnbd, after), 1),
		Show("value", "hold-out value error of BG/NBD, %", excessCents(f.bgnbd, after), 1),
		Show("value", "hold-out RMSE, orders", wrong, 4),
		Show("value", "hold-out total error, %", off, 1),
		Show("value", "hold-out value error, %", excessCents(f.own, after), 1),
	}
	if targets {
		rows[3], rows[4] = AtMost("value", rows[3].Name, 1.60, wrong, 4), AtMost("value", rows[4].Name, 12, off, 1)
	}
	sum := 0.0
	for _, l := range after {
		sum += l.orders
	}
	rows[4] = rows[4].Noted("Slowing: forecast %.1f, came %.0f", total(f.own), sum)
	return rows
}

func total(expected []learned.Expectation) float64 {
	sum := 0.0
	for _, e := range expected {
		sum += e.Orders
	}
	return sum
}

// rmse is the root mean square error of orders per buyer.
func rmse(expected []learned.Expectation, after []later) float64 {
	sum := 0.0
	for i, e := range expected {
		sum += (e.Orders - after[i].orders) * (e.Orders - after[i].orders)
	}
	return math.Sqrt(sum / float64(len(after)))
}

// excess is the percent of orders forecast above those that came.
func excess(expected []learned.Expectation, after []later) float64 {
	came := 0.0
	for _, l := range after {
		came += l.orders
	}
	return 100 * (total(expected)/came - 1)
}

// excessCents is the same of their value.
func excessCents(expected []learned.Expectation, after []later) float64 {
	sum, came := 0.0, 0.0
	for i, e := range expected {
		sum, came = sum+e.Cents, came+after[i].cents
	}
	return 100 * (sum/came - 1)
}
