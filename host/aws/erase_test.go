//go:build awslocal

package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/profile"
)

// lived gives somebody one of everything that the book and its neighbours keep.
func lived(t *testing.T, h *aws.Host, name string) (s, device consent.Subject) {
	t.Helper()
	s, device = someone(t, h, consent.Account, name), someone(t, h, consent.Device, "the-one-device-of-"+name)
	say(t, h, s, recordThat("first-"+name, noon, consent.Account, true, consent.PersonalisedPrice, consent.AdviserAssist))
	say(t, h, s, recordThat("second-"+name, noon.Add(time.Hour), consent.Account, true, consent.PersonalisedPrice))
	ok(t, h.Link(ctx, device, s, noon))
	ok(t, h.Object(ctx, s, consent.DirectMarketing, true, noon))
	ok(t, h.UpdateProfile(ctx, s, nil, func(p profile.Profile) profile.Profile {
		p.Sections = map[consent.Purpose]profile.Section{consent.AdviserAssist: {}}
		return p
	}))
	return s, device
}

// TestAnErasureMayStopAnywhere cuts the cable after every number of requests;
// calling again finishes, with the same certificate.
func TestAnErasureMayStopAnywhere(t *testing.T) {
	for years, step := range map[int]int{0: 7, 3: 2} {
		t.Run(fmt.Sprintf("proofs are kept %d years", years), func(t *testing.T) {
			t.Parallel()
			o := awslocal.Start(t).Fresh(t)
			o.Retain.ProofYears = years
			sound := opened(t, o)
			h, cable := behind(t, o)
			var traces []string
			for cut, done := 1, false; !done; cut += step {
				name := fmt.Sprintf("ada-%d", cut)
				s, device := lived(t, sound, name)
				cable.left.Store(int64(cut))
				e, err := h.Erase(ctx, s, noon.Add(2*time.Hour))
				cable.left.Store(-1)
				if done = err == nil; !done {
					e, err = sound.Erase(ctx, s, noon.Add(2*time.Hour))
					ok(t, err)
				}
				certified(t, e, years)
				gone(t, sound, s, device, name)
				traces = append(traces, s.String(), `"first-`+name+`"`, "rec#first-"+name+`"`)
				if cut > 200 {
					t.Fatal("it never comes to an end")
				}
			}
			ok(t, sound.Sequence(ctx))
			ok(t, sound.Openings(ctx, func(o ledger.Opening) error { _, err := o.Leaf(); return err }))
			for _, table := range aws.Tables {
				all := contents(t, o, table.Name)
				for _, trace := range traces {
					if strings.Contains(all, trace) {
						t.Errorf("table %s holds %s", table.Name, trace)
					}
				}
			}
		})
	}
}

// certified checks the certificate of one who lived.
func certified(t *testing.T, e flow.Erasure, years int) {
	t.Helper()
	got := map[string]int64{}
	for _, s := range e.Stores {
		got[s.Store] = s.Count
		if s.Store == "consent_records" && (s.Method == "sealed") != (years > 0) {
			t.Errorf("records were %s", s.Method)
		}
	}
	for store, n := range map[string]int64{"ids": 1, "consent_records": 2, "lists": 1, "links": 1, "profiles": 1, "events": 0} {
		if is, there := got[store]; !there || is != n {
			t.Errorf("%s: the certificate says %d, want %d: %+v", store, is, n, e)
		}
	}
	if len(e.Leaves) != 2 || e.Leaf == "" || e.ID == "" {
		t.Errorf("the certificate says %+v", e)
	}
}

// gone looks for somebody who was erased, at every door.
func gone(t *testing.T, h *aws.Host, s, device consent.Subject, name string) {
	t.Helper()
	if st, err := h.State(ctx, s); err != nil || st.Version != 0 {
		t.Fatalf("the state is %+v, %v", st, err)
	}
	if a, err := h.AccountOf(ctx, device); err != nil || !a.IsZero() {
		t.Fatalf("the device is linked to %s, %v", a, err)
	}
	if _, err := h.PriceStanding(ctx, "first-"+name); !errors.Is(err, flow.ErrNotFound) {
		t.Fatalf("a price knows it: %v", err)
	}
	back := someone(t, h, consent.Account, name)
	st, err := h.State(ctx, back)
	ok(t, err)
	if back == s || !st.SuppressedFor(consent.MarketingEmail) {
		t.Fatalf("came back as %s with %+v", back, st)
	}
	if e, err := h.Erase(ctx, s, noon); err != nil || len(e.Stores) > 0 {
		t.Fatalf("erased twice: %+v, %v", e, err)
	}
}

func TestTwoWhoEraseAtOnceWriteOneLeaf(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	hosts := []*aws.Host{opened(t, o), opened(t, o), opened(t, o)}
	for n := range 6 {
		s, _ := lived(t, hosts[0], fmt.Sprintf("ada-%d", n))
		leaves := map[string]bool{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for _, h := range hosts {
			all.Go(func() {
				e, err := h.Erase(ctx, s, noon)
				if err != nil {
					t.Error(err)
				}
				if e.Leaf != "" {
					certified(t, e, 0)
					mu.Lock()
					defer mu.Unlock()
					leaves[e.Leaf] = true
				}
			})
		}
		all.Wait()
		if len(leaves) != 1 {
			t.Fatalf("leaves %v", leaves)
		}
	}
	ok(t, hosts[0].Sequence(ctx))
	named := map[int64]bool{}
	open := map[int64]bool{}
	ok(t, hosts[0].Openings(ctx, func(o ledger.Opening) error {
		open[o.Index] = true
		var stone ledger.Tombstone
		err := json.Unmarshal(o.Content, &stone)
		for _, i := range stone.Leaves {
			named[i] = true
		}
		return err
	}))
	for i := range int64(len(named) + len(open)) {
		if named[i] == open[i] {
			t.Errorf("leaf %d: named by an erasure is %v, still open is %v", i, named[i], open[i])
		}
	}
}

func TestWhoMayNotWriteTheLedgerErasesOnceItCoversEveryRecord(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	h := opened(t, o)
	s, _ := lived(t, h, "ada")
	o.Parts, o.Account = []aws.Part{aws.PartIdentity}, g.Account("rights")
	rights := opened(t, o)
	if _, err := rights.Erase(ctx, s, noon); !errors.Is(err, flow.ErrMoved) {
		t.Fatalf("got %v", err)
	}
	if st, err := h.State(ctx, s); err != nil || st.Version == 0 {
		t.Fatalf("half erased: %+v, %v", st, err)
	}
	ok(t, h.Sequence(ctx))
	e, err := rights.Erase(ctx, s, noon)
	ok(t, err)
	certified(t, e, 0)
	for _, u := range g.Used() {
		looked := u.Action == "s3:GetObject" && strings.HasSuffix(u.Resource, "ledger/journal")
		if u.Function == "rights" && strings.Contains(u.Resource, "ledger") && !looked {
			t.Errorf("used %+v", u)
		}
	}
}

func TestAProofIsSealedUntilItsTimeAndThenErased(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	o.Retain.ProofYears = 3
	h := opened(t, o)
	s, _ := lived(t, h, "ada")
	receipt, err := h.Record(ctx, "first-ada")
	ok(t, err)
	e, err := h.Erase(ctx, s, noon)
	ok(t, err)
	ok(t, h.Sequence(ctx))
	p, err := h.SealedProof(ctx, "first-ada")
	ok(t, err)
	if p.Record.RecordID != receipt.RecordID || p.Index != e.Leaves[0] {
		t.Fatalf("got %+v", p)
	}
	until := time.Date(noon.Year()+4, 1, 1, 0, 0, 0, 0, time.UTC)
	ok(t, h.ExpireSealed(ctx, until.Add(-time.Second)))
	if _, err := h.SealedProof(ctx, "first-ada"); err != nil {
		t.Fatalf("gone before its time: %v", err)
	}
	ok(t, h.ExpireSealed(ctx, until))
	if _, err := h.SealedProof(ctx, "first-ada"); !errors.Is(err, flow.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
}
