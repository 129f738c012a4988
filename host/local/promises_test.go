package local

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// TestL04ARecordIdIsWrittenOnce: a repetition is refused and changes nothing.
func TestL04ARecordIDIsWrittenOnce(t *testing.T) {
	s := erasable(t, Options{})
	ada, bob := s.lives(1), s.lives(2)
	was, err := s.State(ctx, ada.s)
	ok(t, err)
	for _, who := range []consent.Subject{ada.s, bob.s} {
		_, err := s.Append(ctx, who, func(consent.State) (consent.Record, error) {
			return consent.Record{RecordID: ada.record, Event: consent.Act{Time: s.now}, Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Refused}}}, nil
		})
		if err == nil {
			t.Error("a record id was written twice")
		}
	}
	is, err := s.State(ctx, ada.s)
	ok(t, err)
	equal(t, is, was)
}

// TestL04WritersAtOnceGetOneOrder: versions have no gap, each record was built on
// the state that the one before left, and the state is their fold. Whoever read
// before a withdrawal cannot save what rests on it: the more restrictive wins.
func TestL04WritersAtOnceGetOneOrderAndTheMoreRestrictiveWins(t *testing.T) {
	s := erasable(t, Options{})
	ada := s.lives(1)
	var all sync.WaitGroup
	var mu sync.Mutex
	built := map[string]uint64{}
	for w := range 8 {
		all.Go(func() {
			for i := range 15 {
				id := fmt.Sprintf("w%d-%d", w, i)
				_, err := s.Append(ctx, ada.s, func(before consent.State) (consent.Record, error) {
					mu.Lock()
					built[id] = before.Version
					mu.Unlock()
					status := consent.Given
					if w%2 == 0 {
						status = consent.Refused
					}
					return consent.Record{RecordID: id, Event: consent.Act{Time: s.now}, Validity: consent.Validity{From: s.now, Until: s.now.Add(aDay)},
						Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: status}}}, nil
				})
				ok(t, err)
			}
		})
	}
	all.Wait()
	records, err := s.History(ctx, ada.s)
	ok(t, err)
	entries, err := s.Listed(ctx, ada.s)
	ok(t, err)
	versions := map[uint64]bool{}
	for _, r := range records {
		if versions[r.Version] = true; r.RecordID != ada.record && built[r.RecordID] != r.Version-1 {
			t.Fatalf("record %d was built on version %d", r.Version, built[r.RecordID])
		}
	}
	for _, e := range entries {
		versions[e.Version] = true
	}
	for v := range uint64(len(records) + len(entries)) {
		if !versions[v+1] {
			t.Fatalf("there is no version %d", v+1)
		}
	}
	st, err := s.State(ctx, ada.s)
	ok(t, err)
	again := consent.Retold(records, entries, s.now)
	again.Subject = st.Subject
	equal(t, st, again)
	s.says(ada.s, s.now, consent.Refused, consent.Analytics)
	err = s.UpdateProfile(ctx, ada.s, []flow.StateAt{{Subject: ada.s, Version: st.Version}}, func(p profile.Profile) profile.Profile {
		t.Error("what rested on the state before was still applied")
		return p
	})
	if !errors.Is(err, flow.ErrMoved) {
		t.Errorf("saving what rested on the state before: %v", err)
	}
}

// TestL06TheStateAtAnyMomentIsTheFullReplayUpToIt, whatever was said when, and what
// the book keeps is the replay of all.
func TestL06TheStateAtAnyMomentIsTheFullReplayUpToIt(t *testing.T) {
	s := erasable(t, Options{})
	n := byte(0)
	rapid.Check(t, func(t *rapid.T) {
		n++
		who := consent.Subject{0xAA, n}
		purposes := []consent.Purpose{consent.Analytics, consent.AdviserAssist}
		at := noon
		for range rapid.IntRange(1, 6).Draw(t, "records") {
			at = at.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "days")) * aDay)
			status := rapid.SampledFrom([]consent.Status{consent.Given, consent.Refused}).Draw(t, "status")
			s.says(who, at, status, rapid.SampledFrom(purposes).Draw(t, "purpose"))
		}
		records, err := s.History(ctx, who)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := s.State(ctx, who)
		if err != nil {
			t.Fatal(err)
		}
		moment := noon.Add(time.Duration(rapid.IntRange(-1, 2000).Draw(t, "moment")) * aDay)
		for _, p := range purposes {
			if got, want := consent.AsOf(records, moment).At(p, moment).Status, naive(records, p, moment); got != want {
				t.Fatalf("%s at %s: %s, replayed %s", p, moment, got, want)
			}
			end := at.Add(3000 * aDay)
			if got, want := kept.At(p, end).Status, naive(records, p, end); got != want {
				t.Fatalf("%s kept: %s, replayed %s", p, got, want)
			}
		}
	})
}

// naive replays every record up to a moment by the words of law.md 2.2, one purpose
// at a time and without a fold.
func naive(records []consent.Record, p consent.Purpose, moment time.Time) consent.Status {
	status, until := consent.Unknown, time.Time{}
	for _, r := range records {
		if r.Event.Time.After(moment) {
			break
		}
		for _, c := range r.Purposes {
			if c.Purpose != p {
				continue
			}
			held := status.Valid() && r.Event.Time.Before(until)
			switch {
			case c.Status == consent.Given && held:
				status, until = consent.Renewed, r.Validity.Until
			case c.Status == consent.Given:
				status, until = consent.Given, r.Validity.Until
			case held, status == consent.Withdrawn:
				status = consent.Withdrawn
			default:
				status = consent.Refused
			}
		}
	}
	if status.Valid() && !moment.Before(until) {
		return consent.Expired
	}
	return status
}

// TestL08AWithdrawalBindsWhenItReturnsAndLeavesItsTasks: state and profile at once,
// the stored rows as a task that the next night does.
func TestL08AWithdrawalBindsWhenItReturnsAndLeavesItsTasks(t *testing.T) {
	s := erasable(t, Options{})
	ada := s.lives(1)
	s.now = noon.Add(aDay)
	s.night(s.now)
	s.says(ada.s, s.now, consent.Refused, consent.Analytics, consent.AdviserAssist)
	if s.valid(ada.s, consent.Analytics) {
		t.Error("still valid")
	}
	p, err := s.Profile(ctx, ada.s)
	ok(t, err)
	if len(p.Sections) > 0 {
		t.Errorf("sections are left: %v", p.Sections)
	}
	task, err := get(s.db, key(tabWithdrawn, ada.s[:]))
	ok(t, err)
	if task == nil {
		t.Error("no task was left for the rows")
	}
	s.now = s.now.Add(aDay)
	s.night(s.now)
	if hits := s.traces(ada); slices.ContainsFunc(hits, func(h string) bool { return strings.HasPrefix(h, "row of") }) {
		t.Errorf("rows that rested on it are left: %v", hits)
	}
	if task, err = get(s.db, key(tabWithdrawn, ada.s[:])); err != nil || task != nil {
		t.Errorf("the task is not done: %v, %v", task, err)
	}
}

// TestL10EachListIsAStreamWithARetentionOfItsOwn: records are sealed until the end
// of their time, objections go with the subject, suppressions stay.
func TestL10EachListIsAStreamWithARetentionOfItsOwn(t *testing.T) {
	s := erasable(t, Options{Retain: Retain{ProofYears: 3}})
	ada := s.lives(1)
	ok(t, s.Suppress(ctx, ada.s, "email", true, s.now))
	streams := map[string]int{}
	ok(t, under(s.db, []byte{tabList}, func(k, _ []byte) error { streams[string(k[1:2])]++; return nil }))
	if len(streams) != 2 { // objection and suppression, under prefixes of their own
		t.Errorf("streams %v", streams)
	}
	_, err := s.Erase(ctx, ada.s, s.now)
	ok(t, err)
	back, err := s.Assign(ctx, ada.id)
	ok(t, err)
	st, err := s.State(ctx, back)
	ok(t, err)
	if len(st.Objections) > 0 || !st.SuppressedFor(consent.MarketingEmail) {
		t.Errorf("who came back: %+v", st)
	}
	ok(t, s.expireSealed(consent.SealUntil(s.now, 3, nil)))
	if _, err := s.SealedProof(ctx, ada.record); !errors.Is(err, flow.ErrNotFound) {
		t.Errorf("the proof outlived its time: %v", err)
	}
	if st, err = s.State(ctx, back); err != nil || !st.SuppressedFor(consent.MarketingEmail) {
		t.Errorf("the suppression went with the proofs: %+v, %v", st, err)
	}
}
