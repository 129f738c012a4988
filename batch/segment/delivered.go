package segment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
)

// deliveredColumns are those of a list of deliveries. held: the base's files have the row.
const deliveredColumns = "set_no uinteger, key uuid, first_day date, last_day date, revoked_day date, held boolean"

// published is an export whose rows count as delivered, and its files that tell them.
type published struct {
	dir   string
	files []File
}

// previousRows loads the segment files of the base, the newest export before this date, and
// its list of deliveries; and the list of an earlier run of this date, which tonight's
// replaces. A file that is not what its manifest says stops the night.
func (n *night) previousRows(ctx context.Context) error {
	if err := n.db.exec(ctx, `create or replace table sets_before (channel varchar, segment varchar);
		create or replace table base_rows (set_no uinteger, key uuid);
		create or replace table deliveries_before (`+deliveredColumns+`);
		create or replace table deliveries_today (`+deliveredColumns+")"); err != nil {
		return fmt.Errorf("making table base_rows: %w", err)
	}
	base, err := n.findBase()
	if err != nil {
		return err
	}
	replaced, err := n.findReplaced()
	if err != nil {
		return err
	}
	for _, p := range []published{base, replaced} {
		if err := n.previousSets(ctx, p); err != nil {
			return p.failed(err)
		}
	}
	if err := n.db.table(ctx, "row_sets"); err != nil {
		return err
	}
	if err := n.readBase(ctx, base); err != nil {
		return base.failed(err)
	}
	if err := n.readReplaced(ctx, replaced); err != nil {
		return replaced.failed(err)
	}
	return n.formerFields(ctx)
}

// failed names the export that could not be read.
func (p published) failed(err error) error {
	return fmt.Errorf("reading the export of %s: %w", filepath.Base(p.dir), err)
}

// findBase finds the newest export before this date, and names it in the manifest.
func (n *night) findBase() (p published, err error) {
	dir, m, err := newest(n.in.Out, n.date)
	if err != nil || dir == "" || !m.Until.After(n.in.AsOf) { // all of its rows had to be deleted by then
		return p, err
	}
	p = published{dir, n.rowsOf(m, "segment", deliveries)}
	base := Base{Date: filepath.Base(dir)}
	if _, base.Manifest, err = digestFile(filepath.Join(dir, manifestFile)); err != nil {
		return p, p.failed(err)
	}
	n.manifest.Base = &base
	return p, nil
}

// findReplaced finds the export of this date that an earlier run published.
func (n *night) findReplaced() (p published, err error) {
	p.dir = filepath.Join(n.in.Out, n.date)
	m, err := readManifest(p.dir)
	if err != nil {
		return p, err
	}
	if p.files = n.rowsOf(m, deliveries); len(p.files) == 0 {
		p.files = n.rowsOf(m, "segment") // of a version that kept no list
	}
	return p, nil
}

// rowsOf are the Parquet files of some kinds; the channels that they were for stay known.
func (n *night) rowsOf(m Manifest, kinds ...string) (files []File) {
	for _, f := range m.Files {
		n.formerChannel(f)
		if slices.Contains(kinds, f.Kind) && filepath.Ext(f.Name) == ".parquet" {
			files = append(files, f)
		}
	}
	return files
}

// previousSets notes whose rows the files of a published export hold.
func (n *night) previousSets(ctx context.Context, p published) error {
	for _, f := range p.files {
		path, err := p.whole(f)
		if err != nil {
			return err
		}
		query := fmt.Sprintf("insert into sets_before values (%s, %s)", quote(f.Channel), quote(f.Segment))
		if f.Kind == deliveries {
			query = "insert into sets_before select distinct channel, segment from read_parquet(" + path + ")"
		}
		if err := n.db.exec(ctx, query); err != nil {
			return err
		}
	}
	return nil
}

// whole gives the quoted path of a file that is what its manifest says.
func (p published) whole(f File) (path string, err error) {
	path = filepath.Join(p.dir, filepath.Base(f.Name))
	if _, sum, err := digestFile(path); err != nil || sum != f.SHA256 {
		return "", fmt.Errorf("%s is damaged: %w: put it back, or take the folder away and have its recipients delete all of its rows", f.Name, errors.Join(errDigest, err))
	}
	return quote(path), nil
}

// readBase reads the base's rows, and what had been delivered by then.
func (n *night) readBase(ctx context.Context, p published) error {
	for _, f := range p.files {
		if f.Kind != "segment" {
			continue
		}
		if err := n.previousFile(ctx, p, f, "base_rows", ""); err != nil {
			return err
		}
	}
	return n.delivered(ctx, p, "deliveries_before")
}

// previousFile adds the rows of a segment's file to a table, and what more it wants of each.
func (n *night) previousFile(ctx context.Context, p published, f File, table, more string) error {
	return n.db.exec(ctx, fmt.Sprintf(`insert into %s
		select (select set_no from row_sets where channel = %s and segment = %s), key::uuid%s from read_parquet(%s)`,
		table, quote(f.Channel), quote(f.Segment), more, quote(filepath.Join(p.dir, filepath.Base(f.Name)))))
}

// delivered adds to a table what a published export lists as delivered; that of a version
// that kept no list delivered its own rows.
func (n *night) delivered(ctx context.Context, p published, table string) error {
	if at := slices.IndexFunc(p.files, func(f File) bool { return f.Kind == deliveries }); at >= 0 {
		return n.db.exec(ctx, fmt.Sprintf(`insert into %s
			select s.set_no, d.key::uuid, d.first_day, d.last_day, d.revoked_day, d.revoked_day is null
			from read_parquet(%s) as d join row_sets as s on s.channel = d.channel and s.segment = d.segment`,
			table, quote(filepath.Join(p.dir, filepath.Base(p.files[at].Name)))))
	}
	day := "date " + quote(filepath.Base(p.dir))
	for _, f := range p.files {
		if err := n.previousFile(ctx, p, f, table, ", "+day+", "+day+", null, true"); err != nil {
			return err
		}
	}
	return nil
}

// readReplaced lets the list of an earlier run of this date count: its rows were delivered
// today, though the base has not all of them.
func (n *night) readReplaced(ctx context.Context, p published) error {
	if len(p.files) == 0 {
		return nil
	}
	if err := n.delivered(ctx, p, "deliveries_today"); err != nil {
		return err
	}
	return n.db.exec(ctx, `create or replace table deliveries_before as
		select
			coalesce(t.set_no, b.set_no) as set_no,
			coalesce(t.key, b.key) as key,
			if(t.key is null, b.first_day, t.first_day) as first_day,
			if(t.key is null, b.last_day, t.last_day) as last_day,
			if(t.key is null, b.revoked_day, t.revoked_day) as revoked_day,
			coalesce(b.held, false) as held
		from deliveries_before as b
		full join deliveries_today as t on t.set_no = b.set_no and t.key = b.key`)
}

// replacedRows makes table replaced_rows of the segment files that an earlier run of this
// date published, for the checks: whatever the list of deliveries says, these were delivered.
func (n *night) replacedRows(ctx context.Context) error {
	if err := n.db.exec(ctx, "create or replace table replaced_rows (set_no uinteger, key uuid)"); err != nil {
		return err
	}
	p := published{dir: filepath.Join(n.in.Out, n.date)}
	m, err := readManifest(p.dir)
	if err != nil {
		return err
	}
	for _, f := range n.rowsOf(m, "segment") {
		if _, err := p.whole(f); err != nil {
			return p.failed(err)
		}
		if err := n.previousFile(ctx, p, f, "replaced_rows", ""); err != nil {
			return p.failed(err)
		}
	}
	return nil
}
