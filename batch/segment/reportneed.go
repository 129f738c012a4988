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
	s := &NeedSection{Verdict: NotKnown, Bins: []CalibrationBin{}, Points: []CardPoint{}}
	n.report.Need = s
	all, needing := int64(len(n.made())), int64(0)
	for _, t := range n.made() {
		if welcome(t.outcome) {
			needing++
		}
	}
	s.Sessions, s.Needing = n.enough(all), n.withhold([]int64{needing, all - needing})[0]
	switch {
	case n.needCard == nil:
		s.Reason = &Words{De: "Zu wenige Angebote, oder die Merkmale sagen nicht mehr als der Durchschnitt.", En: "Too few offers, or the features say no more than the average."}
		return nil
	case s.Sessions == nil || s.Needing == nil: // the intervals would tell how many
		s.Reason = &Words{De: "Zu wenige hatten einen Bedarf, oder zu wenige keinen, um mehr zu sagen.", En: "Too few had a need, or too few had none, to say more."}
		return nil
	}
	c := n.needCard
	s.Known, s.AUC = true, areaOf(c.Fit)
	s.Error, s.Verdict = learn.CalibrationError(c.Fit.Bands), needVerdicts[n.needJudged.Verdict]
	if n.scorecard != nil {
		s.Version = n.scorecard.Version
	}
	s.Bins = n.binsOf(c.Fit.Bands, all, needing)
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

// binsOf are the bins for the report. Who had a need and who had none are persons, and all
// of them are told: a bin is left out where either is under k, or would let another follow,
// or those who are in no bin.
func (n *night) binsOf(bands []learn.Reliability, all, needing int64) []CalibrationBin {
	last := len(bands)
	yes, no, out := make([]int64, last+1), make([]int64, last+1), make([]CalibrationBin, last)
	yes[last], no[last] = needing, all-needing
	for i, b := range bands {
		yes[i], no[i] = int64(b.Yes), int64(b.N-b.Yes)
		yes[last], no[last] = yes[last]-yes[i], no[last]-no[i]
	}
	yesTold, noTold := n.withhold(yes), n.withhold(no)
	for i, b := range bands {
		if yesTold[i] != nil && noTold[i] != nil {
			out[i] = CalibrationBin{
				N: n.enough(int64(b.N)), PredictedLow: b.From, PredictedHigh: b.To, Predicted: b.Predicted,
				Observed: b.Observed, Low: b.Low, High: b.High,
			}
		}
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
