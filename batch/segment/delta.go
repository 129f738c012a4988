package segment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// Base is the night that tonight's deltas and tombstones are against.
type Base struct {
	Date     string `json:"date"`
	Manifest string `json:"manifest_sha256"` // of its manifest.json, as it was then
}

// delta is the kind of the files that say what changed since the base.
const delta = "delta"

// writeChanges writes what recipients do with the files that they hold: per segment
// and channel what is new and what went, and per channel all that went.
func (n *night) writeChanges(ctx context.Context) error {
	if err := n.previousRows(ctx); err != nil {
		return err
	}
	if err := n.db.set(ctx, "based", fmt.Sprint(n.manifest.Base != nil)); err != nil {
		return err
	}
	if err := n.acknowledged(ctx); err != nil {
		return err
	}
	if err := n.db.set(ctx, "segment_days", fmt.Sprint(n.in.Config.Retention.SegmentDays)); err != nil {
		return err
	}
	for _, t := range []string{"export_rows", "deliveries", "deltas"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	if err := n.writeDeltas(ctx); err != nil {
		return err
	}
	return n.writeTombstones(ctx)
}

// writeDeltas writes one file for each segment and channel that has rows, or had.
func (n *night) writeDeltas(ctx context.Context) error {
	if n.manifest.Base == nil {
		return nil
	}
	var pairs [][2]string
	query := `select segment, channel from row_sets
		where set_no in (select set_no from base_rows) or set_no in (select set_no from export_rows)
		order by segment, channel`
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var p [2]string
		err := scan(&p[0], &p[1])
		pairs = append(pairs, p)
		return err
	})
	if err != nil {
		return fmt.Errorf("listing deltas: %w", err)
	}
	for _, p := range pairs {
		c := n.served(p[1])
		rows := fmt.Sprintf("select key, change from deltas where set_no = (select set_no from row_sets where segment = %s and channel = %s)",
			quote(p[0]), quote(p[1]))
		f := File{Name: p[0] + "." + c.Name + "." + delta, Kind: delta, Segment: p[0], Channel: c.Name, Recipient: c.Recipient, Purpose: string(c.Purpose)}
		if err := n.writeListed(ctx, rows, f, append(slices.Clone(fieldsOf(c)), "change")); err != nil {
			return err
		}
	}
	return nil
}

// writeTombstones writes, per channel, the keys that the base had and this night has
// not, so that recipients can delete them (EXP-06).
func (n *night) writeTombstones(ctx context.Context) error {
	for _, c := range n.recipients() {
		rows := fmt.Sprintf("select key, segment from deltas join row_sets using (set_no) where change = 'removed' and channel = %s", quote(c.Name))
		f := File{Name: tombstones + "." + c.Name, Kind: tombstones, Channel: c.Name, Recipient: c.Recipient, Purpose: string(c.Purpose)}
		if err := n.writeListed(ctx, rows, f, fieldsOf(c)); err != nil {
			return err
		}
	}
	return nil
}

// writeListed counts rows and writes them.
func (n *night) writeListed(ctx context.Context, rows string, f File, fields []string) error {
	if err := n.db.one(ctx, "select count(*) from ("+rows+")", &f.Rows); err != nil {
		return fmt.Errorf("listing %s: %w", f.Name, err)
	}
	return n.writeRows(ctx, rows, f, fields)
}

// recipients are the channels of the configuration, and those that it has no more but
// whose recipients may still hold rows.
func (n *night) recipients() []config.Channel {
	return slices.Concat(n.in.Config.Exports.Channels, n.former)
}

func (n *night) served(channel string) config.Channel {
	all := n.recipients()
	return all[slices.IndexFunc(all, func(c config.Channel) bool { return c.Name == channel })]
}

// formerChannel keeps the channel of an earlier night's file if the configuration
// has it no more.
func (n *night) formerChannel(f File) {
	if f.Channel == "" || slices.ContainsFunc(n.recipients(), func(c config.Channel) bool { return c.Name == f.Channel }) {
		return
	}
	c := config.Channel{Name: f.Channel, Purpose: consent.Purpose(f.Purpose), Recipient: f.Recipient}
	for _, column := range f.Columns {
		if name, _, _ := strings.Cut(column, " "); name != "change" {
			c.Fields = append(c.Fields, name)
		}
	}
	n.former = append(n.former, c)
}

// previousRows loads the segment files of the newest export before this date, and the list
// of deliveries. A file that is not what its manifest says stops the night.
func (n *night) previousRows(ctx context.Context) error {
	if err := n.db.exec(ctx, `create or replace table sets_before (channel varchar, segment varchar);
		create or replace table base_rows (set_no uinteger, key uuid);
		create or replace table deliveries_before (set_no uinteger, key uuid, first_day date, last_day date, revoked_day date)`); err != nil {
		return fmt.Errorf("making table base_rows: %w", err)
	}
	dir, m, err := newest(n.in.Out, n.date)
	if err != nil {
		return err
	}
	if dir == "" || !m.Until.After(n.in.AsOf) { // all of its rows had to be deleted by then
		return n.db.table(ctx, "row_sets")
	}
	base := Base{Date: filepath.Base(dir)}
	if _, base.Manifest, err = digestFile(filepath.Join(dir, manifestFile)); err == nil {
		n.manifest.Base = &base
		err = n.readBase(ctx, dir, m)
	}
	if err != nil {
		return fmt.Errorf("reading the export of %s: %w", base.Date, err)
	}
	return n.formerFields(ctx)
}

// readBase reads an earlier night's files of rows: first which sets there are, then the rows.
func (n *night) readBase(ctx context.Context, dir string, m Manifest) error {
	var files []File
	for _, f := range m.Files {
		n.formerChannel(f)
		if (f.Kind != "segment" && f.Kind != deliveries) || filepath.Ext(f.Name) != ".parquet" {
			continue
		}
		if err := n.previousSets(ctx, dir, f); err != nil {
			return err
		}
		files = append(files, f)
	}
	if err := n.db.table(ctx, "row_sets"); err != nil {
		return err
	}
	listed := false
	for _, f := range files {
		if err := n.previousFile(ctx, dir, f); err != nil {
			return err
		}
		listed = listed || f.Kind == deliveries
	}
	if listed {
		return nil
	}
	day := "date " + quote(n.manifest.Base.Date) // of a version that kept no list
	return n.db.exec(ctx, "insert into deliveries_before select set_no, key, "+day+", "+day+", null from base_rows")
}

// previousSets notes whose rows a file of an earlier night holds.
func (n *night) previousSets(ctx context.Context, dir string, f File) error {
	path := filepath.Join(dir, filepath.Base(f.Name))
	if _, sum, err := digestFile(path); err != nil || sum != f.SHA256 {
		return fmt.Errorf("%s is damaged: %w", f.Name, errors.Join(errDigest, err))
	}
	query := fmt.Sprintf("insert into sets_before values (%s, %s)", quote(f.Channel), quote(f.Segment))
	if f.Kind == deliveries {
		query = fmt.Sprintf("insert into sets_before select distinct channel, segment from read_parquet(%s)", quote(path))
	}
	return n.db.exec(ctx, query)
}

// previousFile reads the rows of a file of an earlier night.
func (n *night) previousFile(ctx context.Context, dir string, f File) error {
	path := quote(filepath.Join(dir, filepath.Base(f.Name)))
	query := fmt.Sprintf(`insert into base_rows
		select (select set_no from row_sets where channel = %s and segment = %s), key::uuid from read_parquet(%s)`, quote(f.Channel), quote(f.Segment), path)
	if f.Kind == deliveries {
		query = fmt.Sprintf(`insert into deliveries_before
			select s.set_no, d.key::uuid, d.first_day, d.last_day, d.revoked_day
			from read_parquet(%s) as d join row_sets as s on s.channel = d.channel and s.segment = d.segment`, path)
	}
	return n.db.exec(ctx, query)
}

// formerFields lets the checks know what the files of former channels may hold.
func (n *night) formerFields(ctx context.Context) error {
	for _, c := range n.former {
		if err := n.db.exec(ctx, fmt.Sprintf("insert into channel_fields select %s, unnest(%s)", quote(c.Name), list(c.Fields))); err != nil {
			return fmt.Errorf("listing the fields of %s: %w", c.Name, err)
		}
	}
	return nil
}
