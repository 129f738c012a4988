package segment

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/variant"
)

// z95 is the standard normal quantile of a two-sided interval of 95 %.
const z95 = 1.959963984540054

// tellOffers says what offering a human brings, against the random hold-out.
func (n *night) tellOffers(context.Context) error {
	v := n.effect
	s := &OfferSection{Known: v.Known, HeldOut: n.armOf(n.arms[0]), Offered: n.armOf(n.arms[1])}
	n.report.Offer = s
	if min(n.arms[0].persons, n.arms[1].persons) < int64(n.k) {
		s.Known, s.Reason = false, &Words{De: "Noch keine zwei Gruppen, die groß genug sind.", En: "Not two groups yet that are large enough."}
		return nil
	}
	n.tellEffect(s)
	if !v.Known {
		s.Reason, s.Advice = afterDontKnow(Words(v.Reason.Said())), &Words{De: "Nichts ist zu ändern empfohlen.", En: "No change is recommended."}
		return nil
	}
	all := n.arms[0].persons + n.arms[1].persons
	target := int64(math.Round(v.Target.Share * float64(all)))
	s.Target, s.Recommend = &target, v.Target.Share > 0
	s.Advice = new(Words(v.Reason.Said()))
	return nil
}

// tellEffect tells what differs between both arms, unless one of them is withheld: it
// would follow from the other and the difference. What an adviser costs is told, and the
// gain with it, where it does not tell that fewer than k took an offer up.
func (n *night) tellEffect(s *OfferSection) {
	took := n.parted(n.arms[1].persons, n.takenUp)
	if took {
		s.AdviserCents = new(float64(n.adviserCents()))
	}
	if s.HeldOut.Conversion == nil || s.Offered.Conversion == nil {
		return
	}
	v, cost := n.effect, float64(n.adviserCents())
	s.Conversion = new(difference(n.arms[1].share(), n.arms[0].share()))
	s.NetCents = new(difference(n.arms[1].net(), n.arms[0].net()))
	if took {
		s.GainCents = &Figure{Mean: v.Effect - cost, Low: v.Low - cost, High: v.High - cost}
	}
	if v.Known {
		s.Q = &Figure{Mean: v.Ranking.Q, Low: v.Ranking.Q, High: v.Ranking.Q}
	}
}

// afterDontKnow is a reason as it stands behind the page's own "Don't know."
func afterDontKnow(w Words) *Words {
	upper := func(s string) string {
		if s == "" {
			return s
		}
		return strings.ToUpper(s[:1]) + s[1:]
	}
	return &Words{De: upper(strings.TrimPrefix(w.De, "Wir wissen es nicht: ")), En: upper(strings.TrimPrefix(w.En, "We don't know: "))}
}

// parted reports whether a part of all may be told beside them: neither it nor the rest
// is a number from 1 to under k.
func (n *night) parted(all, part int64) bool {
	under := func(count int64) bool { return count > 0 && count < int64(n.k) }
	return !under(part) && !under(all-part)
}

// armOf is one side for the report. How many ordered is a number of
// persons too, and so is how many did not: both follow from the share.
func (n *night) armOf(a arm) Arm {
	out := Arm{Persons: &a.persons}
	if a.persons < int64(n.k) || !n.parted(a.persons, a.ordered) {
		return out
	}
	p := float64(a.ordered) / float64(a.persons)
	low, high := learn.Wilson(int(a.ordered), int(a.persons), z95)
	out.Conversion, out.NetCents = &Figure{Mean: p, Low: low, High: high}, new(float64(a.netCents)/float64(a.persons))
	return out
}

// sample is a mean with the square of its standard error.
type sample struct{ mean, variance float64 }

func (a arm) share() sample {
	n := float64(max(1, a.persons))
	p := float64(a.ordered) / n
	return sample{p, p * (1 - p) / n}
}

func (a arm) net() sample {
	n := float64(max(1, a.persons))
	mean := float64(a.netCents) / n
	return sample{mean, (a.squares/n - mean*mean) / max(1, n-1)}
}

// difference is that of two means, with its normal interval.
func difference(a, b sample) Figure {
	d, e := a.mean-b.mean, z95*math.Sqrt(max(0, a.variance+b.variance))
	return Figure{Mean: d, Low: d - e, High: d + e}
}

// tellVariants shows a board for each slot.
func (n *night) tellVariants(context.Context) error {
	n.report.Variants = []VariantSection{}
	for _, p := range n.proposals {
		n.report.Variants = append(n.report.Variants, n.boardOf(p))
	}
	return nil
}

// boardOf is a slot's board: the shares of everybody. What was seen by fewer than k
// persons is "don't know".
func (n *night) boardOf(p variant.Proposal) VariantSection {
	s := VariantSection{Rows: []VariantRow{}, Metric: &Words{
		De: fmt.Sprintf("Anteil mit Bestellung binnen %d Tagen", n.in.Config.Learning.RewardDays),
		En: fmt.Sprintf("share with an order within %d days", n.in.Config.Learning.RewardDays),
	}}
	seen := int64(0)
	for _, r := range p.Board {
		s.Slot = r.Slot
		if r.Segment != "" {
			continue
		}
		count := max(r.N, 1) // 0 stands for any number under k
		row := VariantRow{Variant: r.Variant, N: &count, NowPPM: r.Current, NextPPM: r.Share, Vetoes: []Words{}, Factors: n.factors(r.Slot, r.Variant)}
		if r.N > 0 {
			row.Estimate, s.Known = &Figure{Mean: r.Mean, Low: r.Low, High: r.High}, true
		}
		for _, v := range p.Vetoes {
			if v.Variant == r.Variant {
				row.Vetoes = append(row.Vetoes, guardWords[v.Metric])
			}
		}
		s.Rows, seen = append(s.Rows, row), seen+r.N
	}
	if !s.Known {
		s.Reason = &Words{De: "Noch zu wenige Personen mit Einwilligung in Tests.", En: "Too few persons yet who consented to tests."}
		return s
	}
	if p.Alarm.N > 0 {
		s.Alarm = &RatioAlarm{N: &p.Alarm.N, Alarm: p.Alarm.Fired, ChiSquare: p.Alarm.ChiSquare, Degrees: p.Alarm.Degrees, P: p.Alarm.P}
	}
	j, e := p.Promotion, z95*p.Promotion.ValueSE
	s.Promotion = &Promotion{
		Persons: &seen, Promoted: j.Promote, Effective: j.ESS, Why: promotionWords(j),
		Now: Figure{Mean: j.Current, Low: j.Current, High: j.Current}, Next: Figure{Mean: j.Value, Low: j.Value - e, High: j.Value + e},
	}
	return s
}

func (n *night) factors(slot, id string) map[string]string {
	for _, v := range n.in.Config.Slots[slot].Variants {
		if v.ID == id {
			return v.Factors
		}
	}
	return nil
}

var guardWords = map[string]Words{
	"returns":   {De: "mehr Rückgaben", En: "more returns"},
	"visits":    {De: "weniger kommen wieder", En: "fewer come back"},
	"net_cents": {De: "weniger Umsatz nach Rückgaben", En: "less revenue after returns"},
}

// promotionWords says why new shares are, or are not, in force.
func promotionWords(p variant.Promotion) Words {
	switch {
	case p.Promote:
		return Words{De: "Die neuen Anteile sind sicher besser, und keine Leitplanke spricht dagegen.", En: "The new shares are surely better, and no guardrail speaks against them."}
	case p.ESS < 1000 || p.Rewards < 25:
		return Words{De: "Das wissen wir nicht: zu wenige wirksame Fälle. Es bleibt, wie es ist.", En: "We don't know: too few effective cases. Everything stays as it is."}
	}
	for _, g := range p.Guards {
		if g.Veto {
			w := guardWords[g.Metric]
			return Words{De: "Eine Leitplanke spricht dagegen: " + w.De + " ist nicht ausgeschlossen.", En: "A guardrail speaks against it: " + w.En + " cannot be ruled out."}
		}
	}
	return Words{De: "Der Gewinn ist nicht sicher über null. Es bleibt, wie es ist.", En: "The gain is not surely above zero. Everything stays as it is."}
}
