package eval

import (
	"fmt"
	"math"
	"strings"
)

// Row is one line of the table: a target and what became of it.
type Row struct {
	Group     string `json:"group"`               // value | intent | uplift | policy | variants | kmeans | fairness
	Name      string `json:"name"`                // what is measured
	Published string `json:"published,omitempty"` // the figure of the data's source
	Target    string `json:"target,omitempty"`    // what ours has to be; none: shown for comparison
	Ours      string `json:"ours"`
	Verdict   string `json:"verdict"`        // pass | missed | shown | not present
	By        string `json:"by,omitempty"`   // how much was missing
	Note      string `json:"note,omitempty"` // the interval, the split, the source
}

// The verdicts.
const (
	Pass       = "pass"
	Missed     = "missed"
	Shown      = "shown"
	NotPresent = "not present"
)

// Near wants ours within tolerance of the published figure. places is how many
// decimals are printed.
func Near(group, name string, published, ours, tolerance float64, places int) Row {
	r := Row{Group: group, Name: name, Published: decimal(published, places), Target: "± " + short(tolerance), Ours: decimal(ours, places)}
	return r.judge(math.Abs(ours-published) <= tolerance, math.Abs(ours-published)-tolerance)
}

// Digits wants ours to round to the published figure at so many decimals.
func Digits(group, name string, published, ours float64, places int) Row {
	r := Row{Group: group, Name: name, Published: decimal(published, places), Target: fmt.Sprintf("equal, %d decimals", places), Ours: decimal(ours, places)}
	return r.judge(decimal(published, places) == decimal(ours, places), math.Abs(ours-published))
}

// AtLeast wants ours to reach a target.
func AtLeast(group, name string, target, ours float64, places int) Row {
	r := Row{Group: group, Name: name, Target: "≥ " + short(target), Ours: decimal(ours, places)}
	return r.judge(ours >= target, target-ours)
}

// AtMost wants ours to stay at or under a target.
func AtMost(group, name string, target, ours float64, places int) Row {
	r := Row{Group: group, Name: name, Target: "≤ " + short(target), Ours: decimal(ours, places)}
	return r.judge(ours <= target, ours-target)
}

// Show tells a figure that nothing is demanded of.
func Show(group, name string, ours float64, places int) Row {
	return Row{Group: group, Name: name, Ours: decimal(ours, places), Verdict: Shown}
}

// Unknown is the row of a figure that nothing is estimated of, and why.
func Unknown(group, name, format string, args ...any) Row {
	return Row{Group: group, Name: name, Ours: "–", Verdict: Shown}.Noted(format, args...)
}

// Absent is the row of a data set that is not there.
func Absent(group, name string) Row {
	return Row{Group: group, Name: name, Ours: "–", Verdict: NotPresent}
}

// Noted adds a remark, and the figure of the source where the row has none.
func (r Row) Noted(format string, args ...any) Row {
	r.Note = fmt.Sprintf(format, args...)
	return r
}

// judge gives the verdict; what is not a number passes nothing.
func (r Row) judge(ok bool, by float64) Row {
	r.Verdict = Pass
	if !ok {
		r.Verdict, r.By = Missed, short(by)
	}
	return r
}

// decimal writes a figure; "–" where there is none.
func decimal(v float64, places int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "–"
	}
	s := fmt.Sprintf("%.*f", places, v)
	if strings.Trim(s, "-0.") == "" {
		return strings.TrimPrefix(s, "-")
	}
	return s
}

func short(v float64) string { return fmt.Sprintf("%.3g", v) }
