package segment

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// openSet is how many persons in segments have one set of open channels.
type openSet struct {
	channels                 string // joined by line ends
	persons, buyers, ordered int64
}

func (s openSet) has(channel string) bool {
	return slices.Contains(strings.Split(s.channels, "\n"), channel)
}

// channelCosts says whom consent keeps from each channel, and what they ordered.
func (n *night) channelCosts(ctx context.Context) error {
	if err := n.db.table(ctx, "closed_channels"); err != nil {
		return err
	}
	var sets []openSet
	query := "select array_to_string(open_channels, chr(10)), persons, buyers, net_cents from closed_channels"
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var s openSet
		err := scan(&s.channels, &s.persons, &s.buyers, &s.ordered)
		sets = append(sets, s)
		return err
	})
	if err != nil {
		return fmt.Errorf("counting whom consent keeps from channels: %w", err)
	}
	for _, c := range n.in.Config.Exports.Channels {
		var all, lost openSet
		for _, s := range sets {
			all.persons += s.persons
			if !s.has(c.Name) {
				lost.persons, lost.buyers, lost.ordered = lost.persons+s.persons, lost.buyers+s.buyers, lost.ordered+s.ordered
			}
		}
		cost := ChannelCost{Channel: c.Name, Purpose: string(c.Purpose), Persons: &all.persons, Reached: new(all.persons - lost.persons), Lost: &lost.persons, Buyers: &lost.buyers, LostCents: &lost.ordered}
		n.report.Cost.Channels = append(n.report.Cost.Channels, cost)
	}
	return nil
}

// fieldCosts counts in how many of the judged events, the last ingest day's, the rules
// keep which field from segments.
func (n *night) fieldCosts(ctx context.Context) error {
	parts, counts := []string{"coalesce(sum(events), 0)::bigint"}, make([]int64, len(columns)+1)
	into := []any{&counts[0]}
	for i, c := range columns {
		parts = append(parts, fmt.Sprintf("coalesce(sum(events) filter (where (v.keep & kept) >> %d & 1 = 0), 0)::bigint", c.field))
		into = append(into, &counts[i+1])
	}
	query := fmt.Sprintf("select %s from judged join verdicts as v using (case_id, state, tag, age) where v.allowed", strings.Join(parts, ", "))
	if err := n.db.one(ctx, query, into...); err != nil {
		return fmt.Errorf("counting fields left out: %w", err)
	}
	n.report.Cost.Events = counts[0]
	for i, c := range columns {
		if counts[i+1] > 0 && (i == 0 || columns[i-1].field != c.field) {
			n.report.Cost.Fields = append(n.report.Cost.Fields, FieldCost{Field: c.field.String(), Events: counts[i+1]})
		}
	}
	slices.SortStableFunc(n.report.Cost.Fields, func(a, b FieldCost) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Field, b.Field))
	})
	return nil
}
