//go:build awslocal

package aws_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// ledgerHolds checks that the ledger has the leaf of each receipt once, proven, and
// nothing else.
func ledgerHolds(t *testing.T, h *aws.Host, receipts []flow.Receipt) {
	t.Helper()
	at := map[int64]string{}
	public, err := h.Verifier(ctx)
	ok(t, err)
	for _, r := range receipts {
		p, err := h.Proof(ctx, r.Record.RecordID)
		ok(t, err)
		if other, twice := at[p.Index]; twice || p.Leaf != hex.EncodeToString(r.Leaf[:]) {
			t.Fatalf("%s lies at %d, like %q", r.Record.RecordID, p.Index, other)
		}
		at[p.Index] = r.Record.RecordID
		c, err := ledger.OpenCheckpoint(public, []byte(p.Checkpoint))
		ok(t, err)
		if c.Size != int64(len(receipts)) {
			t.Fatalf("the ledger has %d leaves, want %d", c.Size, len(receipts))
		}
	}
	n := 0
	ok(t, h.Openings(ctx, func(o ledger.Opening) error {
		leaf, err := o.Leaf()
		if n++; err == nil && at[o.Index] == "" {
			err = fmt.Errorf("leaf %x at %d belongs to nothing", leaf, o.Index)
		}
		return err
	}))
	if n != len(receipts) {
		t.Fatalf("%d openings for %d leaves", n, len(receipts))
	}
}

func TestSequencersAtOnceNeverForkTheLedger(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	hosts := make([]*aws.Host, 4)
	for i := range hosts {
		hosts[i] = opened(t, o)
	}
	receipts := make([][]flow.Receipt, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		all.Go(func() {
			s := someone(t, h, consent.Device, fmt.Sprintf("the-device-of-process-%d", i))
			for n := range 25 {
				receipts[i] = append(receipts[i], say(t, h, s, recordThat(fmt.Sprintf("record-%d-%d", i, n), noon.Add(time.Duration(n)*time.Minute), consent.Device, n%2 == 0, consent.Analytics)))
				if n%3 == i%3 {
					if err := h.Sequence(ctx); err != nil {
						t.Errorf("process %d: %v", i, err)
					}
				}
			}
		})
	}
	all.Wait()
	ok(t, hosts[0].Sequence(ctx))
	var flat []flow.Receipt
	for _, r := range receipts {
		flat = append(flat, r...)
	}
	ledgerHolds(t, hosts[1], flat)
}

// TestASequencerMayStopAnywhere cuts the cable after every number of requests; the
// next sequencer settles what was left.
func TestASequencerMayStopAnywhere(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	sound := opened(t, o)
	h, cable := behind(t, o)
	s := someone(t, sound, consent.Device, "the-device-of-ada")
	var receipts []flow.Receipt
	stopped := 0
	for cut := range 60 {
		for n := range 3 {
			receipts = append(receipts, say(t, sound, s, recordThat(fmt.Sprintf("record-%d-%d", cut, n), noon.Add(time.Duration(cut)*time.Hour), consent.Device, n%2 == 0, consent.Analytics)))
		}
		cable.left.Store(int64(cut))
		err := h.Sequence(ctx)
		cable.left.Store(-1)
		if err == nil {
			break
		}
		stopped++
		if cut%4 == 0 { // else the next one is cut too
			ok(t, sound.Sequence(ctx))
		}
	}
	if stopped < 15 {
		t.Fatalf("stopped only %d times", stopped)
	}
	ok(t, sound.Sequence(ctx))
	ledgerHolds(t, sound, receipts)
	if err := func() error { _, err := sound.State(ctx, s); return err }(); err != nil {
		t.Fatalf("the ledger is distrusted: %v", err)
	}
}

func TestALargeQueueEntersInBatches(t *testing.T) {
	t.Parallel()
	h := opened(t, aws.InBatchesOf(awslocal.Start(t).Fresh(t), 16))
	receipts := make([]flow.Receipt, 83)
	subjects := make([]consent.Subject, 8)
	together(8, func(i int) { subjects[i] = someone(t, h, consent.Device, fmt.Sprintf("the-device-of-number-%d", i)) })
	together(len(receipts), func(i int) {
		receipts[i] = say(t, h, subjects[i%8], recordThat(fmt.Sprintf("record-%d", i), noon.Add(time.Duration(i)*time.Minute), consent.Device, i%16 < 8, consent.Analytics))
	})
	ok(t, h.Sequence(ctx))
	ledgerHolds(t, h, receipts)
}

func TestALedgerThatIsNotTheBooksIsNotReliedOn(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	h := opened(t, o)
	s := someone(t, h, consent.Device, "the-device-of-ada")
	say(t, h, s, recordThat("grant", noon, consent.Device, true, consent.Analytics))
	ok(t, h.Sequence(ctx))
	ok(t, h.Distrust(ctx, "a test says so"))
	if _, err := opened(t, o).State(ctx, s); !errors.Is(err, aws.ErrDistrusted) {
		t.Fatalf("another process relies on it: %v", err)
	}
	say(t, h, s, recordThat("withdrawal", noon.Add(time.Hour), consent.Device, false, consent.Analytics))
	ok(t, h.Trust(ctx))
	if st, err := h.State(ctx, s); err != nil || st.Version != 2 {
		t.Fatalf("got %+v, %v", st, err)
	}
}
