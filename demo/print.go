package demo

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// Print writes the summary as text.
func (sum Summary) Print(to io.Writer) {
	_, _ = fmt.Fprintf(to, "── %s\n", sum.Shop)
	out := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) {
		_, _ = fmt.Fprintf(out, "  %s\t%s\n", what, fmt.Sprintf(format, args...))
	}
	sum.Clicks.print(line, "clicks (real; consents and times invented)")
	sum.Orders.print(line, "orders of these days (invented)")
	sum.Companion.print(line, "companion day (invented)")
	line("offers", "%s", counts(sum.Offers))
	what := "  two commonest reasons"
	for _, o := range slices.Sorted(maps.Keys(sum.Offers)) {
		for _, w := range sum.top(o, 2) {
			line(what, "%s: %s ×%d %s", o, w.Rule, w.N, short(w.En))
			what = ""
		}
	}
	line("prices", "%s", counts(sum.Prices))
	line("advisers", "%s; kill switch used %d times", counts(sum.Contacts), sum.Switches)
	sum.Export.print(line)
	_ = out.Flush()
}

func (e Events) print(line func(string, string, ...any), name string) {
	invalid := 0
	for _, n := range e.Invalid {
		invalid += n
	}
	line(name, "admitted %d · refused %d · invalid %d · duplicate %d", e.Admitted, e.Turned, invalid, e.Duplicate)
	line("  refused by rule", "%s", counts(e.Refused))
	line("  invalid by code", "%s", counts(e.Invalid))
}

func (x Export) print(line func(string, string, ...any)) {
	line("segments as of "+x.Date, "%d files; groups under %d stay inside: %d suppressed; persons in steps of %d", x.Files, x.Manifest.K, len(x.Manifest.Suppressed), x.Manifest.K)
	for _, s := range x.Manifest.Segments {
		var ways []string
		for _, c := range s.Channels {
			switch {
			case c.Published && c.Rows != nil:
				ways = append(ways, fmt.Sprintf("%s %d (consent loss %s)", c.Channel, *c.Rows, number(c.Loss)))
			default:
				ways = append(ways, c.Channel+" –")
			}
		}
		members := "members withheld" // under k, or all of one sensitive kind
		if s.Members != nil {
			members = fmt.Sprintf("%d members", *s.Members)
		}
		line("  "+s.Name, "%s → %s", members, strings.Join(ways, ", "))
	}
}

// number prints a count, or that it is withheld.
func number(n *int64) string {
	if n == nil {
		return "withheld"
	}
	return fmt.Sprint(*n)
}

// top gives the commonest reasons of an offer.
func (sum Summary) top(offer string, n int) []Why {
	var out []Why
	for _, w := range sum.Why {
		if w.Offer == offer && len(out) < n {
			out = append(out, w)
		}
	}
	return out
}

// counts prints a map, most first.
func counts(m map[string]int) string {
	var out []string
	for _, k := range byCount(m) {
		out = append(out, fmt.Sprintf("%s %d", k, m[k]))
	}
	if out == nil {
		return "none"
	}
	return strings.Join(out, " · ")
}

func short(s string) string {
	if r := []rune(s); len(r) > 96 {
		return string(r[:95]) + "…"
	}
	return s
}
