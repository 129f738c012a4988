package segment

import (
	"context"
	"fmt"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// countPersons counts persons, buyers, and for whom each feature says something.
func (n *night) countPersons(ctx context.Context) error {
	n.report.Persons, n.report.Buyers = new(int64), new(int64)
	if err := n.db.one(ctx, "select (select count(*) from features), (select buyers from thresholds)", n.report.Persons, n.report.Buyers); err != nil {
		return fmt.Errorf("counting persons: %w", err)
	}
	parts, into := make([]string, len(Columns)), make([]any, len(Columns))
	for i, c := range Columns {
		count := new(int64)
		parts[i], into[i] = fmt.Sprintf("coalesce(count_if(%s > 0), 0)::bigint", c.Name), count
		n.report.Features = append(n.report.Features, FeatureCount{Column: c, Persons: count})
	}
	if err := n.db.one(ctx, "select "+strings.Join(parts, ", ")+" from features", into...); err != nil {
		return fmt.Errorf("counting features: %w", err)
	}
	return nil
}

// countUse measures the last ingest day in the name of analytics.
func (n *night) countUse(ctx context.Context) error {
	n.report.Use, n.report.LeftOut = []KindCount{}, []RuleCount{}
	if len(n.snap.Days) == 0 {
		return nil
	}
	if err := n.attach(ctx, []string{n.snap.Days[len(n.snap.Days)-1].Path}); err != nil {
		return err
	}
	if err := n.countKinds(ctx); err != nil {
		return err
	}
	if err := n.judge(ctx, basis); err != nil {
		return err
	}
	if err := n.countLeftOut(ctx); err != nil {
		return err
	}
	return n.fieldCosts(ctx)
}

// countKinds counts the attached events that analytics may see.
func (n *night) countKinds(ctx context.Context) error {
	if err := n.judge(ctx, consent.Analytics); err != nil {
		return err
	}
	query := "select kind, sum(events)::bigint from judged join verdicts as v using (case_id, state, tag, age) where v.allowed group by kind order by kind"
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var kind int
		var c KindCount
		if err := scan(&kind, &c.Events); err != nil {
			return err
		}
		c.Kind = event.Kind(kind).String()
		n.report.Use = append(n.report.Use, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("measuring use: %w", err)
	}
	return nil
}

// countLeftOut names why events of the last ingest day, admitted that day, do not
// count tonight: BAT-01 if the grant of now does not cover them, BAT-03 if it was
// withdrawn since. Events that the host let go of already are no longer there to count.
func (n *night) countLeftOut(ctx context.Context) error {
	counts := map[string]int64{}
	query := "select case_id, state, tag, age, sum(events)::bigint from judged group by all"
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var c nightCase
		var events int64
		if err := scan(&c.id, &c.state, &c.tag, &c.age, &events); err != nil {
			return err
		}
		v, err := n.verdict(ctx, c)
		if err != nil || v.Allowed {
			return err
		}
		for _, rule := range v.Night {
			counts[rule] += events
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("counting what is left out: %w", err)
	}
	n.report.LeftOut = n.inWords(counts)
	return nil
}
