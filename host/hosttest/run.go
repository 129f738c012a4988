package hosttest

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// Night is how a host hands to its night what it took in by day. The suite reads
// through it what flow.Host only writes.
type Night interface {
	// ReadEvents gives every row kept that no compaction has taken away.
	ReadEvents(ctx context.Context) ([]event.Row, error)
	// ReadCases gives every case kept.
	ReadCases(ctx context.Context) (map[event.CaseID][]byte, error)
	// ReadDecisions gives every decision record, each writer's in the order of its chain.
	ReadDecisions(ctx context.Context) ([]decide.Record, error)
}

// Run holds a host to every promise in flow/ports.go. open gives an empty host
// for each promise, which must be a Night too; Run closes it.
func Run(t *testing.T, open func(t *testing.T) flow.Host) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			defer func() { ok(t, h.Close()) }()
			p.check(t, h)
		})
	}
}

type promise struct {
	name  string
	check func(t *testing.T, h flow.Host)
}

func promises() []promise {
	var all []promise
	for _, part := range [][]promise{subjectPromises, bookPromises, listPromises, grantPromises, logPromises, profilePromises, deskPromises, shopPromises, erasePromises} {
		all = append(all, part...)
	}
	return all
}

// Writer says whose the chain of decisions is, so how many there are after a restart.
type Writer int

// The writers.
const (
	EachHost    Writer = 1 // one chain goes on for ever
	EachOpening Writer = 2 // each opening begins one
)

// RunReopened holds a host to its promises across a restart. open gives an empty
// host and a function that closes it and opens it again.
func RunReopened(t *testing.T, w Writer, open func(t *testing.T) (flow.Host, func() flow.Host)) {
	t.Run("what was acknowledged is there after a restart", func(t *testing.T) {
		h, reopen := open(t)
		was := fill(t, h)
		h = reopen()
		defer func() { ok(t, h.Close()) }()
		was.check(t, h)
	})
	t.Run("chain, versions and counters go on after a restart", func(t *testing.T) {
		h, reopen := open(t)
		fill(t, h)
		h = reopen()
		defer func() { ok(t, h.Close()) }()
		now := fill(t, h)
		now.check(t, h)
		checkChain(t, h, int(w))
	})
}

var ctx = context.Background()

// noon is a moment of the first day that the shop's data covers.
var noon = time.Date(2008, 4, 1, 12, 0, 0, 0, time.UTC)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		ok(t, err)
		return v
	}
}

// same compares what two values say, by their JSON.
func same(t *testing.T, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	ok(t, err)
	w, err := json.Marshal(want)
	ok(t, err)
	if string(g) != string(w) {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
}

// together runs n functions at once and waits for all.
func together(n int, do func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; do(i) })
	}
	close(start)
	wg.Wait()
}

func id(t *testing.T, scope consent.Scope, value string) consent.ID {
	t.Helper()
	return must(consent.NewID(scope, value))(t)
}

func unique(prefix string) string {
	s := newSubject()
	return prefix + "-" + hex.EncodeToString(s[:8])
}

func someone(t *testing.T, h flow.Host) consent.Subject {
	t.Helper()
	return must(h.Assign(ctx, id(t, consent.Device, unique("device-of-someone"))))(t)
}

func night(t *testing.T, h flow.Host) Night {
	t.Helper()
	n, is := h.(Night)
	if !is {
		t.Fatalf("%T gives its night no way to read (hosttest.Night)", h)
	}
	return n
}

// give is a record that says yes for a year, or no, to some purposes.
func give(at time.Time, yes bool, purposes ...consent.Purpose) consent.Record {
	r := consent.Record{
		Schema: consent.RecordSchema, RecordID: unique("record"), Scope: consent.Device, PurposesShown: purposes,
		Event:    consent.Act{Time: at, Type: "expressed", Method: "save", Actor: "subject"},
		Validity: consent.Validity{From: at, Until: at.AddDate(1, 0, 0)},
	}
	for _, p := range purposes {
		status := consent.Refused
		if yes {
			status = consent.Given
		}
		r.Purposes = append(r.Purposes, consent.Choice{Purpose: p, Status: status, Basis: "6-1-a"})
	}
	return r
}

func say(t *testing.T, h flow.Host, s consent.Subject, r consent.Record) flow.Receipt {
	t.Helper()
	return must(h.Append(ctx, s, func(consent.State) (consent.Record, error) { return r, nil }))(t)
}

func row(s consent.Subject, n int, at time.Time) event.Row {
	r := event.Row{
		Bucket: int32(s.Bucket()), Subject: s, Kind: int32(event.ProductViewed), OccurredMS: at.UnixMilli() - 5,
		ReceivedMS: at.UnixMilli(), Purposes: int64(consent.SetOf(consent.Analytics, consent.AdviserAssist)),
		Cases: []int64{-7, 9}, Keeps: []int64{1, 3}, Policy: "p1",
		Fields: event.Fields{Product: fmt.Sprintf("B%d", n), Results: -1, Items: []event.Item{{Product: "B1", Quantity: 2, PriceCents: 399}}},
	}
	r.MessageKey = [16]byte{1, byte(n), byte(n >> 8), byte(n >> 16)}
	return r
}
