package segment

import (
	"context"
	"math"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/need"
)

// tellNeed says how good the points of need are: figures of rows that the points they
// were judged by had not seen.
func (n *night) tellNeed(context.Context) error {
	s := &NeedSection{Sessions: int64(len(n.made())), Verdict: NotKnown, Bins: []CalibrationBin{}, Points: []CardPoint{}}
	n.report.Need = s
	for _, t := range n.made() {
		if welcome(t.outcome) {
			s.Needing++
		}
	}
	if n.needCard == nil {
		s.Reason = &Words{De: "Zu wenige Angebote, oder die Merkmale sagen nicht mehr als der Durchschnitt.", En: "Too few offers, or the features say no more than the average: " + n.needWhy + "."}
		return nil
	}
	c := n.needCard
	s.Known, s.AUC = true, areaOf(c.Fit)
	s.Error, s.Verdict = learn.CalibrationError(c.Fit.Bands), needVerdicts[n.needJudged.Verdict]
	if n.scorecard != nil {
		s.Version = n.scorecard.Version
	}
	for _, b := range c.Fit.Bands {
		s.Bins = append(s.Bins, n.binOf(b))
	}
	s.Points = pointsOf(*c)
	return nil
}

var needVerdicts = map[learn.CalibrationVerdict]string{learn.Calibrated: Calibrated, learn.NotCalibrated: NotCalibrated, learn.DontKnow: NotKnown}

// areaOf is the area under the ROC curve with the interval of Hanley and McNeil
// (Radiology 143, 1982).
func areaOf(r need.Report) Figure {
	a, yes, no := r.AUC, float64(r.Yes), float64(r.Rows-r.Yes)
	q1, q2 := a/(2-a), 2*a*a/(1+a)
	e := z95 * math.Sqrt((a*(1-a)+(yes-1)*(q1-a*a)+(no-1)*(q2-a*a))/(yes*no))
	return Figure{Mean: a, Low: max(0, a-e), High: min(1, a+e)}
}

// binOf is a bin for the report; nothing of one under k.
func (n *night) binOf(b learn.Reliability) CalibrationBin {
	out := CalibrationBin{N: n.enough(int64(b.N))}
	if out.N != nil {
		out.PredictedLow, out.PredictedHigh, out.Predicted = b.From, b.To, b.Predicted
		out.Observed, out.Low, out.High = b.Observed, b.Low, b.High
	}
	return out
}

// pointsOf lists what each bin earns, features without points left out.
func pointsOf(c need.Card) (out []CardPoint) {
	for _, f := range c.Features {
		for i, b := range f.Bins {
			p := CardPoint{Feature: f.Name, Points: b.Points}
			if i > 0 {
				p.From = &f.Bins[i].AtLeast
			}
			if i+1 < len(f.Bins) {
				p.To = &f.Bins[i+1].AtLeast
			}
			if len(f.Bins) > 1 || b.Points != 0 {
				out = append(out, p)
			}
		}
	}
	return out
}
