package local

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// backup copies parts of a closed folder; putBack replaces them.
func (s *shop) backup(names ...string) string {
	s.t.Helper()
	to := s.t.TempDir()
	for _, name := range names {
		copyTree(s.t, filepath.Join(s.dir, name), filepath.Join(to, name))
	}
	return to
}

func (s *shop) putBack(from string, names ...string) {
	s.t.Helper()
	for _, name := range names {
		ok(s.t, os.RemoveAll(filepath.Join(s.dir, name)))
		copyTree(s.t, filepath.Join(from, name), filepath.Join(s.dir, name))
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	ok(t, err)
	if info.IsDir() {
		ok(t, os.CopyFS(to, os.DirFS(from)))
		return
	}
	b, err := os.ReadFile(from)
	ok(t, err)
	ok(t, os.WriteFile(to, b, 0o600))
}

func (s *shop) valid(who consent.Subject, p consent.Purpose) bool {
	s.t.Helper()
	st, err := s.State(ctx, who)
	ok(s.t, err)
	return st.At(p, s.now).Status.Valid()
}

// drill is a shop whose state store was backed up before a withdrawal, an
// objection, a new consent and an erasure, and is now put back.
func drill(t *testing.T, o Options) (s *shop, ada, bob, eve person, backup string) {
	s = erasable(t, o)
	ada, bob, eve = s.lives(1), s.lives(2), s.lives(3)
	ok(t, s.Close())
	backup = s.backup("state", "committed")
	s.open()
	s.now = s.now.Add(time.Hour)
	s.says(ada.s, s.now, consent.Refused, consent.Analytics)
	ok(t, s.Object(ctx, bob.s, consent.DirectMarketing, true, s.now))
	_, err := s.Erase(ctx, eve.s, s.now)
	ok(t, err)
	s.says(bob.s, s.now, consent.Given, consent.MarketingEmail)
	ok(t, s.Close())
	return s, ada, bob, eve, backup
}

func TestL11ARestoredBackupTakesBackWhatWasWithdrawnObjectedToAndErased(t *testing.T) {
	for name, years := range map[string]int{"proofs erased": 0, "proofs sealed": 3} {
		t.Run(name, func(t *testing.T) {
			s, ada, bob, eve, backup := drill(t, Options{Retain: Retain{ProofYears: years}})
			s.putBack(backup, "state", "committed")
			s.open() // nothing was read before this returns
			if s.valid(ada.s, consent.Analytics) || !s.valid(ada.s, consent.AdviserAssist) {
				t.Error("Ada's withdrawal is lost, or more than it")
			}
			st, err := s.State(ctx, bob.s)
			ok(t, err)
			if !st.Objected(consent.MarketingEmail) || !s.valid(bob.s, consent.MarketingEmail) {
				t.Errorf("Bob: %+v", st)
			}
			s.goneAtOnce(eve)
			if got, want := s.Restored(), (Restored{Records: 2, Lists: 1, Erasures: 1}); got != want {
				t.Errorf("replayed %+v, want %+v", got, want)
			}
			want := ledger.Accounts{Leaves: 6, Open: 5, Erased: 1, FirstMissing: -1}
			if years > 0 {
				want.Erased, want.Sealed = 0, 1
			}
			s.sound(ada, want)
			if _, _, err := s.sealedRecord(eve.record); (err == nil) != (years > 0) {
				t.Errorf("the sealed proof: %v", err)
			}
			s.night(s.now.Add(aDay))
			s.now = s.now.Add(aDay)
			s.night(s.now)
			if hits := s.traces(eve); len(hits) > 0 {
				t.Errorf("the backup brought back %v", hits)
			}
			ok(t, s.Ready(ctx))
		})
	}
}

// TestL11MoreThanABatchSinceTheBackupIsTakenBack: what the ledger holds beyond the
// backup is looked for in all that the journal brought back.
func TestL11MoreThanABatchSinceTheBackupIsTakenBack(t *testing.T) {
	s, ada, _, _, backup := drill(t, Options{batchMost: 2})
	s.putBack(backup, "state", "committed")
	s.open()
	ok(t, s.Ready(ctx))
	s.sound(ada, ledger.Accounts{Leaves: 6, Open: 5, Erased: 1, FirstMissing: -1})
}

// TestL11ACrashDuringTheReplayLosesNoErasureLeaf: it comes between the batch that
// erases and the one that brings leaf and sealed proof.
func TestL11ACrashDuringTheReplayLosesNoErasureLeaf(t *testing.T) {
	s, ada, _, eve, _ := drill(t, Options{Retain: Retain{ProofYears: 3}})
	s.open()
	var erasure jot
	ok(t, s.journal.Scan(0, func(_ place, _ uint64, b []byte) error {
		var j jot
		err := json.Unmarshal(b, &j)
		if j.Op == "erasure" {
			erasure = j
		}
		return err
	}))
	ok(t, s.save(func(b *pebble.Batch) error {
		return errors.Join(b.Delete(key(tabOpening, []byte(erasure.ID)), nil), b.Delete(s.keys.sealedKey(eve.record), nil))
	}))
	for range 2 {
		ok(t, s.eraseAgain(erasure))
	}
	if _, _, err := s.sealedRecord(eve.record); err != nil {
		t.Errorf("the sealed proof: %v", err)
	}
	if queue, err := s.queue(batchMost); err != nil || len(queue) != 1 {
		t.Errorf("%d leaves wait, %v", len(queue), err)
	}
	ok(t, s.save(func(b *pebble.Batch) error { return b.DeleteRange([]byte{tabQueue}, []byte{tabQueue + 1}, nil) })) // its leaf is in the ledger
	s.sound(ada, ledger.Accounts{Leaves: 6, Open: 5, Sealed: 1, FirstMissing: -1})
}

// TestL11AnEarlierWordDoesNotOpenAClosedChannel: a crash may leave in the journal an
// entry that the state has a later one of.
func TestL11AnEarlierWordDoesNotOpenAClosedChannel(t *testing.T) {
	s := erasable(t, Options{})
	ada := s.lives(1)
	id, err := s.idKeyOf(ada.s)
	ok(t, err)
	s.now = s.now.Add(time.Hour)
	ok(t, s.Suppress(ctx, ada.s, consent.AllChannels, true, s.now))
	again := func(at time.Time) bool {
		ok(t, s.suppressAgain(jot{ID: hex.EncodeToString(s.keys.suppressed(id)), Entry: &consent.Entry{Scope: consent.AllChannels, At: at}}))
		v, err := get(s.db, key(tabSuppressed, s.keys.suppressed(id), []byte(consent.AllChannels)))
		ok(t, err)
		return v != nil
	}
	if !again(noon) {
		t.Error("an earlier word opened the channel")
	}
	if again(s.now.Add(time.Second)) {
		t.Error("a later word did not")
	}
}

// TestL11NoEntryOfTheOutboxIsWrittenOver, also if a restart finds nothing in the queue.
func TestL11NoEntryOfTheOutboxIsWrittenOver(t *testing.T) {
	s := erasable(t, Options{})
	ok(t, s.sequence(ctx))
	waits := jot{Op: "list", At: noon, Subject: consent.Subject{7}}
	ok(t, s.saveJSON(key(tabOutbox, u64(s.queued.Load()+1)), waits))
	s.queued.Store(0)
	ok(t, s.queueAt())
	ok(t, s.save(func(b *pebble.Batch) error { return s.outbox(b, waits) }))
	n := 0
	ok(t, under(s.db, []byte{tabOutbox}, func(_, _ []byte) error { n++; return nil }))
	if n != 2 {
		t.Errorf("%d entries wait", n)
	}
	ok(t, s.save(func(b *pebble.Batch) error { return b.DeleteRange([]byte{tabOutbox}, []byte{tabOutbox + 1}, nil) }))
}

// TestL11ABackupPutBackByAccidentIsNotServed: only whoever says so gets it replayed.
func TestL11ABackupPutBackByAccidentIsNotServed(t *testing.T) {
	s, ada, _, eve, backup := drill(t, Options{})
	s.putBack(backup, "state")
	if _, err := Open(ctx, s.dir, *s.options); err == nil || !strings.Contains(err.Error(), "ledger restore") {
		t.Fatalf("opened a state store that lacks acknowledged writes: %v", err)
	}
	s.options.Restored = true
	s.open()
	if s.valid(ada.s, consent.Analytics) {
		t.Error("Ada's withdrawal is lost")
	}
	s.goneAtOnce(eve)
}

// TestL11ABackupOlderThanTheJournalIsRefused: the journal is kept for as long as a
// backup may be, and no longer.
func TestL11ABackupOlderThanTheJournalIsRefused(t *testing.T) {
	s, _, _, _, backup := drill(t, Options{})
	s.open()
	entries := func() (n int) {
		ok(t, s.journal.Scan(0, func(place, uint64, []byte) error { n++; return nil }))
		return n
	}
	all := entries()
	ok(t, s.retainJournal(noon.AddDate(0, 0, backupDays)))
	if entries() != all {
		t.Error("dropped what a backup may still need")
	}
	s.now = s.now.AddDate(0, 0, backupDays).Add(time.Hour)
	s.lives(4)
	ok(t, s.sequence(ctx))
	ok(t, s.retainJournal(s.now))
	if n := entries(); n == 0 || n >= all {
		t.Errorf("%d entries are left of %d and those of one more", n, all)
	}
	ok(t, s.Restrict(ctx, consent.Subject{7}, true, s.now)) // an entry without a leaf
	ok(t, s.sequence(ctx))
	s.now = s.now.AddDate(0, 0, backupDays).Add(time.Hour)
	ok(t, s.retainJournal(s.now))
	if n := entries(); n != 0 {
		t.Errorf("%d entries are left", n)
	}
	s.reopen()
	ok(t, s.Close())
	newest := s.backup("state", "committed")
	s.putBack(backup, "state", "committed")
	if _, err := Open(ctx, s.dir, *s.options); err == nil || !strings.Contains(err.Error(), "a newer backup is needed") {
		t.Errorf("opened: %v", err)
	}
	s.putBack(newest, "state", "committed")
	s.open()
}

func TestOPS06DenyAllWhenTheBookIsBehindTheLedger(t *testing.T) {
	s, ada, bob, _, backup := drill(t, Options{})
	s.putBack(backup, "state", "committed")
	ok(t, os.RemoveAll(filepath.Join(s.dir, "log", "book"))) // and the journal is lost too
	s.emptyJournal()
	s.open()
	if _, err := s.State(ctx, ada.s); !errors.Is(err, ErrDistrusted) {
		t.Fatalf("consent is relied on: %v", err)
	}
	if err := s.Ready(ctx); !errors.Is(err, ErrDistrusted) {
		t.Errorf("ready: %v", err)
	}
	if _, err := s.Append(ctx, ada.s, func(before consent.State) (consent.Record, error) {
		return consent.Record{RecordID: "withdrawn-all-the-same", Event: consent.Act{Time: s.now}, Purposes: []consent.Choice{{Purpose: consent.AdviserAssist, Status: consent.Refused}}}, nil
	}); err != nil {
		t.Errorf("a withdrawal is not taken: %v", err)
	}
	if _, err := s.Erase(ctx, bob.s, s.now); err != nil {
		t.Errorf("an erasure is not taken: %v", err)
	}
	if err := s.Snapshot(ctx, s.now, t.TempDir()); !errors.Is(err, ErrDistrusted) {
		t.Errorf("a night begins: %v", err)
	}
	if err := s.Standings(ctx, t.TempDir()); !errors.Is(err, ErrDistrusted) {
		t.Errorf("a night goes on: %v", err)
	}
	s.reopen()
	if _, err := s.State(ctx, ada.s); !errors.Is(err, ErrDistrusted) {
		t.Errorf("a restart made it good: %v", err)
	}
}

// emptyJournal lets the state believe that no journal was ever written, so that it opens.
func (s *shop) emptyJournal() {
	s.t.Helper()
	db, err := pebble.Open(filepath.Join(s.dir, "state"), &pebble.Options{Merger: &pebble.Merger{Name: "handschlag.add", Merge: newSum}})
	ok(s.t, err)
	ok(s.t, db.Delete(meta(metaJournal), pebble.Sync))
	ok(s.t, db.Close())
}

func TestOPS06DenyWhenATileOfTheLedgerIsGone(t *testing.T) {
	s := erasable(t, Options{})
	ada := s.lives(1)
	ok(t, s.sequence(ctx))
	if err := s.Distrust("tile/0/000.p/1: missing"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.State(ctx, ada.s); !errors.Is(err, ErrDistrusted) || !strings.Contains(err.Error(), "tile/0/000") {
		t.Errorf("consent is relied on: %v", err)
	}
	if _, err := s.Erase(ctx, ada.s, s.now); err != nil {
		t.Errorf("an erasure is not taken: %v", err)
	}
}

func TestOPS06AllowWhenLedgerAndBookAgree(t *testing.T) {
	s := erasable(t, Options{})
	ada := s.lives(1)
	s.reopen()
	ok(t, s.Ready(ctx))
	if !s.valid(ada.s, consent.Analytics) {
		t.Error("a sound ledger is not relied on")
	}
	ok(t, s.Distrust("a drill"))
	ok(t, s.Trust())
	if !s.valid(ada.s, consent.Analytics) {
		t.Error("a repaired ledger is not relied on")
	}
}

// TestOPS06AllowProofOfAWithdrawnConsentRestricted: law.md's example. Nobody finds
// it, it is opened by its record id, and it goes at the end of its time.
func TestOPS06AllowProofOfAWithdrawnConsentRestricted(t *testing.T) {
	s := erasable(t, Options{Retain: Retain{ProofYears: 3}})
	ada := s.lives(1)
	s.says(ada.s, s.now, consent.Refused, consent.Analytics)
	e, err := s.Erase(ctx, ada.s, s.now)
	ok(t, err)
	until := time.Date(2012, 1, 1, 0, 0, 0, 0, time.UTC)
	var sealed flow.ErasedStore
	for _, store := range e.Stores {
		if store.Store == "consent_records" {
			sealed = store
		}
	}
	if sealed.Method != "sealed" || sealed.Count != 2 || !sealed.Until.Equal(until) {
		t.Errorf("certificate: %+v", sealed)
	}
	s.now = s.now.Add(aDay)
	s.night(s.now)
	if hits := s.traces(ada); len(hits) > 0 {
		t.Errorf("a sealed proof shows %v", hits)
	}
	p, err := s.SealedProof(ctx, ada.record)
	ok(t, err)
	var r consent.Record
	ok(t, json.Unmarshal(must(json.Marshal(p.Record)), &r))
	if r.RecordID != ada.record || p.Index != e.Leaves[0] {
		t.Errorf("opened %+v", p)
	}
	ok(t, s.expireSealed(until.Add(-time.Second)))
	if _, err := s.SealedProof(ctx, ada.record); err != nil {
		t.Errorf("gone too early: %v", err)
	}
	ok(t, s.expireSealed(until))
	if _, err := s.SealedProof(ctx, ada.record); !errors.Is(err, flow.ErrNotFound) {
		t.Errorf("kept too long: %v", err)
	}
	ok(t, s.sequence(ctx))
	blob := 0
	count := func(b []byte) { blob += bytes.Count(b, []byte(`"sealed":[`)) }
	ok(t, s.journal.Scan(0, func(_ place, _ uint64, b []byte) error { count(b); return nil }))
	if blob != 1 {
		t.Fatalf("the journal holds %d sealed blobs before the night", blob)
	}
	s.now = s.now.Add(aDay)
	s.night(s.now)
	blob = 0
	ok(t, s.journal.Scan(0, func(_ place, _ uint64, b []byte) error { count(b); return nil }))
	if blob != 0 {
		t.Errorf("the journal keeps %d sealed blobs", blob)
	}
	bob := s.lives(2)
	s.sound(bob, ledger.Accounts{Leaves: 5, Open: 3, Erased: 2, FirstMissing: -1})
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
