//go:build awslocal

package aws_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// moving is a shop whose clock never stands still.
func moving(t *testing.T) (*aws.Host, aws.Options) {
	t.Helper()
	o := awslocal.Start(t).Fresh(t)
	var n atomic.Int64
	o.Clock = func() time.Time { return noon.Add(3*time.Hour + time.Duration(n.Add(1))*time.Millisecond) }
	return opened(t, o), o
}

// everyLeafHasAFate checks that each leaf is open once, or named by an erasure.
func everyLeafHasAFate(t *testing.T, h *aws.Host) {
	t.Helper()
	_, r, err := h.VerifyLedger(ctx, t.TempDir()+"/ledger")
	ok(t, err)
	known := map[int64]bool{}
	ok(t, h.Openings(ctx, func(o ledger.Opening) error {
		if known[o.Index] {
			t.Errorf("leaf %d is open twice", o.Index)
		}
		known[o.Index] = true
		var stone ledger.Tombstone
		err := json.Unmarshal(o.Content, &stone)
		for _, i := range stone.Leaves {
			known[i] = true
		}
		return err
	}))
	if int64(len(known)) != r.Size {
		t.Errorf("the ledger has %d leaves, %d have a fate", r.Size, len(known))
	}
}

// TestAnObjectionAloneMakesACopyOld: list entries bring no leaf, and count all the same.
func TestAnObjectionAloneMakesACopyOld(t *testing.T) {
	t.Parallel()
	h, o, bob := given(t)
	was := backedUp(t, o)
	ok(t, h.Object(ctx, bob, consent.DirectMarketing, true, noon.Add(time.Hour)))
	ok(t, h.Sequence(ctx))
	putBack(t, o, was, []string{"book"})
	x := opened(t, o)
	_, err := x.State(ctx, bob)
	_, found := x.Find(ctx, mustID(t, "bob"))
	for what, err := range map[string]error{
		"State": err, "Find": found, "Object": x.Object(ctx, bob, consent.Profiling, true, noon.Add(2*time.Hour)),
	} {
		if !errors.Is(err, aws.ErrDistrusted) {
			t.Errorf("%s works on an old copy: %v", what, err)
		}
	}
	if x.Sequence(ctx) == nil {
		t.Error("the ledger grows on it")
	}
	_, err = x.Restore(ctx)
	ok(t, err)
	ok(t, x.Trust(ctx))
	if st, err := x.State(ctx, bob); err != nil || !st.Listed(consent.ObjectionList, consent.DirectMarketing) {
		t.Errorf("the objection is lost: %+v, %v", st, err)
	}
}

func mustID(t *testing.T, name string) consent.ID {
	t.Helper()
	id, err := consent.NewID(consent.Account, name)
	ok(t, err)
	return id
}

// TestALookOutlivesItsCaller: a call that ends takes nobody with it who waits for the
// same answer.
func TestALookOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	_, o, bob := given(t)
	for range 30 {
		x := opened(t, o)
		gone, cancel := context.WithCancel(ctx)
		x.Ahead(gone, flow.Ahead{Who: []flow.Who{{Account: mustID(t, "bob")}}})
		time.AfterFunc(500*time.Microsecond, cancel)
		if _, err := x.State(ctx, bob); err != nil {
			t.Fatal(err)
		}
	}
}

// TestASequencerMayStopBeforeARestore cuts a sequencer's cable after every number of
// requests; then the book is put back.
func TestASequencerMayStopBeforeARestore(t *testing.T) {
	for cut := 4; cut < 40; cut += 3 {
		t.Run(fmt.Sprintf("after %d requests", cut), func(t *testing.T) {
			t.Parallel()
			h, o, bob := given(t)
			was := backedUp(t, o)
			say(t, h, bob, recordThat("second", noon, consent.Account, true, consent.Analytics))
			ok(t, h.Sequence(ctx))
			say(t, h, bob, recordThat("withdrawal", noon, consent.Account, false, consent.Analytics))
			stops, cable := behind(t, o)
			cable.left.Store(int64(cut))
			_ = stops.Sequence(ctx)
			cable.left.Store(-1)
			putBack(t, o, was, []string{"book"})
			x := opened(t, o)
			_, err := x.Restore(ctx)
			ok(t, err)
			ok(t, x.Trust(ctx))
			ok(t, x.Sequence(ctx))
			if st, err := x.State(ctx, bob); err != nil || st.Version != 3 || st.Usable(consent.Analytics, noon) {
				t.Errorf("the withdrawal is lost: %+v, %v", st, err)
			}
			everyLeafHasAFate(t, x)
		})
	}
}

// TestTablesThatAreWholeAreLeftAlone restores while everybody writes and sequences:
// nothing is lost, nobody is stopped but by the distrust, and no leaf enters twice.
func TestTablesThatAreWholeAreLeftAlone(t *testing.T) {
	t.Parallel()
	_, o := moving(t)
	o = aws.InBatchesOf(o, 7)
	h := opened(t, o)
	who := make([]consent.Subject, 4)
	for i := range who {
		who[i] = someone(t, h, consent.Account, fmt.Sprint("person-", i))
		say(t, h, who[i], recordThat(fmt.Sprint("first-", i), noon, consent.Account, true, consent.Analytics))
	}
	ok(t, h.Sequence(ctx))
	over, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	check := func(what string, err error) {
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	suppressed := make([]bool, len(who))
	for w := range who {
		x := opened(t, o)
		all.Go(func() {
			for i := 0; over.Err() == nil; i++ {
				_, err := x.Append(ctx, who[w], func(consent.State) (consent.Record, error) {
					return recordThat(fmt.Sprintf("record-%d-%d", w, i), noon, consent.Account, i%2 == 0, consent.PersonalisedPrice, consent.Analytics), nil
				})
				check("append", err)
				suppressed[w] = i%2 == 0
				check("suppress", x.Suppress(ctx, who[w], consent.MarketingEmail.Channel(), suppressed[w], noon))
			}
		})
	}
	for range 2 {
		x := opened(t, o)
		all.Go(func() {
			for over.Err() == nil {
				check("sequence", x.Sequence(ctx))
			}
		})
	}
	for range 5 {
		x := opened(t, o)
		out, err := x.Restore(ctx)
		check("restore", err)
		check("trust", x.Trust(ctx))
		if out != (aws.Restored{}) {
			t.Errorf("it changed %+v", out)
		}
	}
	stop()
	all.Wait()
	ok(t, h.Trust(ctx))
	ok(t, h.Sequence(ctx))
	everyLeafHasAFate(t, h)
	for w, s := range who { // the identity map still says what each said last
		_, err := h.Erase(ctx, s, noon)
		ok(t, err)
		st, err := h.State(ctx, someone(t, h, consent.Account, fmt.Sprint("person-", w)))
		if err != nil || st.SuppressedFor(consent.MarketingEmail) != suppressed[w] {
			t.Errorf("%d: %+v, want suppressed %v: %v", w, st, suppressed[w], err)
		}
	}
}
