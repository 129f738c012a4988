package segment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/policy"
)

// reread asks the host once more where consent and the exports switch stand, and takes out, whole, every
// person for whom anything changed since the snapshot (T10): what follows rests on
// the answer. The next night counts again what may be counted.
func (n *night) reread(ctx context.Context) error {
	if n.in.Fresh == nil {
		return nil
	}
	dir := filepath.Join(n.in.State, "fresh")
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clearing folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making folder: %w", err)
	}
	off, err := n.in.Fresh(ctx, dir)
	if err != nil {
		return err
	}
	n.in.ExportsOff = off
	if err := n.db.exec(ctx, `create or replace table signatures_before as from signatures;
		create or replace table persons_before as from persons`); err != nil {
		return fmt.Errorf("keeping what the snapshot said: %w", err)
	}
	if err := n.consents(ctx, dir); err != nil {
		return err
	}
	if err := n.db.table(ctx, "changed"); err != nil {
		return err
	}
	if err := n.db.exec(ctx, `delete from windows where person in (
		select subject from changed
		union select person from persons_before where subject in (select subject from changed)
		union select person from persons where subject in (select subject from changed))`); err != nil {
		return fmt.Errorf("taking out who changed their mind: %w", err)
	}
	return nil
}

// segments scores the persons that are left and lists who belongs where.
func (n *night) segments(ctx context.Context) error {
	for _, t := range []string{"thresholds", "features"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	if err := n.db.exec(ctx, `create or replace table segment_names (segment varchar, place integer);
		create or replace table members (segment varchar, person uuid)`); err != nil {
		return fmt.Errorf("making table members: %w", err)
	}
	for i, s := range n.in.Config.Segments {
		query := fmt.Sprintf("insert into segment_names values (%[1]s, %[2]d); insert into members select %[1]s, person from features where (\n%[3]s\n)",
			quote(s.Name), i, s.Where)
		if err := n.db.exec(ctx, query); err != nil {
			return fmt.Errorf("building segment %q (line %d): %w", s.Name, s.Line, firstLine(err))
		}
	}
	return nil
}

// weigh gives every configured variant its default share.
func (n *night) weigh(context.Context) error {
	slots := map[string][]string{}
	for name, slot := range n.in.Config.Slots {
		for _, v := range slot.Variants {
			slots[name] = append(slots[name], v.ID)
		}
	}
	var err error
	n.weights, err = learn.Equal(slots)
	return err
}

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
	for _, t := range []string{"person_facts", "channel_states", "candidates"} {
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

func (n *night) channels(ctx context.Context) error {
	if err := n.db.exec(ctx, "create or replace table channels (channel varchar, purpose varchar, bit integer, reach varchar, recipient varchar)"); err != nil {
		return fmt.Errorf("making table channels: %w", err)
	}
	if err := n.db.set(ctx, "exports_off", fmt.Sprint(n.in.ExportsOff)); err != nil {
		return err
	}
	return n.db.fill("channels", func(add func(...any) error) error {
		for _, c := range n.in.Config.Exports.Channels {
			if err := add(c.Name, string(c.Purpose), int32(c.Purpose.Bit()), reaches[c.Purpose.Reach()], c.Recipient); err != nil {
				return err
			}
		}
		return nil
	})
}

// decideExports fills table export_verdicts: each case as it is in a group that is
// large enough, and in one that is not.
func (n *night) decideExports(ctx context.Context) error {
	if err := n.db.exec(ctx, `create or replace table export_verdicts (purpose varchar, state varchar, source varchar,
		gpc boolean, tag varchar, age varchar, objected boolean, small boolean, allowed boolean, rules varchar)`); err != nil {
		return fmt.Errorf("making table export_verdicts: %w", err)
	}
	var cases []policy.ExportCase
	query := "select distinct purpose, state, source, gpc, tag, age, objected from candidates order by all"
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var purpose, state, source, tag string
		var c policy.ExportCase
		if err := scan(&purpose, &state, &source, &c.GPC, &tag, &c.Age, &c.Objection); err != nil {
			return err
		}
		c.Purpose, c.State, c.Source = consent.Purpose(purpose), policy.CaseState(state), policy.CaseState(source)
		c.Tag = policy.Tag(tag)
		cases = append(cases, c)
		return nil
	})
	if err != nil {
		return fmt.Errorf("listing export cases: %w", err)
	}
	return n.db.fill("export_verdicts", func(add func(...any) error) error {
		for _, c := range cases {
			for _, c.Small = range []bool{false, true} {
				v, err := n.in.Rules.Export(ctx, c)
				if err != nil {
					return fmt.Errorf("deciding an export case of %s: %w", c.Purpose, err)
				}
				if err := add(string(c.Purpose), string(c.State), string(c.Source), c.GPC, string(c.Tag), c.Age, c.Objection,
					c.Small, v.Allowed, strings.Join(v.Rules, " ")); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
