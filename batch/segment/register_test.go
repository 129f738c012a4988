package segment

import (
	"slices"
	"testing"

	"github.com/handschlag/handschlag/config"
)

// Every column that a segment may name is one that the default register lists and
// its assessment knows; so a segment of the shop's own stops nothing.
func TestLAW05AllowEveryDocumentedColumn(t *testing.T) {
	c := config.Default()
	p := c.Processings(basis)[0]
	d, _ := c.DPIANamed(p.DPIA)
	for _, column := range Columns {
		feature, days := config.Windowed(column.Name)
		if !slices.Contains(p.Features, feature) || !slices.Contains(d.Features, feature) || days > p.LookbackDays {
			t.Errorf("%s: the register does not let %s look at it", column.Name, basis)
		}
	}
}

// tonight builds the segments of an everyday shop under a changed register and
// gives the members of the segment of buyers.
func tonight(t *testing.T, change func(*config.Register)) int64 {
	t.Helper()
	s := newShop(t)
	s.everyday(120, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	change(&in.Config.Register)
	n := until(t, in, "weighing variants")
	defer n.end()
	var members int64
	if err := n.db.one(t.Context(), "select count(*) from members where segment = 'buyers'", &members); err != nil {
		t.Fatal(err)
	}
	return members
}

// lookback lets the night look back so many days.
func lookback(days int) func(*config.Register) {
	return func(r *config.Register) {
		for i := range r.Processings {
			if r.Processings[i].Purpose == basis {
				r.Processings[i].LookbackDays = days
			}
		}
	}
}

// The condition of buyers reads a column of 90 days.
func TestLAW05DenyASegmentBeyondTheLookBack(t *testing.T) {
	if n := tonight(t, lookback(90)); n == 0 {
		t.Error("nobody, though the look-back allows it")
	}
	if n := tonight(t, lookback(28)); n != 0 {
		t.Errorf("%d members", n)
	}
}

func TestLAW01DenyTheNightOfAnUnregisteredPurpose(t *testing.T) {
	n := tonight(t, func(r *config.Register) {
		r.Processings = slices.DeleteFunc(r.Processings, func(p config.Processing) bool { return p.Purpose == basis })
	})
	if n != 0 {
		t.Errorf("%d members", n)
	}
}
