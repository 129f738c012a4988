package segment

import (
	"context"
	"fmt"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// basis is the purpose that the night's features, segments and value tiers rest on.
const basis = consent.PersonalisationContent

// column is a property of stored events as SQL sees it: kept or its zero.
type column struct {
	field event.Field
	name  string
	zero  string
}

// columns name what event.Fields.Keep narrows, field by field.
var columns = []column{
	{event.FieldProduct, "product_id", "''"},
	{event.FieldCategory, "category", "''"},
	{event.FieldProductClass, "product_class", "''"},
	{event.FieldPrice, "price_cents", "0"},
	{event.FieldQuantity, "quantity", "0"},
	{event.FieldItems, "items", "[]"},
	{event.FieldVariant, "product_variant", "''"},
	{event.FieldQueryKey, "query_key", "0"},
	{event.FieldQueryWords, "query_words", "[]"},
	{event.FieldQueryExact, "query_exact", "false"},
	{event.FieldResults, "results", "-1"}, // not told
	{event.FieldCart, "cart_cents", "0"},
	{event.FieldOrder, "order_key", "0"},
	{event.FieldCurrency, "currency", "''"},
	{event.FieldStep, "step", "0"},
	{event.FieldErrorClass, "error_class", "''"},
	{event.FieldDecision, "decision_id", "''"},
	{event.FieldSlot, "slot", "''"},
	{event.FieldSlot, "slot_variant", "''"},
	{event.FieldPageType, "page_type", "''"},
	{event.FieldReferrer, "referrer_host", "''"},
	{event.FieldUAFamily, "ua_family", "''"},
	{event.FieldIPPrefix, "ip_prefix", "''"},
	{event.FieldLocale, "locale", "''"},
	{event.FieldHourBand, "hour_band", "''"},
	{event.FieldDwell, "dwell_ms", "0"},
	{event.FieldAuthenticated, "authenticated", "false"},
}

// viewOf is the name of the only door to a purpose's events.
func viewOf(p consent.Purpose) string { return "events_" + string(p) }

// eventViews makes, per purpose of the gate, the view that shows the events which
// tonight's verdicts admit, and of each only the fields they keep. SQL reads
// events through nothing else: so what trains a model was agreed to for that (BAT-08).
func (n *night) eventViews(ctx context.Context) error {
	for _, p := range policy.GatePurposes {
		var shown strings.Builder
		for _, c := range columns {
			fmt.Fprintf(&shown, ",\n    if((v.keep & g.kept) >> %d & 1 = 1, g.%s, %s) as %s", c.field, c.name, c.zero, c.name)
		}
		query := fmt.Sprintf(`create or replace view %s as
select g.subject, g.message_key, g.kind, g.occurred_ms, g.received_ms, g.gpc, g.dnt, g.tag%s
from gate(%d) as g
join verdicts as v using (case_id, state, tag, age)
where v.allowed`, viewOf(p), shown.String(), p.Bit())
		if err := n.db.exec(ctx, query); err != nil {
			return fmt.Errorf("making view %s: %w", viewOf(p), err)
		}
	}
	return nil
}

// nightCase is a case of the day with what changed since. It decides alike for
// every event that shares it.
type nightCase struct {
	id         int64
	state, tag string
	age        string
}

// decide asks the rules about the cases of the attached events that no verdict
// knows yet. An event whose case the snapshot does not hold stops the night:
// nobody could say why it was admitted.
func (n *night) decide(ctx context.Context, p consent.Purpose) error {
	return n.decideOf(ctx, p, fmt.Sprintf("gate(%d)", p.Bit()))
}

// judge makes table judged, in one pass: how many of the attached events of a purpose are
// alike in their case, in the fields kept of them, in kind, and in whether they are searches
// without result. It decides their cases.
func (n *night) judge(ctx context.Context, p consent.Purpose) error {
	query := fmt.Sprintf(`create or replace table judged as
		select case_id, state, tag, coalesce(age, '') as age, kept, kind, coalesce(results = 0, false) as in_vain, count(*) as events
		from gate(%d)
		group by all`, p.Bit())
	if err := n.db.exec(ctx, query); err != nil {
		return fmt.Errorf("counting cases of %s: %w", p, err)
	}
	return n.decideOf(ctx, p, "judged")
}

func (n *night) decideOf(ctx context.Context, p consent.Purpose, source string) error {
	var open []nightCase
	query := fmt.Sprintf(`select distinct case_id, state, tag, coalesce(age, '') from %s
		where (case_id, state, tag, coalesce(age, '')) not in (select case_id, state, tag, age from verdicts)`, source)
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var c nightCase
		if err := scan(&c.id, &c.state, &c.tag, &c.age); err != nil {
			return err
		}
		open = append(open, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing cases of %s: %w", p, err)
	}
	return n.db.fill("verdicts", func(add func(...any) error) error {
		for _, c := range open {
			v, err := n.verdict(ctx, c)
			if err != nil {
				return err
			}
			if err := add(c.id, c.state, c.tag, c.age, v.Allowed, int64(v.Keep)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (n *night) verdict(ctx context.Context, c nightCase) (policy.Verdict, error) {
	ec, known := n.cases[c.id]
	if !known {
		return policy.Verdict{}, fmt.Errorf("deciding cases: an event names case %d, which the snapshot does not hold", uint64(c.id))
	}
	ec.State, ec.Tag, ec.Age = policy.CaseState(c.state), policy.Tag(c.tag), c.age
	v, err := n.in.Rules.Event(ctx, ec)
	if err != nil {
		return policy.Verdict{}, fmt.Errorf("deciding case %d: %w", uint64(c.id), err)
	}
	return v, nil
}

// attach makes the events of some files the ones that the views show.
func (n *night) attach(ctx context.Context, paths []string) error {
	if err := n.untouched(paths); err != nil {
		return err
	}
	return n.show(ctx, fmt.Sprintf("read_parquet(%s) where %s", list(paths), n.part.events()))
}

// show makes rows of a source the events. Fields become columns right above the
// file, so that a query reads only those that it names.
func (n *night) show(ctx context.Context, source string) error {
	if err := n.db.exec(ctx, "create or replace view events as select * exclude (f), f.* from "+source); err != nil {
		return fmt.Errorf("reading events: %w", err)
	}
	return nil
}
