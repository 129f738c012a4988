package segment

import (
	"context"
	"fmt"
	"slices"

	"github.com/handschlag/handschlag/batch/learn/value"
)

// bandCents are where the bands of expected value begin.
var bandCents = []int64{0, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000}

// tellValue says what persons are expected to buy.
func (n *night) tellValue(ctx context.Context) error {
	s := &ValueSection{HorizonDays: n.in.Config.Learning.HorizonDays, Parameters: []Parameter{}, Flags: []Words{}, Spread: []ValueBin{}, Tiers: []ValueTier{}, Against: []ValueBeside{}}
	n.report.Value = s
	if n.valued == nil {
		s.Reason = &Words{
			De: fmt.Sprintf("Zu wenige Käufer haben in das Lernen aus ihren Daten eingewilligt: unter %d.", fewestBuyers),
			En: fmt.Sprintf("Too few buyers consented to learning from their data: under %d.", fewestBuyers),
		}
		return nil
	}
	m := n.valued
	s.Known, s.Model, s.Parameters = true, "BG/NBD, Gamma-Gamma", orderParameters(m.Orders)
	if m.Slowing != nil {
		s.Model = "Slowing, Gamma-Gamma"
		s.Parameters = append(orderParameters(m.Slowing.BGNBD), Parameter{"s", m.Slowing.S}, Parameter{"beta", m.Slowing.Beta})
	} else {
		s.Parameters = append(s.Parameters, Parameter{"log_likelihood", m.LogLikelihood})
	}
	s.Parameters = append(s.Parameters, Parameter{"p", m.Spend.P}, Parameter{"q", m.Spend.Q}, Parameter{"gamma", m.Spend.Gamma})
	if c := n.valueChoice; c != nil {
		s.Choice = &ValueChoice{checkDays, c.plain, c.slowing}
	}
	for _, f := range m.Flags {
		s.Flags = append(s.Flags, flagWords(f))
	}
	if err := n.countValues(ctx, s); err != nil {
		return err
	}
	for _, b := range n.valueThen {
		s.Against = append(s.Against, n.besides(b))
	}
	return nil
}

func orderParameters(m value.BGNBD) []Parameter {
	return []Parameter{{"r", m.R}, {"alpha", m.Alpha}, {"a", m.A}, {"b", m.B}}
}

// countValues counts persons by expected value and by tier.
func (n *night) countValues(ctx context.Context, s *ValueSection) error {
	counts, all := make([]int64, len(bandCents)), int64(0)
	err := n.db.each(ctx, "select expected_value_cents, count(*) from features where expected_value_cents >= 0 group by all", func(scan func(...any) error) error {
		var cents, persons int64
		if err := scan(&cents, &persons); err != nil {
			return err
		}
		i, found := slices.BinarySearch(bandCents, cents)
		if !found {
			i--
		}
		counts[i], all = counts[i]+persons, all+persons
		return nil
	})
	if err != nil {
		return fmt.Errorf("counting expected values: %w", err)
	}
	s.Persons = &all
	for i, from := range bandCents {
		bin := ValueBin{FromCents: from, Persons: &counts[i]}
		if i+1 < len(bandCents) {
			bin.ToCents = bandCents[i+1]
		}
		s.Spread = append(s.Spread, bin)
	}
	return n.countTiers(ctx, s)
}

func (n *night) countTiers(ctx context.Context, s *ValueSection) error {
	err := n.db.each(ctx, `select tier, count(value_tier), coalesce(round(sum(expected_value_cents)::double / count(value_tier)), 0)
		from range(1, 6) as t (tier) left join features as f on f.value_tier = tier and f.expected_value_cents >= 0
		group by tier order by tier`, func(scan func(...any) error) error {
		var t ValueTier
		err := scan(&t.Tier, &t.Persons, &t.MeanCents)
		s.Tiers = append(s.Tiers, t)
		return err
	})
	if err != nil {
		return fmt.Errorf("counting value tiers: %w", err)
	}
	return nil
}

// besides is a group of buyers for the report.
func (n *night) besides(b beside) ValueBeside {
	out := ValueBeside{Group: Words{De: fmt.Sprintf("%d Bestelltage vorher", b.orders), En: fmt.Sprintf("%d order days before", b.orders)}, Persons: &b.persons, Expected: b.expected, Real: &b.later}
	switch b.orders {
	case 1:
		out.Group = Words{De: "1 Bestelltag vorher", En: "1 order day before"}
	case 4:
		out.Group = Words{De: "4 oder mehr Bestelltage vorher", En: "4 or more order days before"}
	}
	return out
}

// flagWords says what is to be careful about in a value model.
func flagWords(f value.Flag) Words {
	if w, ok := valueFlags[f]; ok {
		return w
	}
	return Words{De: string(f), En: string(f)}
}

var valueFlags = map[value.Flag]Words{
	value.NoHistories:   {De: "Kein Käufer, aus dem zu lernen wäre.", En: "No buyer to learn from."},
	value.NobodyReturns: {De: "Dass jemand nach einer langen Pause wieder bestellt, ist in diesen Daten nicht zu sehen.", En: "Nobody is seen to order again after a long pause in these data."},
	value.NoRepeat:      {De: "Niemand bestellte zweimal: die Häufigkeit ist geraten, und niedrig.", En: "Nobody ordered twice: the rate is a guess, and low."},
	value.NobodyLeaves:  {De: "Ob jemand wegbleibt, ist in diesen Daten nicht zu sehen.", En: "Leaving cannot be seen in these data."},
	value.LeavingAlike:  {De: "Unterschiede im Wegbleiben sind nicht zu sehen.", En: "No difference in leaving can be seen."},
	value.OrderingAlike: {De: "Unterschiede in der Häufigkeit sind nicht zu sehen.", En: "No difference in rates can be seen."},
	value.SpendAlike:    {De: "Unterschiede in der Höhe der Bestellungen sind nicht zu sehen.", En: "No difference in spend can be seen."},
	value.NoSpend:       {De: "Keine Bestellung mit einem Wert.", En: "No order with a value."},
	value.FewRepeats:    {De: "Weniger als 100 Käufer bestellten an zwei Tagen.", En: "Fewer than 100 buyers ordered on two days."},
	value.NotConverged:  {De: "Die Schätzung ist nicht zu Ende gekommen.", En: "The estimate did not come to an end."},
}
