package eval

import (
	"fmt"
	"io"
	"strings"

	"github.com/handschlag/handschlag/batch/learn/need"
)

// WriteCard prints a scorecard to be read: what each value of each feature earns, and what
// a sum of points stands for.
func WriteCard(w io.Writer, name string, c need.Card) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: everybody begins with %d points; %d points double the odds\n", name, c.Base, c.Double)
	for _, f := range c.Features {
		fmt.Fprintf(&b, "\n  %s (%s)\n", f.Name, f.Shape)
		for i, bin := range f.Bins {
			fmt.Fprintf(&b, "    %-24s %+5d   %6d rows, %5.1f %% positive\n", f.Label(i), bin.Points, bin.Rows, 100*float64(bin.Yes)/float64(max(1, bin.Rows)))
		}
	}
	for _, p := range c.Pairs {
		fmt.Fprintf(&b, "\n  %s, then %s: points beside those above\n    %-24s", p.A.Name, p.B.Name, "")
		for j := range p.B.Bins {
			fmt.Fprintf(&b, " %18s", p.B.Label(j))
		}
		for i, line := range p.Points {
			fmt.Fprintf(&b, "\n    %-24s", p.A.Label(i))
			for _, n := range line {
				fmt.Fprintf(&b, " %+18d", n)
			}
		}
		b.WriteString("\n")
	}
	b.WriteString("\n  points → probability (" + c.Curve.Method + ")\n")
	for _, r := range c.Table(10) {
		fmt.Fprintf(&b, "    %5d   %.3f\n", r.Points, r.Probability)
	}
	b.WriteString("  predicted → observed, each by points that had not seen the row\n")
	for _, r := range c.Fit.Bands {
		fmt.Fprintf(&b, "    %.3f   %.3f  (%.3f to %.3f, %d rows)\n", r.Predicted, r.Observed, r.Low, r.High, r.N)
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}
