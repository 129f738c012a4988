package segment

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const columnsHead = `# The night's columns

What a segment's condition (` + "`segments[].where`" + ` in handschlag.yaml) may name. There is no other column. Written by
` + "`go test ./batch/segment -update`" + `; do not edit.

One row per person: an account with the devices that both sides consented to join, else one device. Counts are of the 28 or 90
days before the night's date, by the day of arrival. All are whole numbers; none is ever null.

A condition is one SQL expression: columns, whole numbers, ` + "`and or not between in is case`" + `, comparisons, and
` + "`+ - * / // % abs least greatest coalesce nullif if sign`" + `. Membership rests on the purpose personalisation_content. Which
channels the members may leave through, the segment's ` + "`purposes`" + ` say; a column that one of those may not use is refused
by ` + "`handschlag config check`" + `, ` + "`serve`" + ` and ` + "`nightly`" + `, with line and column.

`

// TestTheListOfColumnsIsTheCatalogues: docs/columns.md says what Columns says.
func TestTheListOfColumnsIsTheCatalogues(t *testing.T) {
	var b strings.Builder
	b.WriteString(columnsHead)
	b.WriteString("| family | made of | may be used for |\n| --- | --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(families)) {
		f := families[name]
		made := "kinds and times of events"
		if len(f.needs) > 0 {
			made = strings.Join(f.needs, ", ")
		}
		var purposes []string
		for _, p := range f.purposes {
			purposes = append(purposes, string(p))
		}
		slices.Sort(purposes)
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, made, strings.Join(purposes, ", "))
	}
	b.WriteString("\n| column | unit | family | deutsch | english |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range Columns {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Name, c.Unit, c.Family, c.De, c.En)
	}
	golden(t, filepath.Join("..", "..", "docs", "columns.md"), b.String())
}

// TestASegmentLeavesForItsPurposesOnly: through no other channel, and nobody reads
// there that it was withheld.
func TestASegmentLeavesForItsPurposesOnly(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Segments[0].Purposes = in.Config.Segments[0].Purposes[:0]
	everywhere := s.run(in)
	in = s.night(monday.AddDate(0, 0, 1))
	in.Config.Segments[0].Purposes = append(in.Config.Segments[0].Purposes, in.Config.Exports.Channels[0].Purpose)
	res := s.run(in)
	before, now := everywhere.Report.Segments[0], res.Report.Segments[0]
	if len(before.Channels) != 2 || len(now.Channels) != 1 || now.Channels[0].Channel != "email" || !now.Channels[0].Published {
		t.Errorf("channels %+v, before %+v", now.Channels, before.Channels)
	}
	for _, f := range res.Report.Files {
		if f.Segment == before.Name && f.Channel == "ads" && f.Kind == "segment" {
			t.Errorf("file %s", f.Name)
		}
	}
	for _, x := range res.Report.Suppressed {
		if x.Segment == before.Name {
			t.Errorf("suppressed %+v", x)
		}
	}
}
