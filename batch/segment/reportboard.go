package segment

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// board lists the slots that nobody learned about, with how often their variants were
// chosen and tonight's shares.
func (n *night) board(ctx context.Context) error {
	if err := n.decisionsView(ctx); err != nil {
		return err
	}
	chosen := map[[2]string]int64{}
	query := "select input->>'slot', result->>'variant', count(*) from decisions where action = 'variant' and json_type(input, '$.slot') = 'VARCHAR' group by all"
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var slot string
		var variant *string
		var count int64
		err := scan(&slot, &variant, &count)
		if variant != nil {
			chosen[[2]string{slot, *variant}] = count
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("counting variants: %w", err)
	}
	n.report.Variants = slices.DeleteFunc(n.report.Variants, func(v VariantSection) bool { return len(v.Rows) == 0 })
	for _, slot := range slices.Sorted(maps.Keys(n.in.Config.Slots)) {
		if slices.ContainsFunc(n.report.Variants, func(v VariantSection) bool { return v.Slot == slot }) {
			continue
		}
		s := VariantSection{Slot: slot, Reason: &Words{"Noch nichts gelernt: alle Varianten gelten als gleich gut.", "Nothing learned yet: all variants count as equally good."}}
		shares := n.weights.For(slot, "")
		for _, v := range n.in.Config.Slots[slot].Variants {
			s.Rows = append(s.Rows, VariantRow{Variant: v.ID, N: new(chosen[[2]string{slot, v.ID}]), NextPPM: shares[v.ID]})
		}
		n.report.Variants = append(n.report.Variants, s)
	}
	return nil
}
