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
	s.Sessions, s.Needing = &all, &needing
	switch {
	case n.needCard == nil:
		s.Reason = &Words{De: "Zu wenige Angebote, oder die Merkmale sagen nicht mehr als der Durchschnitt.", En: "Too few offers, or the features say no more than the average."}
		return nil
	case !n.parted(all, needing): // the intervals would tell how many
		s.Reason = &Words{De: "Zu wenige hatten einen Bedarf, oder zu wenige keinen, um mehr zu sagen.", En: "Too few had a need, or too few had none, to say more."}
		return nil
	}
	c := n.needCard
	s.Known, s.AUC = true, areaOf(c.Fit)
	s.Error, s.Verdict = learn.CalibrationError(c.Fit.Bands), needVerdicts[n.needJudged.Verdict]
	if n.scorecard != nil {
		s.Version = n.scorecard.Version
	}
	s.Bins = n.binsOf(c.Fit.Bands)
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

// binsOf are the bins for the report. Who had a need and who had none are persons: a bin is
// left out where either is under k.
func (n *night) binsOf(bands []learn.Reliability) []CalibrationBin {
	out := make([]CalibrationBin, len(bands))
	for i, b := range bands {
		if count := int64(b.N); b.N >= n.k && n.parted(count, int64(b.Yes)) {
			out[i] = CalibrationBin{
				N: &count, PredictedLow: b.From, PredictedHigh: b.To, Predicted: b.Predicted,
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
