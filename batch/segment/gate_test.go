package segment

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// TestAViewShowsWhatForShows holds the views to event.Fields.Keep: whichever field
// alone is kept, SQL sees what Go sees.
func TestAViewShowsWhatForShows(t *testing.T) {
	n, s, who := bench(t), newShop(t), subject(1)
	n.consenting(t, who)
	s.says(who, consent.Given, monday.Add(-time.Hour), basis)
	full := event.Fields{
		Product: "p", Category: "c", ProductClass: "premium", PriceCents: 1, Quantity: 2, Items: []event.Item{{Product: "i", Quantity: 3, PriceCents: 4}},
		Variant: "v", QueryKey: 5, QueryWords: []string{"w"}, QueryExact: true, Results: 6, CartCents: 7, OrderKey: 8, Currency: "EUR", Step: 9,
		ErrorClass: "payment", Decision: "d", Slot: "s", SlotVariant: "sv", PageType: "home", ReferrerHost: "r", UAFamily: "u", IPPrefix: "ip",
		Locale: "de", HourBand: "night", DwellMS: 10, Authenticated: true,
	}
	for range event.FieldNames() {
		s.sees(who, event.ProductViewed, monday, full)
	}
	rows := s.rows[monday.Format(time.DateOnly)]
	for i := range rows {
		at := slices.Index(consent.Set(rows[i].Purposes).List(), basis)
		rows[i].Keeps[at], rows[i].Fields = int64(event.FieldSet(0).With(event.Field(i))), full
	}
	n.day(t, s.dir, rows)
	if err := n.db.exec(context.Background(), fmt.Sprintf("update verdicts set keep = %d", int64(event.AllFields))); err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		i := 0
		query := fmt.Sprintf("select to_json(%s)::varchar from %s order by message_key", c.name, viewOf(basis))
		err := n.db.each(context.Background(), query, func(scan func(...any) error) error {
			f, _ := rows[i].Event().For(basis)
			want := fullFields(f)[c.name]
			if c.field == event.FieldResults && event.Field(i) != c.field {
				want = -1 // not told: a missing number of results must not read as none
			}
			var got string
			if err := scan(&got); err != nil {
				return err
			}
			if expected := string(mustJSON(t, want)); got != expected {
				t.Errorf("keeping %s: column %s is %s in SQL, %s in Go", event.Field(i), c.name, got, expected)
			}
			i++
			return nil
		})
		if err != nil || i != len(rows) {
			t.Fatalf("column %s: %d rows, %v", c.name, i, err)
		}
	}
}

func TestEveryFieldHasItsColumn(t *testing.T) {
	var seen event.FieldSet
	for _, c := range columns {
		seen = seen.With(c.field)
	}
	if seen != event.AllFields {
		t.Errorf("fields without a column: %v", (event.AllFields &^ seen).Names())
	}
	if stored := reflect.TypeFor[event.Fields]().NumField(); stored != len(columns) {
		t.Errorf("event.Fields stores %d properties, the views show %d", stored, len(columns))
	}
}

var (
	drawStatus  = rapid.SampledFrom([]consent.Status{"", consent.Given, consent.Renewed, consent.Refused, consent.Withdrawn, consent.Expired, consent.Requested, consent.Invalidated})
	drawPurpose = rapid.SampledFrom([]consent.Purpose{basis, consent.Analytics, consent.MarketingEmail, consent.AdsThirdParty, consent.SpecialCategory("health")})
)

// TestSQLFoldsLikeTogether holds standings_now to consent.Together, for devices
// and accounts, alone and linked, before and after expiry.
func TestSQLFoldsLikeTogether(t *testing.T) {
	n := bench(t)
	dir := t.TempDir()
	asOf := n.in.AsOf
	rapid.Check(t, func(t *rapid.T) {
		s := newShopIn(t, dir)
		device, account := subject(1), subject(2)
		linked := rapid.Bool().Draw(t, "linked")
		states := map[consent.Subject]consent.State{}
		for _, who := range []consent.Subject{device, account} {
			st := consent.State{Subject: who, Standings: map[consent.Purpose]consent.Standing{}}
			for range rapid.IntRange(0, 4).Draw(t, "decisions") {
				if status := drawStatus.Draw(t, "status"); status != "" {
					since := asOf.AddDate(0, 0, -rapid.IntRange(0, 400).Draw(t, "age"))
					p := drawPurpose.Draw(t, "purpose")
					s.says(who, status, since, p)
					lifting := s.standings[who][p]
					lifting.Lifts = status.Valid() && rapid.Bool().Draw(t, "lifts")
					s.standings[who][p] = lifting
					st.Standings[p] = s.standings[who][p]
				}
			}
			states[who] = st
			s.subjects[who] = subjectRow{scope: consent.Device}
		}
		s.subjects[account] = subjectRow{scope: consent.Account}
		if linked {
			s.links[device] = account
		}
		n.in.Snapshot = dir
		s.consents(dir)
		s.linked(dir)
		err := n.fromParquet(context.Background(), dir, "links")
		if err == nil {
			err = n.consents(context.Background(), dir)
		}
		if err != nil {
			t.Fatal(err)
		}
		got := n.standings(t)
		for _, p := range consent.Purposes {
			want := map[consent.Subject]consent.Standing{
				device: consent.Together(states[device], consent.State{}, p, asOf), account: consent.Together(consent.State{}, states[account], p, asOf),
			}
			if linked {
				want[device] = consent.Together(states[device], states[account], p, asOf)
			}
			for who, w := range want {
				g := got[who][p]
				if g.Status == "" {
					g.Status = consent.Unknown
				}
				same := g.Status == w.Status && (!w.Status.Valid() || g.Since.Equal(w.Since) && g.Until.Equal(w.Until) && g.Explicit == w.Explicit && g.Lifts == w.Lifts)
				if !same {
					t.Fatalf("%s, linked %v: SQL says %+v, Go says %+v", p, linked, g, w)
				}
			}
		}
	})
}

func (n *night) standings(t failer) map[consent.Subject]map[consent.Purpose]consent.Standing {
	t.Helper()
	out := map[consent.Subject]map[consent.Purpose]consent.Standing{}
	query := "select subject, bit, status, since_ms, until_ms, explicit, lifts from standings_now"
	err := n.db.each(context.Background(), query, func(scan func(...any) error) error {
		var who duckdb.UUID
		var bit int
		var since, until int64
		var st consent.Standing
		var status string
		if err := scan(&who, &bit, &status, &since, &until, &st.Explicit, &st.Lifts); err != nil {
			return err
		}
		st.Status, st.Since, st.Until = consent.Status(status), time.UnixMilli(since).UTC(), time.UnixMilli(until).UTC()
		if out[consent.Subject(who)] == nil {
			out[consent.Subject(who)] = map[consent.Purpose]consent.Standing{}
		}
		out[consent.Subject(who)][consent.Purposes[bit]] = st
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTheTimeTable is law.md 2.5 as the night sees it: which events of a subject
// count tonight, by what was said and when.
func TestTheTimeTable(t *testing.T) {
	hour := func(h, m int) time.Time { return monday.Add(time.Duration(h)*time.Hour + time.Duration(m)*time.Minute) }
	health := consent.SpecialCategory("health")
	tests := []struct {
		name   string
		before func(*shop, consent.Subject) // what held when the events came in
		after  func(*shop, consent.Subject) // what was said since
		events []time.Time
		tag    policy.Tag
		want   int64
	}{
		{"T2: event after the grant counts", given(hour(10, 5)), nil, []time.Time{hour(10, 6)}, policy.TagNone, 1},
		{"T1: a grant after the event does not reach back", given(hour(10, 0)), given(hour(10, 30)), []time.Time{hour(10, 6), hour(10, 31)}, policy.TagNone, 1},
		{"to the millisecond of the grant", given(hour(10, 0)), given(hour(10, 6)), []time.Time{hour(10, 6)}, policy.TagNone, 1},
		{"T3: a withdrawal in the evening takes the day out", given(hour(10, 5)), said(consent.Withdrawn, hour(23, 50)), []time.Time{hour(10, 6)}, policy.TagNone, 0},
		{"T4: a grant after a withdrawal covers only what follows", given(hour(9, 0)), given(hour(11, 0)), []time.Time{hour(10, 0), hour(11, 0), hour(12, 0)}, policy.TagNone, 2},
		{"T8: refused since", given(hour(9, 0)), said(consent.Refused, hour(13, 0)), []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"T15: invalidated since", given(hour(9, 0)), said(consent.Invalidated, hour(13, 0)), []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"T14: expired by the night", given(hour(9, 0)), func(s *shop, who consent.Subject) {
			st := s.standings[who][basis]
			st.Until = monday.AddDate(0, 0, 1)
			s.standings[who][basis] = st
		}, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"T18: restricted since", given(hour(9, 0)), func(s *shop, who consent.Subject) {
			s.subjects[who] = subjectRow{scope: consent.Device, restricted: true}
		}, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"a child, as is known now", given(hour(9, 0)), func(s *shop, who consent.Subject) { s.subjects[who] = subjectRow{scope: consent.Device, age: "u16"} }, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"erased: no standing at all", given(hour(9, 0)), func(s *shop, who consent.Subject) { delete(s.standings, who); delete(s.subjects, who) }, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"SPC-01: explicit consent in force", both(given(hour(9, 0)), says(consent.Given, hour(9, 0), health)), nil, []time.Time{hour(10, 0)}, policy.TagExplicit, 1},
		{"SPC-01: explicit consent withdrawn", both(given(hour(9, 0)), says(consent.Given, hour(9, 0), health)), says(consent.Withdrawn, hour(12, 0), health), []time.Time{hour(10, 0)}, policy.TagExplicit, 0},
		{"SPC-01: one of two explicit yeses ended, and nobody knows which the event needed", both(given(hour(9, 0)), says(consent.Given, hour(9, 0), health)),
			says(consent.Withdrawn, hour(12, 0), consent.SpecialCategory("religion")), []time.Time{hour(10, 0)}, policy.TagExplicit, 0},
		{"SPC-01: another category, not explicit for this one", both(given(hour(9, 0)), says(consent.Given, hour(9, 0), health)), func(s *shop, _ consent.Subject) {
			s.products = []event.Product{{ID: "p1", Category: "tea", Tags: []string{"religion"}}}
		}, []time.Time{hour(10, 0)}, policy.TagExplicit, 0},
		{"SPC-01: the product became sensitive since", given(hour(9, 0)), func(s *shop, _ consent.Subject) {
			s.products = []event.Product{{ID: "p1", Category: "tea", Tags: []string{"health"}}}
		}, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"SPC-01: explicit for just this category", both(given(hour(9, 0)), says(consent.Given, hour(9, 0), health)), both(func(s *shop, _ consent.Subject) {
			s.products = []event.Product{{ID: "p1", Category: "tea", Tags: []string{"health"}}}
		}, says(consent.Withdrawn, hour(12, 0), consent.SpecialCategory("religion"))), []time.Time{hour(10, 0)}, policy.TagExplicit, 1},
		{"SPC-02: a line of the list became sensitive since", given(hour(9, 0)), func(s *shop, _ consent.Subject) {
			s.products = []event.Product{{ID: "line", Category: "other", Tags: []string{"health"}}}
		}, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"T13: the account that the device was linked to refuses", given(hour(9, 0)), func(s *shop, who consent.Subject) {
			s.says(subject(99), consent.Refused, hour(12, 0), basis)
			s.links[who] = subject(99)
		}, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"T18: the account that the device was linked to is restricted", given(hour(9, 0)), func(s *shop, who consent.Subject) {
			s.subjects[subject(99)] = subjectRow{scope: consent.Account, restricted: true}
			s.links[who] = subject(99)
		}, []time.Time{hour(10, 0)}, policy.TagNone, 0},
		{"T12: the account is silent", given(hour(9, 0)), func(s *shop, who consent.Subject) {
			s.subjects[subject(99)] = subjectRow{scope: consent.Account}
			s.links[who] = subject(99)
		}, []time.Time{hour(10, 0)}, policy.TagNone, 1},
	}
	n := bench(t)
	n.in.AsOf = monday.AddDate(0, 0, 1)
	if err := n.closedLists(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, who := newShop(t), subject(1)
			tt.before(s, who)
			for _, at := range tt.events {
				s.stores(who, event.ProductViewed, at, event.Fields{Product: "p1", Category: "tea", Items: []event.Item{{Product: "line"}}}, tt.tag, false)
			}
			if tt.after != nil {
				tt.after(s, who)
			}
			n.in.Snapshot = s.snapshot(n.in.AsOf)
			if err := n.load(context.Background()); err != nil {
				t.Fatal(err)
			}
			n.day(t, filepath.Join(s.dir), s.rows[monday.Format(time.DateOnly)])
			var got int64
			if err := n.db.one(context.Background(), "select coalesce(sum(events), 0)::bigint from daily", &got); err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("%d of %d events count, want %d", got, len(tt.events), tt.want)
			}
		})
	}
}

// TestWhoADeviceBelongsTo: the account, only if both sides said yes (CON-14).
func TestWhoADeviceBelongsTo(t *testing.T) {
	device, account := subject(1), subject(2)
	tests := []struct {
		name            string
		device, account consent.Status
		merged          bool
	}{
		{"both agree", consent.Given, consent.Renewed, true},
		{"the account is silent", consent.Given, "", false},
		{"the device is silent", "", consent.Given, false},
		{"the account withdrew", consent.Given, consent.Withdrawn, false},
		{"the device refused", consent.Refused, consent.Given, false},
	}
	n := bench(t)
	for _, tt := range tests {
		s := newShop(t)
		s.subjects[device], s.subjects[account] = subjectRow{scope: consent.Device}, subjectRow{scope: consent.Account}
		s.links[device] = account
		for who, status := range map[consent.Subject]consent.Status{device: tt.device, account: tt.account} {
			if status != "" {
				s.says(who, status, monday, basis)
			}
		}
		n.in.Snapshot = s.snapshot(monday)
		if err := n.load(context.Background()); err != nil {
			t.Fatal(err)
		}
		var person duckdb.UUID
		if err := n.db.one(context.Background(), fmt.Sprintf("select person from persons where subject = '%s'", device), &person); err != nil {
			t.Fatal(err)
		}
		if merged := consent.Subject(person) == account; merged != tt.merged {
			t.Errorf("%s: merged is %v", tt.name, merged)
		}
	}
}

func says(status consent.Status, at time.Time, p consent.Purpose) func(*shop, consent.Subject) {
	return func(s *shop, who consent.Subject) { s.says(who, status, at, p) }
}

func given(at time.Time) func(*shop, consent.Subject) { return says(consent.Given, at, basis) }

func said(status consent.Status, at time.Time) func(*shop, consent.Subject) {
	return says(status, at, basis)
}

func both(a, b func(*shop, consent.Subject)) func(*shop, consent.Subject) {
	return func(s *shop, who consent.Subject) { a(s, who); b(s, who) }
}

// TestAnUnknownCaseStopsTheNight: nobody could say why such an event was admitted.
func TestAnUnknownCaseStopsTheNight(t *testing.T) {
	s := newShop(t)
	s.everyday(30, 1)
	s.rows[monday.Format(time.DateOnly)][0].Cases[0] = 4711
	if r := s.rows[monday.Format(time.DateOnly)][0]; len(r.Cases) > 1 {
		r.Cases[1] = 4711
	}
	if _, err := Run(context.Background(), s.night(monday.AddDate(0, 0, 1))); err == nil {
		t.Error("a night with an event of an unknown case published")
	}
}
