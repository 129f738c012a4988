package segment

import (
	"context"
	"fmt"
	"slices"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/policy"
)

// specialSegments lists, in SQL, the segments whose membership gives something
// sensitive away (SPC-01).
func (n *night) specialSegments() string {
	var names []string
	for _, s := range n.in.Config.Segments {
		if s.Special != "" {
			names = append(names, s.Name)
		}
	}
	return list(names)
}

// gateExports asks the rules about each distinct export case, and lists the rows
// that may leave.
func (n *night) gateExports(ctx context.Context) error {
	if err := n.channels(ctx); err != nil {
		return err
	}
	if err := n.db.set(ctx, "special_segments", n.specialSegments()); err != nil {
		return err
	}
	if err := n.db.set(ctx, "last_place", fmt.Sprint(max(1, len(n.in.Config.Segments))-1)); err != nil {
		return err
	}
	if err := n.customers(ctx); err != nil {
		return err
	}
	for _, t := range caseTables {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	if err := n.decideExports(ctx); err != nil {
		return err
	}
	if err := duckdb.RegisterScalarUDF(n.db.conn, "row_key", rowKeyFunction{n.keys}); err != nil {
		return fmt.Errorf("adding function row_key: %w", err)
	}
	for _, t := range []string{"groups", "exports", "cells"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// caseTables say who may be asked about, and of which export case each is.
var caseTables = []string{
	"memberships", "standings_asked", "person_facts", "kinds", "crowds", "kind_cases", "export_cases", "candidates", "case_rows",
}

// channels makes the tables of what the configuration says about each channel.
func (n *night) channels(ctx context.Context) error {
	if err := n.db.exec(ctx, `create or replace table channels (channel varchar, purpose varchar, bit integer, reach varchar, recipient varchar,
			medium varchar, marketing boolean, existing boolean, goods varchar[], confirmed_there boolean, named_by_all boolean);
		create or replace table naming (channel varchar, notice varchar);
		create or replace table channel_fields (channel varchar, field varchar);
		create or replace table destinations (segment varchar, channel varchar);
		create or replace type case_state as enum (`+literals(policy.CaseStates)+`);
		create or replace type case_age as enum ('unknown', 'adult', '16_17', 'u16');
		create or replace type case_tag as enum (`+literals(policy.Tags)+`)`); err != nil {
		return fmt.Errorf("making table channels: %w", err)
	}
	if err := n.db.set(ctx, "exports_off", fmt.Sprint(n.in.ExportsOff)); err != nil {
		return err
	}
	for _, c := range n.in.Config.Exports.Channels {
		about, naming := n.noticesAbout(c.Purpose), n.in.Config.NoticesNaming(c.Recipient)
		all := len(about) > 0 && !slices.ContainsFunc(about, func(v string) bool { return !slices.Contains(naming, v) })
		query := fmt.Sprintf(`insert into channels values (%s, %s, %d, %s, %s, %s, %t, %t, %s, %t, %t);
			insert into naming select %[1]s, unnest(%[12]s);
			insert into channel_fields select %[1]s, unnest(%[13]s)`,
			quote(c.Name), quote(string(c.Purpose)), c.Purpose.Bit(), quote(reaches[c.Purpose.Reach()]), quote(c.Recipient),
			quote(c.Purpose.Channel()), c.Purpose.Channel() != "", c.Existing.On, list(c.Existing.Goods), c.DoubleOptIn != "ours", all,
			list(naming), list(fieldsOf(c)))
		if err := n.db.exec(ctx, query); err != nil {
			return fmt.Errorf("filling table channels: %w", err)
		}
		for _, s := range n.in.Config.Segments {
			if !s.Leaves(c.Purpose) {
				continue
			}
			if err := n.db.exec(ctx, fmt.Sprintf("insert into destinations values (%s, %s)", quote(s.Name), quote(c.Name))); err != nil {
				return fmt.Errorf("filling table destinations: %w", err)
			}
		}
	}
	return nil
}

// noticesAbout lists the notices that explain a purpose; for one that needs no
// consent, every notice.
func (n *night) noticesAbout(p consent.Purpose) (out []string) {
	for _, x := range n.in.Config.Notices {
		if !p.Gated() || slices.Contains(x.Purposes, p) {
			out = append(out, x.Version)
		}
	}
	return out
}

// fieldsOf are the columns of a channel's files, in their order (EXP-08).
func fieldsOf(c config.Channel) []string {
	if len(c.Fields) == 0 {
		return config.ExportFields
	}
	return slices.DeleteFunc(slices.Clone(config.ExportFields), func(f string) bool { return !slices.Contains(c.Fields, f) })
}

// customers makes table bought, empty unless a channel writes to existing
// customers (EXP-02): only then are the events of orders read once more.
func (n *night) customers(ctx context.Context) error {
	asked := slices.ContainsFunc(n.in.Config.Exports.Channels, func(c config.Channel) bool { return c.Existing.On })
	if !asked || len(n.snap.Days) == 0 {
		if err := n.db.exec(ctx, "create or replace table bought (person uuid, categories varchar[])"); err != nil {
			return fmt.Errorf("making table bought: %w", err)
		}
		return nil
	}
	paths := make([]string, len(n.snap.Days))
	for i, d := range n.snap.Days {
		paths[i] = d.Path
	}
	if err := n.attach(ctx, paths); err != nil {
		return err
	}
	if err := n.decide(ctx, basis); err != nil {
		return err
	}
	return n.db.table(ctx, "bought")
}

// recipientFact is what the register says about a channel's recipient (EXP-08).
// It does not matter to it that the rows bear pseudonyms.
func (n *night) recipientFact(c config.Channel) policy.RecipientFact {
	r, ok := n.in.Config.RecipientNamed(c.Recipient)
	return policy.RecipientFact{
		Registered: ok, Role: r.Role, Contract: r.Contract != "", ThirdCountry: !inEEA(r.Country), Transfer: r.Transfer,
		DPFStands: n.in.Config.Register.Transfers.DPF, Assessed: r.Assessment != "", DeletionTerm: r.DeletionDays > 0,
	}
}

// eea are the countries to which no transfer rules apply (Art. 44 GDPR).
var eea = strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK")

func inEEA(country string) bool { return slices.Contains(eea, country) }

// numbered is an export case with its number.
type numbered struct {
	no int32
	policy.ExportCase
}

// openCases reads tonight's distinct cases.
func (n *night) openCases(ctx context.Context) (cases []numbered, err error) {
	channels := map[string]config.Channel{}
	for _, c := range n.in.Config.Exports.Channels {
		channels[c.Name] = c
	}
	query := `select case_no, channel, state, source, gpc, dnt, tag, age, objected, suppressed, confirmed, named, ordered, alike
		from export_cases order by case_no`
	err = n.db.each(ctx, query, func(scan func(...any) error) error {
		var x numbered
		var channel, state, source, tag string
		var named, ordered, similar bool
		if err := scan(&x.no, &channel, &state, &source, &x.GPC, &x.DNT, &tag, &x.Age, &x.Objection, &x.Suppressed, &x.Confirmed,
			&named, &ordered, &similar); err != nil {
			return err
		}
		c := channels[channel]
		x.Purpose, x.State, x.Source, x.Tag = c.Purpose, policy.CaseState(state), policy.CaseState(source), policy.Tag(tag)
		x.Recipient = n.recipientFact(c)
		x.Recipient.Named = named
		x.Customer = policy.CustomerFact{
			Channel: c.Existing.On, Ordered: ordered, Similar: similar, NoticeAtOrder: c.Existing.NoticeAtOrder != "", NoticeInMail: c.Existing.NoticeInMail,
		}
		cases = append(cases, x)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing export cases: %w", err)
	}
	return cases, nil
}

// decideExports fills table export_verdicts: each case as it is in a group that is
// large enough, and in one that is not.
func (n *night) decideExports(ctx context.Context) error {
	if err := n.db.exec(ctx, "create or replace table export_verdicts (case_no integer, small boolean, allowed boolean, rules varchar)"); err != nil {
		return fmt.Errorf("making table export_verdicts: %w", err)
	}
	cases, err := n.openCases(ctx)
	if err != nil {
		return err
	}
	n.exportCases = map[int32]policy.ExportCase{}
	return n.db.fill("export_verdicts", func(add func(...any) error) error {
		for _, c := range cases {
			n.exportCases[c.no] = c.ExportCase
			for _, c.Small = range []bool{false, true} {
				v, err := n.in.Rules.Export(ctx, c.ExportCase)
				if err != nil {
					return fmt.Errorf("deciding an export case of %s: %w", c.Purpose, err)
				}
				if err := add(c.no, c.Small, v.Allowed, strings.Join(v.Rules, " ")); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
