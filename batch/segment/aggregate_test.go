package segment

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// crowd is a shop whose persons buy for different sums at different hours, so that cells
// of tier and daypart come out at all sizes.
func crowd(t *testing.T, seed uint64, people int) *shop {
	t.Helper()
	s, random := newShop(t), rand.New(rand.NewPCG(seed, 7))
	for n := range people {
		who, since := subject(n), monday.Add(-time.Hour)
		s.says(who, consent.Given, since, consent.PersonalisationContent, consent.MarketingEmail)
		s.subjects[who] = subjectRow{scope: consent.Account}
		at := monday.Add(time.Duration([]int{-1, 3, 8, 8, 8, 14, 14, 20, 20, 20, 20}[random.IntN(11)])*time.Hour + time.Duration(n)*time.Second)
		s.sees(who, event.ProductViewed, at, event.Fields{Product: "p1", HourBand: map[int]string{3: "night", 8: "morning", 14: "afternoon", 20: "evening"}[at.Hour()]})
		for range random.IntN(4) {
			at = at.Add(time.Second)
			s.sees(who, event.OrderCompleted, at, event.Fields{OrderKey: at.UnixMilli()*1000 + int64(n), CartCents: int64(500 * (1 + random.IntN(40))), Currency: "EUR"})
		}
	}
	return s
}

// member is a person as the ladder sees one.
type ladderRow struct {
	segment string
	tier    int
	daypart string
}

// cell is what a row of the aggregates says: which tiers, which daypart.
type ladderCell struct {
	segment  string
	from, to int
	daypart  string
}

func tiersOf(tier int) (from, to int) {
	for _, group := range [][2]int{{0, 0}, {1, 2}, {3, 3}, {4, 5}} {
		if tier >= group[0] && tier <= group[1] {
			return group[0], group[1]
		}
	}
	panic(tier)
}

// steps of the ladder, finest first.
var ladderSteps = []func(ladderRow) ladderCell{
	func(r ladderRow) ladderCell { return ladderCell{r.segment, r.tier, r.tier, r.daypart} },
	func(r ladderRow) ladderCell { f, t := tiersOf(r.tier); return ladderCell{r.segment, f, t, r.daypart} },
	func(r ladderRow) ladderCell { f, t := tiersOf(r.tier); return ladderCell{r.segment, f, t, "any"} },
	func(r ladderRow) ladderCell { return ladderCell{r.segment, 0, 5, "any"} },
}

// climb is the ladder, slow and plain: at each step it releases the cells of those still
// waiting that are large enough. What is left under k takes the smallest cell with it.
func climb(rows []ladderRow, k int) map[ladderCell]int {
	out, waiting := map[ladderCell]int{}, rows
	for _, step := range ladderSteps[:3] {
		sizes := map[ladderCell]int{}
		for _, r := range waiting {
			sizes[step(r)]++
		}
		waiting = slices.DeleteFunc(slices.Clone(waiting), func(r ladderRow) bool {
			if sizes[step(r)] >= k {
				out[step(r)]++
				return true
			}
			return false
		})
	}
	rest := map[ladderCell]int{}
	for _, r := range waiting {
		rest[ladderSteps[3](r)]++
	}
	for c, n := range rest {
		if out[c] = n; n >= k {
			continue
		}
		least, found := ladderCell{}, false
		for at, size := range out {
			if at.segment == c.segment && at != c && (!found || cmp.Or(cmp.Compare(size, out[least]), cmp.Compare(at.from, least.from), cmp.Compare(at.to, least.to), cmp.Compare(at.daypart, least.daypart)) < 0) {
				least, found = at, true
			}
		}
		out[c] += out[least]
		delete(out, least)
	}
	return out
}

// naive counts whole cells at each step, and shows what is left at the next.
func naive(rows []ladderRow, k int) map[ladderCell]int {
	out := map[ladderCell]int{}
	for _, r := range rows {
		for _, step := range ladderSteps {
			whole := 0
			for _, x := range rows {
				if step(x) == step(r) {
					whole++
				}
			}
			if whole >= k {
				out[step(r)]++
				break
			}
		}
	}
	return out
}

func ladderRows(t *testing.T, n *night) (rows []ladderRow) {
	t.Helper()
	query := `select m.segment, f.value_tier::integer, case greatest(sessions_morning_90d, sessions_afternoon_90d, sessions_evening_90d, sessions_night_90d)
		when 0 then 'unknown' when sessions_morning_90d then 'morning' when sessions_afternoon_90d then 'afternoon' when sessions_evening_90d then 'evening' else 'night' end
		from members as m join features as f using (person)`
	err := n.db.each(context.Background(), query, func(scan func(...any) error) error {
		var r ladderRow
		err := scan(&r.segment, &r.tier, &r.daypart)
		rows = append(rows, r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestTheLadderReleasesNoRemainder holds the SQL to a plain one in Go, on crowds for
// which the naive ladder publishes groups under k.
func TestTheLadderReleasesNoRemainder(t *testing.T) {
	leaks := 0
	for seed := range uint64(3) {
		s := crowd(t, seed, 400)
		in := s.night(monday.AddDate(0, 0, 1))
		in.Config.Exports.Channels = in.Config.Exports.Channels[:1]
		in.Config.Segments = []config.Segment{{Name: "all", Where: "events_28d >= 1"}, {Name: "buyers", Where: "orders_28d >= 1"}, {Name: "few", Where: "order_cents_28d > 45000"}}
		n := until(t, in, "checking")
		var rows []ladderRow
		for _, r := range ladderRows(t, n) {
			if r.segment != "few" {
				rows = append(rows, r)
			}
		}
		want := climb(rows, 25)
		got := map[ladderCell]int{}
		for _, r := range csvRows(t, filepath.Join(n.runDir(), "aggregates.csv")) {
			var c ladderCell
			var least int
			if _, err := fmt.Sscan(r["segment"], &c.segment); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Sscan(r["value_tier_from"]+" "+r["value_tier_to"]+" "+r["daypart"]+" "+r["persons_at_least"], &c.from, &c.to, &c.daypart, &least); err != nil {
				t.Fatal(err)
			}
			got[c] = least
		}
		for c, persons := range want {
			if persons < 25 || got[c] != persons/25*25 {
				t.Errorf("seed %d: %v is told as %d, of %d", seed, c, got[c], persons)
			}
		}
		if len(got) != len(want) || len(want) < 8 {
			t.Errorf("seed %d: %d cells, want %d", seed, len(got), len(want))
		}
		for _, persons := range naive(rows, 25) {
			if persons < 25 {
				leaks++
			}
		}
		n.end()
	}
	if leaks == 0 {
		t.Error("the naive ladder leaks nothing on these crowds: they show nothing")
	}
}

// BAT-07: counts that pass the test may be called anonymous, and stay; with a smaller k
// they may not, and go like rows.
func TestAggregatesAreCalledWhatTheyAre(t *testing.T) {
	for k, want := range map[int]string{25: anonymous, 12: pseudonymous} {
		s := crowd(t, 1, 200)
		in := s.night(monday.AddDate(0, 0, 1))
		in.Config.Exports.K = k
		s.run(in)
		m := manifestIn(t, filepath.Join(in.Out, "2026-11-03"))
		at := slices.IndexFunc(m.Files, func(f File) bool { return f.Name == "aggregates.csv" })
		if at < 0 || m.Files[at].Label != want || m.Files[at].holdsRows() != (want == pseudonymous) || m.Files[at].Channel != "" {
			t.Errorf("k %d: %+v", k, m.Files[max(at, 0)])
		}
	}
}

// EXP-07: what two nights tell of one segment differs by k or by nothing.
func TestEXP07DenyAStepBetweenTwoNights(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	people := 240
	come := func(more int, at time.Time) {
		for range more {
			who := subject(people*4 + 1)
			s.says(who, consent.Given, at, consent.PersonalisationContent)
			s.subjects[who] = subjectRow{scope: consent.Account}
			s.visit(who, at.Add(time.Duration(people)*time.Second), 1, 0)
			people++
		}
	}
	for night, want := range []struct {
		come    int
		members int64
	}{
		{0, 175},  // 180
		{3, 175},  // 183
		{40, 175}, // 223: whoever reads 175 knows only that it was 175 to 199
		{2, 225},  // 225: 26 more than it can have been
		{0, 225},
	} {
		asOf := monday.AddDate(0, 0, night+1)
		come(want.come, asOf.AddDate(0, 0, -1))
		in := s.night(asOf)
		seg := s.run(in).Report.Segments[0]
		if seg.Members == nil || *seg.Members != want.members {
			t.Errorf("night %d tells %v, want %d", night, seg.Members, want.members)
		}
		m := manifestIn(t, filepath.Join(in.Out, asOf.Format(time.DateOnly)))
		if got := m.Segments[0]; *got.Members != want.members {
			t.Errorf("night %d: the manifest tells %d", night, *got.Members)
		}
	}
}
