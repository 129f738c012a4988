package segment

import (
	"context"
	"fmt"
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

// formerFields lets the checks know what the files of former channels may hold.
func (n *night) formerFields(ctx context.Context) error {
	for _, c := range n.former {
		if err := n.db.exec(ctx, fmt.Sprintf("insert into channel_fields select %s, unnest(%s)", quote(c.Name), list(c.Fields))); err != nil {
			return fmt.Errorf("listing the fields of %s: %w", c.Name, err)
		}
	}
	return nil
}
