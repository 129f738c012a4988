package segment

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// check runs every query of check/. Each must return no rows; the first that does
// stops the night, and yesterday's exports stay.
func (n *night) check(ctx context.Context) error {
	if err := n.evidence(ctx); err != nil {
		return err
	}
	files, err := fs.Glob(checks, "check/*.sql")
	if err != nil {
		return fmt.Errorf("listing checks: %w", err)
	}
	for i, file := range files {
		n.progress("checks", int64(i), int64(len(files)))
		query, err := checks.ReadFile(file)
		if err != nil {
			return fmt.Errorf("reading check: %w", err)
		}
		if err := n.mustBeEmpty(ctx, strings.TrimSuffix(filepath.Base(file), ".sql"), string(query)); err != nil {
			return err
		}
	}
	return nil
}

// FailedCheck says which check found rows. Rows are counts and names of groups,
// at most five; checks select no subjects.
type FailedCheck struct {
	Check string
	Rows  []string
}

func (f *FailedCheck) Error() string {
	return fmt.Sprintf("check %s found what must not be: %s", f.Check, strings.Join(f.Rows, "; "))
}

func (n *night) mustBeEmpty(ctx context.Context, name, query string) error {
	rows, err := n.db.conn.QueryContext(ctx, query)
	if err != nil {
		return fmt.Errorf("running check %s: %w", name, err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return fmt.Errorf("running check %s: %w", name, err)
	}
	failed := &FailedCheck{Check: name}
	for rows.Next() && len(failed.Rows) < 5 {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("running check %s: %w", name, err)
		}
		parts := make([]string, len(columns))
		for i, c := range columns {
			parts[i] = fmt.Sprintf("%s=%v", c, values[i])
		}
		failed.Rows = append(failed.Rows, strings.Join(parts, " "))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("running check %s: %w", name, err)
	}
	if len(failed.Rows) > 0 {
		return failed
	}
	return nil
}

// evidence makes the tables that checks read of what was written, from the files
// themselves: rows per file, column types, tombstones, and the weights' shares.
func (n *night) evidence(ctx context.Context) error {
	if err := n.db.exec(ctx, `create or replace table written (file varchar, kind varchar, segment varchar, channel varchar, rows bigint, keys bigint);
		create or replace table written_types (file varchar, name varchar, type varchar);
		create or replace table buried (set_no uinteger, key uuid);
		create or replace table aggregates_written as from aggregates_before limit 0;
		create or replace table recalled (set_no uinteger, key uuid);
		create or replace table report_told (name varchar, told bigint, in_steps boolean);
		create or replace table report_before as from report_told;
		create or replace table report_figures (name varchar, of_name varchar, about varchar, figure varchar);
		create or replace table report_figures_before as from report_figures;
		create or replace table changed_rows (set_no uinteger, key uuid, change varchar);
		create or replace table shares (slot varchar, segment varchar, variant varchar, ppm bigint)`); err != nil {
		return fmt.Errorf("preparing checks: %w", err)
	}
	for _, f := range n.manifest.Files {
		if filepath.Ext(f.Name) != ".parquet" {
			continue
		}
		if err := n.readBack(ctx, f); err != nil {
			return fmt.Errorf("reading %s back: %w", f.Name, err)
		}
	}
	for _, d := range n.is.Days {
		if err := n.readTypes(ctx, d.File, filepath.Join(n.in.State, d.File)); err != nil {
			return fmt.Errorf("reading %s back: %w", d.File, err)
		}
	}
	if err := n.replacedRows(ctx); err != nil {
		return fmt.Errorf("preparing checks: %w", err)
	}
	if err := n.reportEvidence(); err != nil {
		return fmt.Errorf("preparing checks: %w", err)
	}
	return n.db.fill("shares", func(add func(...any) error) error {
		for slot, segments := range n.weights.Slots {
			for segment, shares := range segments {
				for variant, ppm := range shares {
					if err := add(slot, segment, variant, ppm); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
}

// readBack counts a file's rows; of a segment's also the keys that are greater than the
// one before, which is every key where each is there once, in order. A row of a set that
// nobody knows has no number (no_row_of_no_set).
func (n *night) readBack(ctx context.Context, f File) error {
	path, keys := quote(filepath.Join(n.runDir(), f.Name)), "null"
	source := "read_parquet(" + path + ")"
	if f.Kind == "segment" {
		keys = "count(*) filter (where coalesce(key > before, true))"
		source = "(select key, lag(key) over () as before from " + source + ")"
	}
	query := fmt.Sprintf("insert into written select %s, %s, %s, %s, count(*), %s from %s",
		quote(f.Name), quote(f.Kind), quote(f.Segment), quote(f.Channel), keys, source)
	rows := fmt.Sprintf("from read_parquet(%s) as f left join row_sets as s on s.channel = %s and s.segment = f.segment", path, quote(f.Channel))
	switch f.Kind {
	case aggregates:
		query += "; insert into aggregates_written from read_parquet(" + path + ")"
	case delta:
		query += "; insert into changed_rows select s.set_no, f.key::uuid, f.change " + rows
	case revocations:
		query += "; insert into recalled select s.set_no, f.key::uuid " + rows
	case tombstones:
		query += "; insert into buried select s.set_no, f.key::uuid " + rows
	}
	if err := n.db.exec(ctx, query); err != nil {
		return err
	}
	return n.readTypes(ctx, f.Name, filepath.Join(n.runDir(), f.Name))
}

func (n *night) readTypes(ctx context.Context, name, path string) error {
	return n.db.exec(ctx, fmt.Sprintf("insert into written_types select %s, name, type from parquet_schema(%s) where type is not null",
		quote(name), quote(path)))
}
