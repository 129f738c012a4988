package segment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// aggregates is the kind and the name of the files of counts: no row of them is about a
// person, and no recipient's key is in them.
const aggregates = "aggregates"

const aggregateColumns = "segment, value_tier_from, value_tier_to, daypart, persons_at_least"

// writeAggregates writes the cells of table aggregates. They are called anonymous only if
// they pass the test (BAT-07); else they expire like rows.
func (n *night) writeAggregates(ctx context.Context) error {
	if err := n.db.table(ctx, "aggregates"); err != nil {
		return err
	}
	if err := n.aggregatesBefore(ctx); err != nil {
		return err
	}
	f := File{Name: aggregates, Kind: aggregates, Label: pseudonymous, Columns: []string{
		"segment varchar", "value_tier_from integer", "value_tier_to integer", "daypart varchar", "persons_at_least bigint",
	}}
	if err := n.db.one(ctx, "select count(*) from aggregates", &f.Rows); err != nil {
		return fmt.Errorf("counting cells: %w", err)
	}
	for _, ext := range []string{".csv", ".parquet"} {
		path := filepath.Join(n.runDir(), aggregates+ext)
		if err := n.db.copyTo(ctx, "select "+aggregateColumns+" from aggregates order by all", path); err != nil {
			return err
		}
	}
	why, err := n.cellsTell(ctx)
	if err != nil {
		return err
	}
	if len(why) == 0 {
		f.Label = anonymous
	}
	for _, ext := range []string{".csv", ".parquet"} {
		f.Name = aggregates + ext
		if err := n.listFile(f, filepath.Join(n.runDir(), f.Name)); err != nil {
			return err
		}
	}
	return nil
}

// cellsTell holds the written cells to the test of anonymity.
func (n *night) cellsTell(ctx context.Context) ([]string, error) {
	body, err := os.ReadFile(filepath.Join(n.runDir(), aggregates+".csv"))
	if err != nil {
		return nil, fmt.Errorf("reading the aggregates back: %w", err)
	}
	var classes []Class
	query := "select concat_ws(' ', segment, value_tier_from, value_tier_to, daypart), persons, plain from aggregates order by all"
	err = n.db.each(ctx, query, func(scan func(...any) error) error {
		c := Class{Outcomes: map[string]int64{}}
		var plain int64
		if err := scan(&c.Name, &c.Persons, &plain); err != nil {
			return err
		}
		c.Outcomes["none"], c.Outcomes["special"] = plain, c.Persons-plain
		classes = append(classes, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing cells for the test of anonymity: %w", err)
	}
	return notAnonymous(body, classes, n.k), nil
}

// aggregatesBefore makes table aggregates_before of the base's cells. If it was made with
// another k, its numbers are multiples of that: then none are told tonight, and tomorrow
// begins anew.
func (n *night) aggregatesBefore(ctx context.Context) error {
	if err := n.db.exec(ctx, "create or replace table aggregates_before as select "+aggregateColumns+" from aggregates limit 0"); err != nil {
		return fmt.Errorf("making table aggregates_before: %w", err)
	}
	dir, m, err := newest(n.in.Out, n.date)
	if err != nil || dir == "" {
		return err
	}
	for _, f := range m.Files {
		if f.Name != aggregates+".parquet" {
			continue
		}
		if m.K != n.k {
			return n.db.exec(ctx, "delete from aggregates")
		}
		path := filepath.Join(dir, f.Name)
		_, sum, err := digestFile(path)
		if errors.Is(err, os.ErrNotExist) { // they were called pseudonymous, and expired
			continue
		}
		if err != nil || sum != f.SHA256 {
			return fmt.Errorf("reading the export of %s: %s is damaged: %w", filepath.Base(dir), f.Name, errors.Join(errDigest, err))
		}
		if err := n.db.exec(ctx, "insert into aggregates_before from read_parquet("+quote(path)+")"); err != nil {
			return fmt.Errorf("reading the export of %s: %w", filepath.Base(dir), err)
		}
	}
	return nil
}
