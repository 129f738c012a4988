package segment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/handschlag/handschlag/flow"
)

const (
	revocations  = "revocations" // files of all that a recipient still has to delete
	deliveries   = "deliveries"  // who got which row, and when: never handed out
	pseudonymous = "pseudonymous"
	anonymous    = "anonymous"
)

// deliver writes the list of deliveries and, per
// channel, what its recipient got once and may no longer have: until it says that
// the rows are gone, or they had to be deleted anyway (EXP-06).
func (n *night) deliver(ctx context.Context) error {
	for _, c := range n.recipients() {
		rows := "select key, segment from deliveries join row_sets using (set_no) where listed and revoked_day is not null and channel = " + quote(c.Name)
		f := File{Name: revocations + "." + c.Name, Kind: revocations, Channel: c.Name, Recipient: c.Recipient, Purpose: string(c.Purpose)}
		if err := n.writeListed(ctx, rows, f, fieldsOf(c)); err != nil {
			return err
		}
	}
	f := File{Name: deliveries + ".parquet", Kind: deliveries, Label: pseudonymous}
	path := filepath.Join(n.runDir(), f.Name)
	err := n.db.set(ctx, "sets", "(select coalesce(list({channel: channel, segment: segment} order by set_no), []) from row_sets)")
	if err != nil {
		return err
	}
	query := "select getvariable('sets')[set_no + 1].channel as channel, getvariable('sets')[set_no + 1].segment as segment" +
		", key, first_day, last_day, revoked_day from (from deliveries where listed order by set_no, key)"
	if err := n.db.copyTo(ctx, query, path); err != nil {
		return err
	}
	if err := n.db.one(ctx, "select count(*) from deliveries where listed", &f.Rows); err != nil {
		return fmt.Errorf("counting deliveries: %w", err)
	}
	return n.listFile(f, path)
}

// holdsRows reports whether a file is about persons, row by row.
func (f File) holdsRows() bool {
	switch f.Kind {
	case "segment", delta, tombstones, revocations, deliveries:
		return true
	case aggregates:
		return f.Label != anonymous
	}
	return false
}

// expire removes the rows of earlier nights whose time is over (BAT-08). Manifest,
// signature, report and lineage stay: they are evidence, and hold no row.
func (n *night) expire() error {
	entries, err := os.ReadDir(n.in.Out)
	if err != nil {
		return fmt.Errorf("removing expired rows: %w", err)
	}
	for _, e := range entries {
		if _, err := time.Parse(time.DateOnly, e.Name()); err != nil || e.Name() >= n.date {
			continue
		}
		dir := filepath.Join(n.in.Out, e.Name())
		if err := os.RemoveAll(filepath.Join(dir, crmFolder)); err != nil { // superseded (EXP-06)
			return fmt.Errorf("removing the CRM's rows of an earlier night: %w", err)
		}
		m, err := readManifest(dir)
		if err != nil {
			return err
		}
		for _, f := range m.Files {
			if m.Until.After(n.in.AsOf) || !f.holdsRows() {
				continue
			}
			if err := os.Remove(filepath.Join(dir, filepath.Base(f.Name))); err != nil && !errors.Is(err, os.ErrNotExist) {
				return fmt.Errorf("removing expired rows: %w", err)
			}
		}
	}
	return nil
}

// acknowledged makes table acks of the recipients' words, which are decision records: for
// each the last day of revocations that it covers.
func (n *night) acknowledged(ctx context.Context) error {
	if err := n.db.exec(ctx, "create or replace table acks (channel varchar, day date)"); err != nil {
		return fmt.Errorf("making table acks: %w", err)
	}
	for _, a := range n.log.acks {
		day, err := n.covered(a)
		if err != nil {
			return fmt.Errorf("reading an acknowledgement: %w", err)
		}
		if err := n.db.exec(ctx, fmt.Sprintf("insert into acks values (%s, date %s)", quote(a.Channel), quote(day.Format(time.DateOnly)))); err != nil {
			return fmt.Errorf("filling table acks: %w", err)
		}
	}
	return nil
}

// covered is the date of an acknowledgement or, where the date was run again and tells
// other rows by now, the day before it: the file that was followed had all from until then.
func (n *night) covered(a flow.ExportAck) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, a.Date)
	if err != nil || a.SHA256 == "" {
		return day, err
	}
	m, err := n.manifestOf(a.Date)
	if !slices.ContainsFunc(m.Files, func(f File) bool { return f.Kind == revocations && f.Channel == a.Channel && f.SHA256 == a.SHA256 }) {
		day = day.AddDate(0, 0, -1)
	}
	return day, err
}
