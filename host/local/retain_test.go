package local

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/snapshot"
)

// midnight is the end of the n-th day, which begins at the noon of these tests.
func midnight(n int) time.Time { return noon.Truncate(aDay).AddDate(0, 0, n) }

func names(m snapshot.Manifest) (out []string) {
	for _, d := range m.Days {
		out = append(out, d.Day)
	}
	return out
}

// tenDays is a shop with a row on each of eleven days. They share a frame, so the
// log keeps all of them as long as the last day is open.
func tenDays(t *testing.T) (*shop, consent.Subject) {
	s := newShop(t)
	ada := s.person(1, consent.Analytics, consent.AdviserAssist)
	var rows []event.Row
	for n := range 11 {
		rows = append(rows, saw(ada, byte(n), noon.Add(time.Duration(n)*aDay+time.Hour)))
	}
	s.takes(rows...)
	return s, ada
}

func TestEventsGoOnceANightHasSeenThem(t *testing.T) {
	s, _ := tenDays(t)
	s.opts.Retain = Retain{EventDays: 3}
	if m := s.nightly(midnight(10)); len(m.Days) != 10 {
		t.Fatalf("the first night sees %v, want all ten days", names(m))
	}
	ok(t, s.Publish(ctx, flow.Publication{AsOf: midnight(10)}, nil))
	want := []string{"2008-04-08", "2008-04-09", "2008-04-10"}
	for _, name := range []string{"2008-04-01", "2008-04-07"} {
		if _, err := os.Stat(filepath.Dir(s.dayPath(name))); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if len(s.logged()) != 11 {
		t.Fatalf("the log does not hold the rows any more: this test tests nothing")
	}
	for range 2 {
		ok(t, s.DayEvents(ctx, "2008-04-07", func(r event.Row) error { t.Errorf("an event of a day that is gone: %v", r); return nil }))
		if got := names(s.nightly(midnight(10))); !slices.Equal(got, want) {
			t.Errorf("days %v, want %v", got, want)
		}
		s.reopen()
	}
	if got := names(s.nightly(midnight(11))); !slices.Equal(got, append(want, "2008-04-11")) || len(s.logged()) != 0 {
		t.Errorf("days %v, %d rows in the log", got, len(s.logged()))
	}
}

func TestEventsStayForEverIfNobodySaysOtherwise(t *testing.T) {
	s, _ := tenDays(t)
	s.nightly(midnight(10))
	ok(t, s.Publish(ctx, flow.Publication{AsOf: midnight(4000)}, nil))
	if m := s.nightly(midnight(10)); len(m.Days) != 10 {
		t.Errorf("days %v", names(m))
	}
}

func TestAnEarlierNightBringsNothingBack(t *testing.T) {
	s, _ := tenDays(t)
	s.nightly(midnight(10))
	for _, asOf := range []int{10, 8} {
		s.opts.Retain = Retain{EventDays: 3}
		ok(t, s.Publish(ctx, flow.Publication{AsOf: midnight(asOf)}, nil))
		s.reopen()
	}
	if got := names(s.nightly(midnight(10))); len(got) != 3 {
		t.Errorf("days %v", got)
	}
}

// TestADayWhoseRemovalACrashCutShortIsGone puts a day's file back after it was
// noted that the day is gone.
func TestADayWhoseRemovalACrashCutShortIsGone(t *testing.T) {
	s, _ := tenDays(t)
	path := s.nightly(midnight(10)).Days[0].Path
	body, err := os.ReadFile(path)
	ok(t, err)
	s.opts.Retain = Retain{EventDays: 3}
	ok(t, s.Publish(ctx, flow.Publication{AsOf: midnight(10)}, nil))
	ok(t, os.MkdirAll(filepath.Dir(path), 0o700))
	ok(t, os.WriteFile(path, body, 0o600))
	if got := names(s.nightly(midnight(10))); len(got) != 3 {
		t.Errorf("days %v", got)
	}
	s.reopen()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

func decided(id string, at time.Time) *decide.Record {
	return &decide.Record{
		ID: id, Time: at, Action: decide.ActionPrice, Subject: consent.Subject{9}, Rules: []string{"PRI-01"}, Input: []byte("{}"), Result: []byte("{}"),
	}
}

// TestOldDecisionsGoAndTheChainGoesOn, also over a power cut: the first record that
// is left names the last one that is gone.
func TestOldDecisionsGoAndTheChainGoesOn(t *testing.T) {
	mem := vfs.NewCrashableMem()
	o := options()
	o.fs, o.Retain = mem, Retain{DecisionDays: 10}
	h := openAt(t, "/data", o)
	for _, id := range []string{"a", "b", "twice"} {
		ok(t, h.AppendDecision(ctx, decided(id, noon)))
	}
	ok(t, h.Publish(ctx, flow.Publication{AsOf: midnight(1)}, nil))
	for _, id := range []string{"c", "twice"} {
		ok(t, h.AppendDecision(ctx, decided(id, noon.Add(5*aDay))))
	}
	all, err := h.ReadDecisions(ctx)
	ok(t, err)
	gone := all[2].Hash()
	ok(t, h.Publish(ctx, flow.Publication{AsOf: midnight(10)}, nil))
	if left, err := h.ReadDecisions(ctx); len(left) != 5 || err != nil {
		t.Fatalf("%d records are left of the last ten days, %v", len(left), err)
	}
	ok(t, h.Publish(ctx, flow.Publication{AsOf: midnight(12)}, nil))
	left := func(want int) {
		t.Helper()
		found, _, err := h.SearchDecisions(ctx, flow.DecisionQuery{Subject: consent.Subject{9}})
		ok(t, err)
		all, err := h.ReadDecisions(ctx)
		ok(t, err)
		if len(all) != want || len(found) != want || all[0].N != 4 || all[0].Prev != hex.EncodeToString(gone[:]) {
			t.Fatalf("%d records, %d found, want %d; the first is %+v", len(all), len(found), want, all[0])
		}
		for id, is := range map[string]bool{"a": false, "b": false, "twice": true, "c": true} {
			if _, err := h.Decision(ctx, id); errors.Is(err, flow.ErrNotFound) == is || is && err != nil {
				t.Errorf("decision %s: %v", id, err)
			}
		}
		for _, table := range []byte{tabDecision, tabByTime, tabBySubject, tabByRule, tabByAction} {
			n := 0
			ok(t, under(h.db, []byte{table}, func(_, v []byte) error { n++; return nil }))
			if n != want {
				t.Errorf("index %c has %d entries, want %d", table, n, want)
			}
		}
	}
	left(2)
	after := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0, RNG: rand.New(rand.NewPCG(1, 2))})
	ok(t, h.Close())
	o.fs = after
	h = openAt(t, "/data", o)
	left(2)
	ok(t, h.AppendDecision(ctx, decided("d", noon.Add(13*aDay))))
	if all, err = h.ReadDecisions(ctx); err != nil || all[2].N != 6 {
		t.Errorf("the chain goes on with %+v, %v", all[2], err)
	}
	ok(t, h.Close())
	h = openAt(t, "/data", o)
	left(3)
	ok(t, h.Snapshot(ctx, midnight(20), "/snapshot"))
	ok(t, h.Close())
}

// A snapshot holds the decisions of 90 days and says how old the oldest is that the host keeps.
func TestASnapshotNamesTheOldestDecision(t *testing.T) {
	s := newShop(t)
	if m := s.nightly(midnight(1)); m.Decided != "" {
		t.Errorf("before any decision: the oldest is of %s", m.Decided)
	}
	ok(t, s.AppendDecision(ctx, decided("old", noon.Add(-300*aDay))))
	ok(t, s.AppendDecision(ctx, decided("new", noon)))
	if m := s.nightly(midnight(1)); m.Decided != noon.Add(-300*aDay).Format(time.DateOnly) {
		t.Errorf("the oldest is of %q", m.Decided)
	}
}
