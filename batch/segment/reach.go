package segment

import (
	"context"
	"slices"
	"time"
)

// tellReach tells what consent left of a segment on a channel, both numbers or none: the
// one would follow from the other and the size. They are told as sizes are, and only beside
// tonight's size, for their sum is that.
func (n *night) tellReach(r *Reach, s Segment, now ToldReach) {
	last := n.lastReach(s.Name, r.Channel)
	told := now
	switch {
	case s.Members == nil || !r.Published && now.Rows > 0:
		r.Last = last
		return
	case s.Last == nil && n.reachMayBeTold(s.Name, r.Channel, now, last):
	case last == nil:
		return
	default:
		told, r.Last = *last, last
	}
	r.Loss = &told.Loss
	if r.Published {
		r.Rows = &told.Rows
	}
}

// reachMayBeTold reports whether tonight's numbers differ from those told last, and from
// what else was told under the names, by nothing or by k.
func (n *night) reachMayBeTold(segment, channel string, now ToldReach, last *ToldReach) bool {
	steps := func(rows, loss int64) bool {
		return Isolates(now.Rows, rows, int64(n.k)) || Isolates(now.Loss, loss, int64(n.k))
	}
	if last != nil && steps(last.Rows, last.Loss) {
		return false
	}
	return !slices.ContainsFunc(n.reaches, func(r ReleasedReach) bool {
		return r.Segment == segment && r.Channel == channel && steps(r.Rows, r.Loss)
	})
}

// lastReach is what was told last of a segment that is still the same, on a channel.
func (n *night) lastReach(segment, channel string) *ToldReach {
	for _, c := range n.before[segment].Channels {
		if c.Channel == channel {
			return c.Last
		}
	}
	return nil
}

// asTold is what a night told of a channel, as later nights remember it; nil: nothing ever.
func (r Reach) asTold(night time.Time) *ToldReach {
	if r.Last != nil || r.Loss == nil {
		return r.Last
	}
	t := &ToldReach{Date: night.Format(time.DateOnly), Loss: *r.Loss}
	if r.Rows != nil {
		t.Rows = *r.Rows
	}
	return t
}

// earlierReaches keeps what earlier runs of this date told, and what the last night told of
// other segments under a name of tonight's.
func (n *night) earlierReaches(same, last Manifest) {
	n.reaches = slices.Clone(same.Reaches)
	add := func(m Manifest, s Segment) {
		for _, c := range s.Channels {
			if t := c.asTold(m.AsOf); t != nil && (c.Loss != nil || m.AsOf.Equal(last.AsOf)) {
				n.reaches = append(n.reaches, ReleasedReach{s.Name, c.Channel, t.Rows, t.Loss})
			}
		}
	}
	for _, s := range same.Segments {
		add(same, s)
	}
	for _, s := range last.Segments {
		if _, kept := n.before[s.Name]; !kept {
			add(last, s)
		}
	}
}

// remainReaches lists what earlier runs of this date told otherwise than tonight's.
func (n *night) remainReaches() {
	shown := map[ReleasedReach]bool{}
	for _, s := range n.manifest.Segments {
		for _, c := range s.Channels {
			if t := c.asTold(n.in.AsOf); t != nil && c.Loss != nil {
				shown[ReleasedReach{s.Name, c.Channel, t.Rows, t.Loss}] = true
			}
		}
	}
	for _, r := range n.reaches {
		if !shown[r] && !slices.Contains(n.manifest.Reaches, r) {
			n.manifest.Reaches = append(n.manifest.Reaches, r)
		}
	}
}

// reportFiles are the published files as readers of the report see them: how many rows a
// recipient got is told as its segment's reach is, and how many came or went is not.
func (n *night) reportFiles() []ReportFile {
	out := make([]ReportFile, 0, len(n.manifest.Files))
	for _, f := range n.manifest.Files {
		shown := ReportFile{Name: f.Name, Kind: f.Kind, Segment: f.Segment, Channel: f.Channel, SHA256: f.SHA256, Label: f.Label}
		switch {
		case f.Kind == "segment":
			shown.Rows = n.rowsTold(f.Segment, f.Channel)
		case !f.holdsRows() || f.Kind == aggregates:
			shown.Rows = &f.Rows
		}
		out = append(out, shown)
	}
	return out
}

func (n *night) rowsTold(segment, channel string) *int64 {
	for _, s := range n.manifest.Segments {
		for _, c := range s.Channels {
			if s.Name == segment && c.Channel == channel {
				return c.Rows
			}
		}
	}
	return nil
}

// reachEvidence makes the tables that checks read of reaches: what the report tells
// tonight, and what was told last of the same.
func (n *night) reachEvidence(ctx context.Context) error {
	if err := n.db.exec(ctx, `create or replace table reaches_told (segment varchar, channel varchar, rows bigint, loss bigint);
		create or replace table reaches_before (segment varchar, channel varchar, rows bigint, loss bigint)`); err != nil {
		return err
	}
	fill := func(table string, of func(s Segment, c Reach) *ToldReach) error {
		return n.db.fill(table, func(add func(...any) error) error {
			for _, s := range n.report.Segments {
				for _, c := range s.Channels {
					t := of(s, c)
					if t == nil {
						continue
					}
					if err := add(s.Name, c.Channel, t.Rows, t.Loss); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	if err := fill("reaches_before", func(s Segment, c Reach) *ToldReach { return n.lastReach(s.Name, c.Channel) }); err != nil {
		return err
	}
	return fill("reaches_told", func(_ Segment, c Reach) *ToldReach {
		if c.Loss == nil {
			return nil
		}
		t := &ToldReach{Loss: *c.Loss}
		if c.Rows != nil {
			t.Rows = *c.Rows
		}
		return t
	})
}
