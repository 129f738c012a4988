package local

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
)

const aDay = 24 * time.Hour

// shop is a host with subjects of known pseudonyms and a moving clock.
type shop struct {
	*Host
	t   *testing.T
	dir string
	now time.Time
	ids int

	options *Options // other than the usual ones
}

func newShop(t *testing.T) *shop {
	s := &shop{t: t, dir: t.TempDir(), now: noon}
	s.open()
	t.Cleanup(func() { ok(t, s.Close()) })
	return s
}

func (s *shop) open() {
	if s.options != nil {
		s.Host = openAt(s.t, s.dir, *s.options)
		return
	}
	s.Host = openAt(s.t, s.dir, Options{Tenant: "test", Clock: func() time.Time { return s.now }, segmentBytes: 2000})
}

func (s *shop) reopen() { ok(s.t, s.Close()); s.open() }

// person makes a subject with a pseudonym of its own choice and gives purposes.
func (s *shop) person(n byte, purposes ...consent.Purpose) consent.Subject {
	who := consent.Subject{n, n, n}
	if len(purposes) > 0 {
		s.says(who, s.now, consent.Given, purposes...)
	}
	return who
}

func (s *shop) says(who consent.Subject, at time.Time, status consent.Status, purposes ...consent.Purpose) {
	s.t.Helper()
	_, err := s.Append(ctx, who, func(consent.State) (consent.Record, error) {
		s.ids++
		r := consent.Record{
			RecordID: fmt.Sprintf("record-%d", s.ids), Scope: consent.Device, Event: consent.Act{Time: at},
			Validity: consent.Validity{From: at, Until: at.AddDate(1, 0, 0)},
		}
		for _, p := range purposes {
			r.Purposes = append(r.Purposes, consent.Choice{Purpose: p, Status: status})
		}
		return r, nil
	})
	ok(s.t, err)
}

// saw is a row of analytics and adviser_assist: the product is analytics', the
// price the adviser's.
func saw(who consent.Subject, n byte, received time.Time) event.Row {
	return event.Row{
		Bucket: int32(who.Bucket()), Subject: who, MessageKey: [16]byte{n}, Kind: int32(event.ProductViewed),
		OccurredMS: received.UnixMilli() - 10, ReceivedMS: received.UnixMilli(), Policy: "p1",
		Purposes: int64(consent.SetOf(consent.Analytics, consent.AdviserAssist)), Cases: []int64{-1, 2},
		Keeps:  []int64{1 << event.FieldProduct, 1 << event.FieldPrice},
		Fields: event.Fields{Product: fmt.Sprintf("B%d", n), PriceCents: 100 + int64(n)},
	}
}

func (s *shop) takes(rows ...event.Row) {
	s.t.Helper()
	ok(s.t, s.AppendEvents(ctx, rows))
}

// nightly takes a snapshot and reads its manifest.
func (s *shop) nightly(through time.Time) snapshot.Manifest {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "snapshot")
	ok(s.t, s.Snapshot(ctx, through, dir))
	return readManifest(s.t, dir)
}

func readManifest(t *testing.T, dir string) (m snapshot.Manifest) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "snapshot.json"))
	ok(t, err)
	ok(t, json.Unmarshal(b, &m))
	return m
}

func (s *shop) read(d snapshot.ManifestDay) []event.Row {
	s.t.Helper()
	rows, err := parquet.ReadFile[event.Row](d.Path)
	ok(s.t, err)
	if int64(len(rows)) != d.Rows {
		s.t.Fatalf("%s has %d rows, the manifest says %d", d.Day, len(rows), d.Rows)
	}
	return rows
}

func (s *shop) logged() []event.Row {
	rows, err := s.ReadEvents(ctx)
	ok(s.t, err)
	return rows
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	ok(t, err)
	w, err := json.Marshal(want)
	ok(t, err)
	if string(g) != string(w) {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
}

func TestClosedDaysBecomeParquetAndLeaveTheLog(t *testing.T) {
	s := newShop(t)
	ada, bob := s.person(1, consent.Analytics, consent.AdviserAssist), s.person(2, consent.Analytics, consent.AdviserAssist)
	var first, second []event.Row
	for n := range byte(40) {
		first = append(first, saw(bob, n, noon.Add(time.Minute)), saw(ada, n, noon.Add(time.Duration(40-n)*time.Minute)))
		second = append(second, saw(ada, 100+n, noon.Add(aDay)))
	}
	s.takes(first...)
	s.takes(second...)
	open := saw(ada, 99, noon.Add(2*aDay))
	s.takes(open)
	m := s.nightly(noon.Add(2 * aDay).Truncate(aDay))
	if len(m.Days) != 2 || m.Days[0].Day != "2008-04-01" || m.Days[0].Generation != 1 {
		t.Fatalf("days %+v", m.Days)
	}
	slices.SortFunc(first, inOrder)
	slices.SortFunc(second, inOrder)
	equal(t, s.read(m.Days[0]), first)
	equal(t, s.read(m.Days[1]), second)
	if left := s.logged(); len(left) > 41 || !slices.ContainsFunc(left, func(r event.Row) bool { return r.MessageKey == open.MessageKey }) {
		t.Fatalf("%d rows are left in the log", len(left))
	}
	s.reopen()
	again := s.nightly(noon.Add(2 * aDay).Truncate(aDay))
	equal(t, again.Days, m.Days)
	last := s.nightly(noon.Add(3 * aDay).Truncate(aDay))
	if len(last.Days) != 3 || len(s.logged()) != 0 {
		t.Fatalf("days %+v, %d rows in the log", last.Days, len(s.logged()))
	}
}

// inOrder is the order that a day's file promises.
func inOrder(a, b event.Row) int {
	return cmp.Or(cmp.Compare(a.Bucket, b.Bucket), bytes.Compare(a.Subject[:], b.Subject[:]), cmp.Compare(a.OccurredMS, b.OccurredMS),
		bytes.Compare(a.MessageKey[:], b.MessageKey[:]))
}

// TestDuplicatesOverSevenDaysLeaveOneRow sends everything three times, in any
// order and up to six ingest days later: the files are those of a clean run.
func TestDuplicatesOverSevenDaysLeaveOneRow(t *testing.T) {
	clean := newShop(t)
	ada := clean.person(1, consent.Analytics, consent.AdviserAssist)
	var rows []event.Row
	for n := range byte(30) {
		rows = append(rows, saw(ada, n, noon.Add(time.Duration(n)*time.Hour)))
	}
	clean.takes(rows...)
	end := noon.Add(9 * aDay).Truncate(aDay)
	want := clean.nightly(end)
	for seed := range uint64(5) {
		s := newShop(t)
		s.person(1, consent.Analytics, consent.AdviserAssist)
		r := rand.New(rand.NewPCG(seed, 0))
		sent := slices.Clone(rows)
		for _, row := range rows {
			for range 2 {
				late := row
				late.ReceivedMS += r.Int64N((6 * aDay).Milliseconds())
				sent = append(sent, late)
			}
		}
		r.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
		for i := range sent {
			s.takes(sent[i])
			if i == len(sent)/2 {
				s.nightly(noon.Add(aDay).Truncate(aDay)) // a night in between, before the rest came
			}
		}
		got := s.nightly(end)
		var all, wanted []event.Row
		for _, d := range got.Days {
			all = append(all, s.read(d)...)
		}
		for _, d := range want.Days {
			wanted = append(wanted, clean.read(d)...)
		}
		if len(all) != len(wanted) {
			t.Fatalf("seed %d: %d rows, want %d", seed, len(all), len(wanted))
		}
	}
}

func TestTheSameEventsGiveTheSameBytes(t *testing.T) {
	var sums [2]string
	for i := range sums {
		s := newShop(t)
		ada, bob := s.person(1, consent.Analytics, consent.AdviserAssist), s.person(2, consent.Analytics, consent.AdviserAssist)
		rows := []event.Row{}
		for n := range byte(50) {
			rows = append(rows, saw(ada, n, noon), saw(bob, n, noon), saw(bob, n, noon.Add(time.Minute)))
		}
		if i == 1 {
			slices.Reverse(rows)
		}
		for chunk := range slices.Chunk(rows, 7) {
			s.takes(chunk...)
		}
		sums[i] = s.nightly(noon.Add(aDay)).Days[0].SHA256
	}
	if sums[0] != sums[1] {
		t.Fatalf("digests %v", sums)
	}
}

func TestAWithdrawalIsCarriedOutInWhatIsCompacted(t *testing.T) {
	s := newShop(t)
	ada, bob := s.person(1, consent.Analytics, consent.AdviserAssist), s.person(2, consent.Analytics, consent.AdviserAssist)
	s.takes(saw(ada, 1, noon.Add(time.Hour)), saw(bob, 2, noon.Add(time.Hour)))
	s.takes(saw(bob, 3, noon.Add(aDay)))
	before := s.nightly(noon.Add(2 * aDay))
	s.says(ada, noon.Add(2*aDay), consent.Refused, consent.Analytics)
	after := s.nightly(noon.Add(3 * aDay))
	if after.Days[0].Generation != 2 || after.Days[1] != before.Days[1] {
		t.Fatalf("days before %+v and after %+v", before.Days, after.Days)
	}
	narrowed := saw(ada, 1, noon.Add(time.Hour))
	narrowed.Purposes, narrowed.Cases, narrowed.Keeps = int64(consent.SetOf(consent.AdviserAssist)), []int64{2}, []int64{1 << event.FieldPrice}
	narrowed.Fields.Product = ""
	equal(t, s.read(after.Days[0]), []event.Row{narrowed, saw(bob, 2, noon.Add(time.Hour))})
	s.says(ada, noon.Add(3*aDay), consent.Refused, consent.AdviserAssist)
	last := s.nightly(noon.Add(4 * aDay))
	equal(t, s.read(last.Days[0]), []event.Row{saw(bob, 2, noon.Add(time.Hour))})
	equal(t, s.nightly(noon.Add(5*aDay)).Days, last.Days)
}

func TestWhatMayNoLongerLieThereGoes(t *testing.T) {
	all := []consent.Purpose{consent.Analytics, consent.AdviserAssist}
	for _, c := range []struct {
		name string
		then func(s *shop, ada consent.Subject)
		left int
	}{
		{"nothing happened", func(*shop, consent.Subject) {}, 1},
		{"given again without a gap", func(s *shop, ada consent.Subject) { s.says(ada, noon.Add(2*aDay), consent.Given, all...) }, 1},
		{"withdrawn and given again (BAT-01)", func(s *shop, ada consent.Subject) {
			s.says(ada, noon.Add(2*aDay), consent.Refused, all...)
			s.says(ada, noon.Add(2*aDay+time.Hour), consent.Given, all...)
		}, 0},
		{"withdrawn but restricted: stored and nothing else (RGT-07)", func(s *shop, ada consent.Subject) {
			s.says(ada, noon.Add(2*aDay), consent.Refused, all...)
			st, err := s.state(ada)
			ok(s.t, err)
			st.Restricted = true
			ok(s.t, s.saveJSON(key(tabState, ada[:]), st))
		}, 1},
		{"an explicit yes that it does not rest on was withdrawn", func(s *shop, ada consent.Subject) {
			s.says(ada, noon.Add(2*aDay), consent.Given, consent.SpecialCategory("health"))
			s.says(ada, noon.Add(2*aDay+time.Hour), consent.Refused, consent.SpecialCategory("health"))
		}, 1},
		{"its explicit yes was withdrawn (SPC-01, BAT-03)", func(s *shop, ada consent.Subject) {
			body := []byte(`{"tag":"special_explicit"}`)
			ok(s.t, s.PutCases(ctx, map[event.CaseID][]byte{2: body, ^event.CaseID(0): body})) // those of saw
			s.says(ada, noon.Add(2*aDay), consent.Given, consent.SpecialCategory("health"))
			s.says(ada, noon.Add(2*aDay+time.Hour), consent.Refused, consent.SpecialCategory("health"))
		}, 0},
		{"its account refuses", func(s *shop, ada consent.Subject) {
			account := s.person(9)
			ok(s.t, s.Link(ctx, ada, account, noon))
			s.says(account, noon.Add(2*aDay), consent.Given, all...)
			s.says(account, noon.Add(2*aDay+time.Hour), consent.Refused, all...)
			s.says(ada, noon.Add(2*aDay), consent.Refused, consent.Analytics)
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newShop(t)
			ada := s.person(1, all...)
			s.takes(saw(ada, 1, noon.Add(time.Hour)))
			if m := s.nightly(noon.Add(aDay)); m.Days[0].Rows != 1 {
				t.Fatalf("days %+v", m.Days)
			}
			c.then(s, ada)
			if m := s.nightly(noon.Add(3 * aDay)); int(m.Days[0].Rows) != c.left {
				t.Fatalf("%d rows are left, want %d", m.Days[0].Rows, c.left)
			}
		})
	}
}

func TestAGrantThatRanOutTakesItsRows(t *testing.T) {
	s := newShop(t)
	ada := s.person(1, consent.Analytics, consent.AdviserAssist)
	s.takes(saw(ada, 1, noon.Add(time.Hour)))
	year := noon.AddDate(1, 0, 0)
	if m := s.nightly(year.Add(-time.Hour)); m.Days[0].Rows != 1 {
		t.Fatalf("days %+v", m.Days)
	}
	if m := s.nightly(year.Add(time.Hour)); m.Days[0].Rows != 0 || m.Days[0].Generation != 2 {
		t.Fatalf("days %+v", m.Days)
	}
}

func TestLateRowsJoinTheirDay(t *testing.T) {
	s := newShop(t)
	ada := s.person(1, consent.Analytics, consent.AdviserAssist)
	s.takes(saw(ada, 1, noon.Add(time.Hour)))
	s.nightly(noon.Add(aDay))
	s.takes(saw(ada, 2, noon.Add(2*time.Hour)), saw(ada, 1, noon.Add(3*time.Hour)))
	m := s.nightly(noon.Add(aDay))
	if len(m.Days) != 1 || m.Days[0].Generation != 2 {
		t.Fatalf("days %+v", m.Days)
	}
	equal(t, s.read(m.Days[0]), []event.Row{saw(ada, 1, noon.Add(time.Hour)), saw(ada, 2, noon.Add(2*time.Hour))})
}

func TestACrashBetweenFileAndKnowledgeOfItIsHealed(t *testing.T) {
	s := newShop(t)
	ada := s.person(1, consent.Analytics, consent.AdviserAssist)
	s.takes(saw(ada, 1, noon.Add(time.Hour)))
	want := s.nightly(noon.Add(aDay)).Days
	k := key(tabDay, []byte("2008-04-01"))
	known, err := get(s.db, k)
	ok(t, err)
	for name, forget := range map[string]func(b *pebble.Batch) error{
		"first file": func(b *pebble.Batch) error { return b.Delete(k, nil) },
		"next generation": func(b *pebble.Batch) error {
			return b.Set(k, bytes.Replace(known, []byte(`"generation":1`), []byte(`"generation":0`), 1), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ok(t, s.save(forget))
			equal(t, s.nightly(noon.Add(aDay)).Days, want)
		})
	}
}

func TestADamagedOrMissingDayIsReported(t *testing.T) {
	s := newShop(t)
	ada := s.person(1, consent.Analytics, consent.AdviserAssist)
	s.takes(saw(ada, 1, noon.Add(time.Hour)))
	path := s.nightly(noon.Add(aDay)).Days[0].Path
	whole, err := os.ReadFile(path)
	ok(t, err)
	fails := func(what string) {
		t.Helper()
		if err := s.Snapshot(ctx, noon.Add(aDay), t.TempDir()); err == nil || !strings.Contains(err.Error(), "dt=2008-04-01") {
			t.Fatalf("%s: got %v", what, err)
		}
	}
	for i := 0; i < len(whole); i += 13 {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 4
		ok(t, os.WriteFile(path, flipped, 0o600))
		fails(fmt.Sprint("flipped at ", i))
	}
	ok(t, os.Remove(path))
	fails("missing")
	ok(t, os.WriteFile(path, whole, 0o600))
	s.nightly(noon.Add(aDay))
}

func TestASnapshotSaysWhatTheStoreHolds(t *testing.T) {
	s := newShop(t)
	ada, bob := s.person(1, consent.Analytics), s.person(2)
	s.says(bob, noon, consent.Refused, consent.Analytics, consent.AdviserAssist)
	ok(t, s.Link(ctx, ada, bob, noon))
	ok(t, s.PutCases(ctx, map[event.CaseID][]byte{1 << 63: []byte(`{"purpose":"analytics"}`)}))
	ok(t, s.PutProducts(ctx, []event.Product{{ID: "B1", Category: "tea", Class: "simple", PriceCents: 399, Stock: 2, Tags: []string{"health"}}}))
	ok(t, s.Count(ctx, noon, map[string]int64{"admitted": 5}))
	ok(t, s.Count(ctx, noon.Add(aDay), map[string]int64{"admitted": 7}))
	for _, at := range []time.Time{noon.Add(-91 * aDay), noon, noon.Add(time.Hour), noon.Add(aDay)} {
		ok(t, s.AppendDecision(ctx, &decide.Record{ID: at.String(), Time: at, Action: decide.ActionPrice, Input: []byte("{}"), Result: []byte("{}")}))
	}
	dir := t.TempDir()
	ok(t, s.Snapshot(ctx, noon.Add(aDay).Truncate(aDay), dir))

	standings, err := parquet.ReadFile[snapshot.StandingRow](filepath.Join(dir, "standings.parquet"))
	ok(t, err)
	ms := noon.UnixMilli()
	equal(t, standings, []snapshot.StandingRow{
		{Subject: ada, Purpose: "analytics", Status: "given", SinceMS: ms, UntilMS: noon.AddDate(1, 0, 0).UnixMilli(), Version: 1},
		{Subject: bob, Purpose: "analytics", Status: "refused", SinceMS: ms, Version: 1}, {Subject: bob, Purpose: "adviser_assist", Status: "refused", SinceMS: ms, Version: 1},
	})
	subjects, err := parquet.ReadFile[snapshot.SubjectRow](filepath.Join(dir, "subjects.parquet"))
	ok(t, err)
	equal(t, subjects, []snapshot.SubjectRow{
		{Subject: ada, Scope: "device", Objections: []string{}, Suppressed: []string{}}, {Subject: bob, Scope: "device", Objections: []string{}, Suppressed: []string{}},
	})
	links, err := parquet.ReadFile[snapshot.LinkRow](filepath.Join(dir, "links.parquet"))
	ok(t, err)
	equal(t, links, []snapshot.LinkRow{{Device: ada, Account: bob}})
	products, err := parquet.ReadFile[snapshot.ProductRow](filepath.Join(dir, "products.parquet"))
	ok(t, err)
	equal(t, products, []snapshot.ProductRow{{ID: "B1", Category: "tea", Class: "simple", PriceCents: 399, Stock: 2, Tags: []string{"health"}}})
	equal(t, lines(t, dir, "cases"), []string{`{"id":"9223372036854775808","case":{"purpose":"analytics"}}`})
	equal(t, lines(t, dir, "counters"), []string{`{"hour":"2008-04-01T12:00:00Z","name":"admitted","n":5}`})
	if n := len(lines(t, dir, "decisions")); n != 2 {
		t.Fatalf("%d decisions", n)
	}
	m := readManifest(t, dir)
	if m.Tenant != "test" || !m.Taken.Equal(noon) || !strings.Contains(m.Checkpoint, "\n2\n") || m.Days == nil {
		t.Fatalf("manifest %+v", m)
	}
	s.says(bob, noon.Add(time.Hour), consent.Given, consent.AdviserAssist)
	again := t.TempDir()
	ok(t, s.Standings(ctx, again))
	standings, err = parquet.ReadFile[snapshot.StandingRow](filepath.Join(again, "standings.parquet"))
	ok(t, err)
	if standings[2].Status != "given" {
		t.Fatalf("read again: %+v", standings)
	}
	if names, err := os.ReadDir(again); err != nil || len(names) != 3 { // links, standings, subjects
		t.Fatalf("files %v %v", names, err)
	}
}

func lines(t *testing.T, dir, name string) (out []string) {
	f, err := os.Open(filepath.Join(dir, name+".ndjson"))
	ok(t, err)
	for in := bufio.NewScanner(f); in.Scan(); {
		out = append(out, in.Text())
	}
	return out
}

func TestAFailedSnapshotLeavesNoManifest(t *testing.T) {
	s := newShop(t)
	dir := t.TempDir()
	ok(t, s.Snapshot(ctx, noon, dir))
	gone, cancel := context.WithCancel(ctx)
	cancel()
	ada := s.person(1, consent.Analytics, consent.AdviserAssist)
	s.takes(saw(ada, 1, noon))
	if err := s.Snapshot(gone, noon.Add(aDay), dir); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if m := readManifest(t, dir); !m.Through.Equal(noon) || len(m.Days) != 0 {
		t.Fatalf("manifest %+v", m)
	}
}
