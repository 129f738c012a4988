package local

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/snapshot"
	"github.com/handschlag/handschlag/profile"
)

// erasable is a folder whose state store is not compressed, so that every byte of
// its files can be looked through.
func erasable(t *testing.T, o Options) *shop {
	s := &shop{t: t, dir: t.TempDir(), now: noon}
	o.Tenant, o.Clock, o.segmentBytes, o.plain = "test", func() time.Time { return s.now }, 2000, true
	s.options = &o
	s.open()
	t.Cleanup(func() { ok(t, s.Close()) })
	return s
}

// person is somebody of whom one of everything is kept, each with a canary.
type person struct {
	id     consent.ID
	s      consent.Subject
	canary string
	record string
}

func (s *shop) lives(n byte) person {
	s.t.Helper()
	secret := make([]byte, 12)
	_, _ = rand.Read(secret) // never fails
	p := person{canary: "canary" + hex.EncodeToString(secret)}
	var err error
	p.id, err = consent.NewID(consent.Device, "device-of-"+p.canary)
	ok(s.t, err)
	p.s, err = s.Assign(ctx, p.id)
	ok(s.t, err)
	accountID, err := consent.NewID(consent.Account, "account-of-"+p.canary)
	ok(s.t, err)
	account, err := s.Assign(ctx, accountID)
	ok(s.t, err)
	p.record = "record-" + p.canary
	_, err = s.Append(ctx, p.s, func(consent.State) (consent.Record, error) {
		return consent.Record{
			Schema: consent.RecordSchema, RecordID: p.record, Scope: consent.Device, Event: consent.Act{Time: s.now, Method: "save"},
			Validity: consent.Validity{From: s.now, Until: s.now.AddDate(1, 0, 0)}, Source: consent.Source{SDK: p.canary},
			Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Given}, {Purpose: consent.AdviserAssist, Status: consent.Given}},
		}, nil
	})
	ok(s.t, err)
	ok(s.t, s.Link(ctx, p.s, account, s.now))
	row := saw(p.s, n, s.now)
	row.Fields.Product = p.canary
	ok(s.t, s.AppendEvents(ctx, []event.Row{row}))
	ok(s.t, s.UpdateProfile(ctx, p.s, []flow.StateAt{{Subject: p.s, Version: 1}}, func(was profile.Profile) profile.Profile {
		return was.Apply([]event.Event{row.Event()})
	}))
	ok(s.t, s.Object(ctx, p.s, consent.Profiling, true, s.now))
	ok(s.t, s.AppendDecision(ctx, s.decided(p, n)))
	_, _, err = s.OpenContact(ctx, flow.Contact{ID: fmt.Sprint("contact-", n), TokenKey: fmt.Sprint("token-", n), Subject: p.s, Question: p.canary, OpenedAt: s.now})
	ok(s.t, err)
	return p
}

func (s *shop) decided(p person, n byte) *decide.Record {
	input := json.RawMessage(`{"asked":false,"page":"` + p.canary + `"}`)
	return &decide.Record{ID: fmt.Sprint("decision-", n), Time: s.now, Action: decide.ActionEscalate, Subject: p.s, Binary: "test",
		Rules: []string{"ESC-01"}, Input: input, Result: json.RawMessage(`{"offer":"none"}`), Seed: p.canary,
		Digests: decide.Digests{Policy: strings.Repeat("a", 64), Capabilities: strings.Repeat("b", 64), Config: strings.Repeat("c", 64)}}
}

func (s *shop) night(through time.Time) {
	s.t.Helper()
	ok(s.t, s.Snapshot(ctx, through, s.t.TempDir()))
}

// traces looks for a person in every byte of every file of the folder.
func (s *shop) traces(p person) (hits []string) {
	s.t.Helper()
	needles := map[string][]byte{"canary": []byte(p.canary), "canary in base64": []byte(base64.StdEncoding.EncodeToString([]byte(p.canary))[:20]),
		"canary in hex": []byte(hex.EncodeToString([]byte(p.canary))), "pseudonym": p.s[:], "pseudonym in hex": []byte(p.s.String()),
		"pseudonym in base64": []byte(base64.StdEncoding.EncodeToString(p.s[:])[:21])}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // the state store let go of it
			return nil
		}
		for name, needle := range needles {
			if bytes.Contains(b, needle) {
				hits = append(hits, name+" in "+strings.TrimPrefix(path, s.dir))
			}
		}
		return err
	})
	ok(s.t, err)
	for _, d := range []string{noon.Format(time.DateOnly), noon.Add(aDay).Format(time.DateOnly)} { // pages are compressed
		ok(s.t, s.compactedEvents(ctx, d, func(r event.Row) error {
			if r.Subject == p.s || r.Fields.Product == p.canary {
				hits = append(hits, "row of "+d)
			}
			return nil
		}))
	}
	slices.Sort(hits)
	return hits
}

func TestL05AnErasureLeavesNoByteOfASubjectAndEveryProofOfOthers(t *testing.T) {
	s := erasable(t, Options{})
	ada, bob := s.lives(1), s.lives(2)
	s.now = noon.Add(aDay)
	s.night(s.now) // Ada's first day lies in Parquet, her decisions in a finished segment
	s.now = s.now.Add(time.Minute)
	late := saw(ada.s, 9, s.now)
	late.Fields.Product = ada.canary
	ok(t, s.AppendEvents(ctx, []event.Row{late})) // and a row of an open day in the log
	if len(s.traces(ada)) < 5 {
		t.Fatalf("the scan sees only %v: it could not fail", s.traces(ada))
	}
	e, err := s.Erase(ctx, ada.s, s.now)
	ok(t, err)
	if len(e.Leaves) != 1 || e.Leaf == "" || e.ID == "" {
		t.Fatalf("certificate: %+v", e)
	}
	s.goneAtOnce(ada)
	ok(t, s.sequence(ctx))
	s.night(s.now)
	if hits := s.traces(ada); len(hits) > 0 {
		t.Errorf("after erasure and the night: %v", hits)
	}
	if len(s.traces(bob)) < 5 {
		t.Error("Bob lost something too")
	}
	s.sound(bob, ledger.Accounts{Leaves: 4, Open: 3, Erased: 1, FirstMissing: -1})
	s.reopen()
	s.goneAtOnce(ada)
	s.sound(bob, ledger.Accounts{Leaves: 4, Open: 3, Erased: 1, FirstMissing: -1})
	back, err := s.Assign(ctx, ada.id)
	ok(t, err)
	if back == ada.s || back.IsZero() {
		t.Errorf("whoever comes back is %s, was %s", back, ada.s)
	}
}

// TestL05WhatComesBetweenDoesNotKeepTheBytes: a crash in the night that removes them, an
// audit that reads meanwhile, and a decision that was on its way into the index.
func TestL05WhatComesBetweenDoesNotKeepTheBytes(t *testing.T) {
	nothing := func() {}
	for name, between := range map[string]func(s *shop, ada person, audit *pebble.Snapshot) (after func()){
		"a crash": func(s *shop, _ person, audit *pebble.Snapshot) func() {
			ok(s.t, audit.Close())
			if due, err := s.beginScrub(); err != nil || !due {
				s.t.Errorf("due %v, %v", due, err)
			}
			s.reopen()
			return nothing
		},
		"a decision": func(s *shop, ada person, audit *pebble.Snapshot) func() {
			ok(s.t, audit.Close())
			late := s.decided(ada, 1)
			late.N = 1
			ok(s.t, s.commit(pebble.NoSync, func(b *pebble.Batch) error { return index(b, late, place{Segment: 1}) }))
			return nothing
		},
		"an audit": func(s *shop, ada person, audit *pebble.Snapshot) func() {
			return func() {
				if len(s.traces(ada)) == 0 {
					s.t.Error("the audit kept nothing: the test could not fail")
				}
				ok(s.t, audit.Close())
				s.night(s.now)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := erasable(t, Options{})
			ada := s.lives(1)
			s.lives(2)
			audit := s.db.NewSnapshot()
			_, err := s.Erase(ctx, ada.s, s.now)
			ok(t, err)
			after := between(s, ada, audit)
			s.now = noon.Add(aDay)
			s.night(s.now)
			after()
			if hits := s.traces(ada); len(hits) > 0 {
				t.Errorf("after erasure and the night: %v", hits)
			}
		})
	}
}

// TestL05NoByteComesBackWithWhatRunsMeanwhile lets everything that writes about a
// subject run while it is erased. What it was told then is not kept.
func TestL05NoByteComesBackWithWhatRunsMeanwhile(t *testing.T) {
	s := erasable(t, Options{})
	for n := range byte(4) {
		p := s.lives(n)
		writes := []func(i int){
			func(i int) {
				_, _ = s.Append(ctx, p.s, func(consent.State) (consent.Record, error) {
					return consent.Record{RecordID: fmt.Sprint("race-", n, "-", i), Event: consent.Act{Time: s.now},
						Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Refused}}}, nil
				})
			},
			func(int) { _ = s.Link(ctx, p.s, consent.Subject{200, n}, s.now) },
			func(int) { _ = s.Object(ctx, p.s, consent.DirectMarketing, true, s.now) },
			func(i int) {
				d := s.decided(p, n)
				d.ID, d.Input, d.Seed = fmt.Sprint("race-", n, "-", i), json.RawMessage("{}"), ""
				ok(t, s.AppendDecision(ctx, d))
			},
			func(i int) {
				id := fmt.Sprint("race-", n, "-", i)
				_, _, err := s.OpenContact(ctx, flow.Contact{ID: id, TokenKey: id, Subject: p.s, OpenedAt: s.now})
				ok(t, err)
			},
			func(int) {
				ok(t, s.Publish(ctx, flow.Publication{}, profile.MembersOf(map[consent.Subject]profile.Membership{p.s: {ValueTier: 3}})))
			},
			func(int) {
				_ = s.UpdateProfile(ctx, p.s, nil, func(was profile.Profile) profile.Profile { return was })
			},
			func(int) { _, err := s.Find(ctx, p.id); ok(t, err) },
		}
		var all sync.WaitGroup
		for _, write := range writes {
			all.Go(func() {
				for i := range 6 {
					write(i)
				}
			})
		}
		_, err := s.Erase(ctx, p.s, s.now)
		ok(t, err)
		all.Wait()
		s.goneAtOnce(p)
		if back, err := s.Assign(ctx, p.id); err != nil || back == p.s {
			t.Errorf("came back as %s, was %s, %v", back, p.s, err)
		}
		s.now = s.now.Add(time.Minute)
		s.night(s.now)
		if hits := s.traces(p); len(hits) > 0 {
			t.Fatalf("subject %d left %v", n, hits)
		}
	}
}

// goneAtOnce: nobody finds the subject, before any byte was overwritten.
func (s *shop) goneAtOnce(p person) {
	s.t.Helper()
	if found, err := s.Find(ctx, p.id); err != nil || !found.IsZero() {
		s.t.Errorf("found %s, %v", found, err)
	}
	if _, err := s.Record(ctx, p.record); !errors.Is(err, flow.ErrNotFound) {
		s.t.Errorf("record: %v", err)
	}
	st, err := s.State(ctx, p.s)
	ok(s.t, err)
	prof, err := s.Profile(ctx, p.s)
	ok(s.t, err)
	if st.Version != 0 || len(prof.Sections) > 0 || len(prof.Recent) > 0 {
		s.t.Errorf("state %+v, profile %+v", st, prof)
	}
	found, _, err := s.SearchDecisions(ctx, flow.DecisionQuery{Subject: p.s})
	ok(s.t, err)
	all, err := s.ReadDecisions(ctx)
	ok(s.t, err)
	ok(s.t, s.ScanDecisions(ctx, time.Time{}, time.Time{}, func(b []byte) error {
		var r decide.Record
		err := json.Unmarshal(b, &r)
		all = append(all, r)
		return err
	}))
	dir := s.t.TempDir()
	ok(s.t, s.decidedBefore(folder{s.disk, dir}.write, s.now.Add(aDay), &snapshot.Manifest{}))
	if b, err := os.ReadFile(filepath.Join(dir, "decisions.ndjson")); err != nil || bytes.Contains(b, []byte(p.canary)) {
		s.t.Errorf("a night reads of the subject: %s, %v", b, err)
	}
	for _, d := range []string{noon.Format(time.DateOnly), noon.Add(aDay).Format(time.DateOnly)} {
		ok(s.t, s.DayEvents(ctx, d, func(r event.Row) error {
			if r.Subject == p.s {
				s.t.Errorf("a row of %s is shown", d)
			}
			return nil
		}))
	}
	for _, r := range append(found, all...) {
		if r.Subject == p.s || strings.Contains(string(r.Input), p.canary) {
			s.t.Errorf("decision %s still tells: %s", r.ID, r.Input)
		}
	}
	if _, err := s.Append(ctx, p.s, func(consent.State) (consent.Record, error) { return consent.Record{RecordID: "late"}, nil }); !errors.Is(err, flow.ErrMoved) {
		s.t.Errorf("a late record: %v", err)
	}
}

// sound: the ledger verifies, somebody's proof too, and every leaf is accounted for.
func (s *shop) sound(p person, want ledger.Accounts) {
	s.t.Helper()
	dir := os.DirFS(filepath.Join(s.dir, "ledger"))
	_, err := ledger.Verify(dir, s.keys.signer.Public)
	ok(s.t, err)
	got, err := ledger.Account(dir, s.keys.signer.Public, func(add func(ledger.Opening) error) error { return s.Openings(ctx, add) })
	ok(s.t, err)
	if got != want {
		s.t.Errorf("accounts %+v, want %+v", got, want)
	}
	if _, err := s.Proof(ctx, p.record); err != nil {
		s.t.Errorf("the proof of another: %v", err)
	}
}
