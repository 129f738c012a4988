package local

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/local/seglog"
	"github.com/handschlag/handschlag/host/snapshot"
)

// sealedChain is a shop with a chain of n decisions in one segment, sealed at night.
func sealedChain(t *testing.T, n int) *shop {
	s := newShop(t)
	for i := range n {
		p := person{s: consent.Subject{1, byte(i)}, canary: "x"}
		r := s.decided(p, byte(i))
		ok(t, s.AppendDecision(ctx, r))
	}
	ok(t, s.SealDecisions(ctx))
	return s
}

func (s *shop) chain() snapshot.ChainReport {
	s.t.Helper()
	r, err := s.VerifyDecisions(ctx)
	ok(s.t, err)
	return r
}

func TestOPS01AllowAChainThatHolds(t *testing.T) {
	s := sealedChain(t, 12)
	s.reopen()
	r := s.chain()
	if r.Broken != 0 || len(r.Chains) != 1 || r.Chains[0].Count != 12 || r.Sealed != 12 || r.Seals != 1 {
		t.Errorf("%+v", r)
	}
	ok(t, s.SealDecisions(ctx)) // the same head is sealed once
	if again := s.chain(); again.Seals != 1 {
		t.Errorf("%d seals", again.Seals)
	}
}

// TestOPS01DenyEveryForgedLog: whoever can write the folder, and recomputes every
// checksum, is found and the record named.
func TestOPS01DenyEveryForgedLog(t *testing.T) {
	for name, c := range map[string]struct {
		forge func(all [][]byte) [][]byte
		n     uint64
		why   string
	}{
		"an edited record":         {func(a [][]byte) [][]byte { a[4] = bytes.Replace(a[4], []byte("none"), []byte("hint"), 1); return a }, 6, "does not commit to record 5"},
		"an edited last record":    {func(a [][]byte) [][]byte { a[11] = bytes.Replace(a[11], []byte("none"), []byte("hint"), 1); return a }, 12, "not the record that the ledger sealed"},
		"a removed record":         {func(a [][]byte) [][]byte { return slices.Delete(a, 6, 7) }, 8, "1 records before it are missing, from 7 on"},
		"two swapped records":      {func(a [][]byte) [][]byte { a[2], a[3] = a[3], a[2]; return a }, 4, "records before it are missing"},
		"a repeated record":        {func(a [][]byte) [][]byte { a[5] = a[4]; return a }, 5, "inserted, repeated or moved"},
		"a cut end":                {func(a [][]byte) [][]byte { return a[:9] }, 9, "the log ends here"},
		"an emptied record":        {func(a [][]byte) [][]byte { a[7] = emptied(a[7]); return a }, 8, "the ledger knows of no erasure"},
		"a record without a place": {func(a [][]byte) [][]byte { return slices.Delete(a, 0, 1) }, 2, "the log begins here"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sealedChain(t, 12)
			s.forge(c.forge)
			r := s.chain()
			if r.Broken == 0 || !slices.ContainsFunc(r.Breaks, func(b *decide.Break) bool { return b.N == c.n && strings.Contains(b.Error(), c.why) }) {
				for _, b := range r.Breaks {
					t.Log(b)
				}
				t.Errorf("found %d breaks, none at %d with %q", r.Broken, c.n, c.why)
			}
		})
	}
}

func emptied(b []byte) []byte {
	var r decide.Record
	if err := json.Unmarshal(b, &r); err != nil {
		panic(err)
	}
	hash := r.Hash()
	r.Subject, r.Input, r.Result, r.Erased = consent.Subject{}, []byte("{}"), []byte("{}"), hex.EncodeToString(hash[:])
	out, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return out
}

// forge replaces the decision log by one with other records and right checksums,
// while nobody has the folder open.
func (s *shop) forge(change func([][]byte) [][]byte) {
	s.t.Helper()
	var all [][]byte
	ok(s.t, s.decisions.Scan(0, func(_ place, _ uint64, b []byte) error { all = append(all, bytes.Clone(b)); return nil }))
	ok(s.t, s.Close())
	dir := filepath.Join(s.dir, "log", "decisions")
	ok(s.t, os.RemoveAll(dir))
	l, err := seglog.Open(dir, seglog.Options{})
	ok(s.t, err)
	for _, b := range change(all) {
		_, err := l.Append(ctx, b)
		ok(s.t, err)
	}
	ok(s.t, l.Close())
	s.open()
}

// TestOPS01AllowAnErasedDecision: its content is gone, the chain holds, and the
// ledger says that it was an erasure.
func TestOPS01AllowAnErasedDecision(t *testing.T) {
	s := erasable(t, Options{})
	ada, bob := s.lives(1), s.lives(2)
	for n := byte(3); n < 9; n++ {
		ok(t, s.AppendDecision(ctx, s.decided([]person{ada, bob}[n%2], n)))
	}
	_, err := s.Erase(ctx, ada.s, s.now)
	ok(t, err)
	s.now = s.now.Add(aDay)
	s.night(s.now)
	s.reopen()
	r := s.chain()
	if r.Broken != 0 || r.Chains[0].Count != 8 || r.Chains[0].Erased != 4 {
		t.Errorf("%+v %v", r.Chains[0], r.Breaks)
	}
}

// TestOPS01AllowWhatRetentionLetGoOf: the chain holds from the very moment that a
// night has published, though the leaf that says so is not in the ledger yet.
func TestOPS01AllowWhatRetentionLetGoOf(t *testing.T) {
	s := sealedChain(t, 6)
	s.opts.Retain = Retain{DecisionDays: 10}
	s.now = s.now.Add(20 * aDay)
	for n := byte(20); n < 24; n++ {
		ok(t, s.AppendDecision(ctx, s.decided(person{canary: "x"}, n)))
	}
	ok(t, s.Publish(ctx, flow.Publication{AsOf: s.now}, nil)) // begins a segment
	s.now = s.now.Add(5 * aDay)
	ok(t, s.Publish(ctx, flow.Publication{AsOf: s.now}, nil))
	if r := s.chain(); r.Broken != 0 || r.Chains[0].First == 1 || r.Chains[0].N != 10 {
		t.Errorf("%+v %v", r.Chains[0], r.Breaks)
	}
	s.now = s.now.Add(20 * aDay)
	ok(t, s.Publish(ctx, flow.Publication{AsOf: s.now}, nil))
	if r := s.chain(); r.Broken != 0 || len(r.Chains) != 0 {
		t.Errorf("nothing is left, and yet %+v", r)
	}
}

// TestOPS01DenyWhatCannotBeLogged: what cannot be logged is not answered.
func TestOPS01DenyWhatCannotBeLogged(t *testing.T) {
	s := newShop(t)
	s.crowded.Store(true)
	if err := s.AppendDecision(ctx, s.decided(person{canary: "x"}, 1)); err == nil {
		t.Error("a decision that is not in the log counts")
	}
	s.crowded.Store(false)
}

func TestL12ReplayingTheBookGivesTheSameHash(t *testing.T) {
	s := erasable(t, Options{})
	for n := range byte(5) {
		p := s.lives(n)
		s.says(p.s, s.now, consent.Refused, consent.Analytics)
		ok(t, s.Object(ctx, p.s, consent.DirectMarketing, true, s.now))
		ok(t, s.Restrict(ctx, p.s, n%2 == 0, s.now))
	}
	was, err := s.ReplayBook(ctx)
	ok(t, err)
	if was.Subjects != 5 || was.Records != 10 || was.Entries < 12 {
		t.Errorf("%+v", was)
	}
	s.reopen()
	is, err := s.ReplayBook(ctx)
	ok(t, err)
	if is != was {
		t.Errorf("after a restart %+v, was %+v", is, was)
	}
}

// TestL12AStateThatWasEditedDoesNotReplay: a planted edit is found.
func TestL12AStateThatWasEditedDoesNotReplay(t *testing.T) {
	s := erasable(t, Options{})
	ada := s.lives(1)
	st, err := s.state(ada.s)
	ok(t, err)
	grant := st.Standings[consent.Analytics]
	grant.Since = grant.Since.Add(-time.Hour)
	st.Standings = map[consent.Purpose]consent.Standing{consent.Analytics: grant}
	edited := stored{st.State, st.Scope}
	ok(t, s.saveJSON(key(tabState, ada.s[:]), edited))
	if _, err := s.ReplayBook(ctx); err == nil || !strings.Contains(err.Error(), "is not what its") {
		t.Errorf("an edited state replays: %v", err)
	}
}
