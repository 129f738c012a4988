package segment

import (
	"context"
	"path/filepath"
	"slices"
	"time"
)

func (n *night) manifestOf(date string) (Manifest, error) {
	return readManifest(filepath.Join(n.in.Out, date))
}

// compare holds tonight's sizes, as told, against those of the last report.
func (n *night) compare(context.Context) error {
	dir, last, err := newest(n.in.Out, n.date)
	if err != nil {
		return err
	}
	told := &Report{}
	if last.Schema != "" {
		if told, err = n.readReport(dir); err != nil {
			return err
		}
	}
	n.report.Changes = []SegmentChange{}
	for _, s := range n.manifest.Segments {
		c := SegmentChange{Segment: s.Name}
		at := slices.IndexFunc(last.Segments, func(b Segment) bool { return b.Name == s.Name })
		switch {
		case last.Schema == "" || told == nil:
			c.Withheld = "no_report"
		case at < 0 || last.Segments[at].Where != s.Where:
			c.Withheld = "other_predicate"
		case told.Step != int64(n.k): // exact, or by another k: nobody made the difference
			c.Withheld = "other_step"
		default:
			c.against(s.Members, last.Segments[at].Members)
		}
		n.report.Changes = append(n.report.Changes, c)
	}
	return nil
}

// against fills a change from the sizes of both nights.
func (c *SegmentChange) against(now, before *int64) {
	switch {
	case now == nil:
		c.Withheld = "withheld_now"
	case before == nil:
		c.Withheld = "withheld_before"
	default:
		d := *now - *before
		c.Before, c.Change = before, &d
	}
}

// fresh says how old the newest events are, and which days have none.
func (n *night) fresh(context.Context) error {
	f := &n.report.Fresh
	f.Missing = []string{}
	if len(n.snap.Days) == 0 {
		return nil
	}
	last := n.snap.Days[len(n.snap.Days)-1]
	day, err := time.Parse(time.DateOnly, last.Day)
	if err != nil {
		return err
	}
	f.LastDay, f.Events, f.AgeDays = last.Day, last.Rows, int(n.in.AsOf.Sub(day).Hours()/24)-1
	for d := n.in.AsOf.AddDate(0, 0, -28); d.Before(n.in.AsOf); d = d.AddDate(0, 0, 1) {
		name := d.Format(time.DateOnly)
		held := slices.ContainsFunc(n.snap.Days, func(e eventDay) bool { return e.Day == name && e.Rows > 0 })
		if name > n.snap.Days[0].Day && !held {
			f.Missing = append(f.Missing, name)
		}
	}
	return nil
}
