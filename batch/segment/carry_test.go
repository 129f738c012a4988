package segment

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// stepwise runs the nights of some days one after the other, and then one rescan of
// the last from nothing; their daily rows must be the same.
func (s *shop) stepwise(t *testing.T, days int, between func(night int)) (in Inputs) {
	t.Helper()
	for d := 1; d <= days; d++ {
		if between != nil {
			between(d)
		}
		in = s.night(monday.AddDate(0, 0, d))
		s.run(in)
	}
	again := in
	again.State, again.Out = filepath.Join(s.dir, "rescan", "night"), filepath.Join(s.dir, "rescan", "exports")
	s.run(again)
	left, right, err := Differ(context.Background(), again.State, in.State)
	if err != nil || left+right > 0 {
		t.Fatalf("%d rows only in the rescan, %d only in the increment, %v", left, right, err)
	}
	return in
}

// summed adds a number of daily rows up, for one subject.
func (in Inputs) summed(t *testing.T, number string, who consent.Subject) (sum int64) {
	t.Helper()
	st, err := readState(in.State)
	if err != nil {
		t.Fatal(err)
	}
	of := map[string]func(*dayRow) int64{
		"sessions":          func(r *dayRow) int64 { return r.Sessions },
		"events":            func(r *dayRow) int64 { return r.Events },
		"events + sessions": func(r *dayRow) int64 { return r.Events + r.Sessions },
		"product_views":     func(r *dayRow) int64 { return r.Views },
		"products_viewed":   func(r *dayRow) int64 { return r.Viewed },
		"compare_loops":     func(r *dayRow) int64 { return r.Loops },
		"orders":            func(r *dayRow) int64 { return int64(len(r.Orders)) },
	}[number]
	for _, d := range st.Days {
		err := eachRow(filepath.Join(in.State, d.File), func(r *dayRow) error {
			if r.Subject == who {
				sum += of(r)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return sum
}

// TestASessionAcrossMidnightCountsOnce, with all that it held, as of the night after
// it ended: night by night as in one rescan. What was ordered in it counts at once.
func TestASessionAcrossMidnightCountsOnce(t *testing.T) {
	s, who, alone := newShop(t), subject(1), subject(2)
	for _, x := range []consent.Subject{who, alone} {
		s.says(x, consent.Given, monday.Add(-time.Hour), basis)
	}
	late := monday.Add(23*time.Hour + 40*time.Minute)
	s.sees(who, event.ProductViewed, late, event.Fields{Product: "a", PriceCents: 100})
	s.sees(who, event.ProductViewed, late.Add(10*time.Minute), event.Fields{Product: "b", PriceCents: 100})
	s.sees(who, event.OrderCompleted, late.Add(15*time.Minute), event.Fields{OrderKey: 7, CartCents: 500})
	s.sees(who, event.ProductViewed, late.Add(25*time.Minute), event.Fields{Product: "a", PriceCents: 100}) // past midnight: a loop, and the same product
	s.sees(who, event.ProductViewed, late.Add(3*time.Hour), event.Fields{Product: "c"})
	s.sees(alone, event.ProductViewed, late, event.Fields{Product: "a"}) // nothing follows
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	for column, want := range map[string]int64{"sessions": 0, "product_views": 0, "events": 3, "orders": 1} {
		if got := first.summed(t, column, who); got != want {
			t.Errorf("on the first night %s is %d, want %d", column, got, want)
		}
	}
	in := s.stepwise(t, 3, nil)
	for column, want := range map[string]int64{
		"sessions": 2, "product_views": 4, "products_viewed": 3, "compare_loops": 1, "events": 5, "orders": 1,
	} {
		if got := in.summed(t, column, who); got != want {
			t.Errorf("%s is %d, want %d", column, got, want)
		}
	}
	if got := in.summed(t, "sessions", alone); got != 1 {
		t.Errorf("a session that nothing followed counts %d times", got)
	}
}

// TestAWithdrawnSubjectLeavesTheSessionItHadOpen: nothing of it comes back on the day after.
func TestAWithdrawnSubjectLeavesTheSessionItHadOpen(t *testing.T) {
	s, who := newShop(t), subject(1)
	s.says(who, consent.Given, monday.Add(-time.Hour), basis)
	s.sees(who, event.ProductViewed, monday.Add(23*time.Hour+50*time.Minute), event.Fields{Product: "a"})
	s.sees(who, event.ProductViewed, monday.Add(24*time.Hour+5*time.Minute), event.Fields{Product: "a"})
	in := s.stepwise(t, 3, func(night int) {
		if night == 3 {
			s.says(who, consent.Withdrawn, monday.AddDate(0, 0, 2), basis)
		}
	})
	if got := in.summed(t, "events + sessions", who); got != 0 {
		t.Errorf("%d of it is left", got)
	}
}

// TestLateEventsCountByIngestDay: those of an earlier day join the session that they
// belong to if that is still carried, and are one of their own otherwise; the day that
// is closed stays as it is.
func TestLateEventsCountByIngestDay(t *testing.T) {
	s, who := newShop(t), subject(1)
	s.says(who, consent.Given, monday.Add(-time.Hour), basis)
	tuesday := monday.AddDate(0, 0, 1)
	s.sees(who, event.ProductViewed, monday.Add(10*time.Hour), event.Fields{Product: "a"})
	s.sees(who, event.ProductViewed, monday.Add(23*time.Hour+50*time.Minute), event.Fields{Product: "a"})
	late := func(at time.Time, product string) {
		s.sees(who, event.ProductViewed, at, event.Fields{Product: product})
		day := at.Format(time.DateOnly)
		last := len(s.rows[day]) - 1
		row := s.rows[day][last]
		s.rows[day] = s.rows[day][:last]
		row.ReceivedMS = tuesday.Add(9 * time.Hour).UnixMilli()
		s.rows[tuesday.Format(time.DateOnly)] = append(s.rows[tuesday.Format(time.DateOnly)], row)
	}
	late(monday.Add(10*time.Hour+5*time.Minute), "b")
	late(monday.Add(23*time.Hour+45*time.Minute), "b")
	in := s.stepwise(t, 3, nil)
	for column, want := range map[string]int64{"events": 4, "product_views": 4, "sessions": 3} {
		if got := in.summed(t, column, who); got != want {
			t.Errorf("%s is %d, want %d", column, got, want)
		}
	}
	st, err := readState(in.State)
	if err != nil || len(st.Days) != 2 || !strings.HasSuffix(st.Days[0].File, "000001.parquet") {
		t.Errorf("the closed day was written again: %v, %v", st.Days, err)
	}
}

// TestWhoLeavesTakesThePastAlong: who withdrew, who was erased, and a device whose
// account withdrew have no row of any day after the next night, and who agrees again
// has only what came since.
func TestWhoLeavesTakesThePastAlong(t *testing.T) {
	s := newShop(t)
	s.everyday(12, 3)
	gone, erased, device, account, again := subject(1), subject(2), subject(3), subject(4), subject(5)
	s.subjects[device] = subjectRow{scope: consent.Device}
	s.links[device] = account
	in := s.stepwise(t, 3, func(night int) {
		if night != 3 {
			return
		}
		s.says(gone, consent.Withdrawn, monday.AddDate(0, 0, 2), basis)
		s.says(account, consent.Withdrawn, monday.AddDate(0, 0, 2), basis)
		s.says(again, consent.Given, monday.AddDate(0, 0, 2), basis)
		delete(s.subjects, erased)
		delete(s.standings, erased)
	})
	for name, who := range map[string]consent.Subject{"who withdrew": gone, "who was erased": erased, "a withdrawn account": account, "its device": device} {
		if got := in.summed(t, "events", who); got != 0 {
			t.Errorf("%s still has %d events", name, got)
		}
	}
	one, all := in.summed(t, "events", again), in.summed(t, "events", subject(9))
	if one == 0 || one*3 != all {
		t.Errorf("who agreed again on the last of three days has %d of %d events", one, all)
	}
}
