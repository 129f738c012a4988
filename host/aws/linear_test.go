//go:build awslocal

package aws_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/profile"
)

// seedOfHistories makes the same calls in every run; how they interleave is the
// scheduler's.
const seedOfHistories = 20261122

// doors is a door with a warm function behind each call in turn.
type doors struct {
	shops []warm
	next  atomic.Int64
}

func (d *doors) shop() warm { return d.shops[int(d.next.Add(1))%len(d.shops)] }

// Say is a consent call.
func (d *doors) Say(device string, yes bool, p consent.Purpose) error {
	_, err := d.shop().Consent(ctx, says(device, yes, p), browser)
	return err
}

// Ingest sends one event.
func (d *doors) Ingest(device, id string) (consent.Set, error) {
	env, err := views(device, noon, id)
	if err != nil {
		return 0, err
	}
	a, err := d.shop().Ingest(ctx, env, browser)
	if err != nil {
		return 0, err
	}
	return consent.SetOf(a.Results[0].Purposes...), nil
}

// Offer asks for an offer.
func (d *doors) Offer(device string) (bool, error) {
	a, err := d.shop().Escalate(ctx, flow.EscalateCall{AnonymousID: device, Page: flow.PageRef{ProductID: "B12", Type: "product"}}, browser)
	return a.Offer != flow.OfferNone, err
}

// Given reads the state.
func (d *doors) Given(device string) (seen consent.Set, err error) {
	a, err := d.shop().ConsentState(ctx, flow.StateCall{AnonymousID: device}, browser)
	for p, s := range a.Purposes {
		if s.Status.Valid() {
			seen = seen.With(p)
		}
	}
	return seen, err
}

// Kept reads the profile.
func (d *doors) Kept(device string) (kept consent.Set, err error) {
	id, err := consent.NewID(consent.Device, device)
	if err != nil {
		return 0, err
	}
	h := d.shop().host
	s, err := h.Find(ctx, id)
	if err != nil || s.IsZero() {
		return 0, err
	}
	held, err := h.Profile(ctx, s)
	for p := range held.Sections {
		kept = kept.With(p)
	}
	return kept, err
}

// openDoors opens two warm functions of one account; function names their calls.
func openDoors(t testing.TB, function string, line http.RoundTripper, host func(*aws.Host) flow.Host) *doors {
	t.Helper()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Clock = func() time.Time { return noon }
	openWarm(t, o, nil).stock(t)
	o.Account = g.Account(function)
	if line != nil {
		o.Account.HTTP = &http.Client{Transport: line}
	}
	return &doors{shops: []warm{openWarm(t, o, host), openWarm(t, o, host)}}
}

// TestNothingHappensAfterAnAcknowledgedWithdrawalInTheAccount runs 2,000 concurrent
// histories, or HANDSCHLAG_HISTORIES_AWS of them, each call at one of two warm
// functions of one account, on tables that lag wherever nobody asked for consistency.
func TestNothingHappensAfterAnAcknowledgedWithdrawalInTheAccount(t *testing.T) {
	count, err := strconv.Atoi(os.Getenv("HANDSCHLAG_HISTORIES_AWS"))
	if err != nil {
		count = 2000
	}
	begun := time.Now()
	g := awslocal.Start(t)
	var sum hosttest.Linearised
	var mu sync.Mutex
	var accounts sync.WaitGroup
	g.Inject("linear", awslocal.Faults{Seed: seedOfHistories, Stale: 500})
	for n := range 4 { // accounts side by side
		d, first, next := openDoors(t, "linear", nil, nil), count*n/4, count*(n+1)/4
		accounts.Go(func() {
			one := hosttest.Linearise(d, hosttest.Histories{Seed: seedOfHistories, First: first, Count: next - first, Workers: 6})
			mu.Lock()
			defer mu.Unlock()
			sum.Histories, sum.Calls, sum.Overlaps = sum.Histories+one.Histories, sum.Calls+one.Calls, sum.Overlaps+one.Overlaps
			sum.Withdrawals, sum.Refusals, sum.Wrong = sum.Withdrawals+one.Withdrawals, sum.Refusals+one.Refusals, append(sum.Wrong, one.Wrong...)
		})
	}
	accounts.Wait()
	if len(sum.Wrong) > 0 {
		t.Errorf("%d wrong, first: %s", len(sum.Wrong), sum.Wrong[0])
	}
	seen := g.Seen("linear")
	t.Logf("seed %d: %d histories, %d calls, %d withdrawals acknowledged, %d reads overlapped a change, %d calls refused, %d requests, %s",
		seedOfHistories, sum.Histories, sum.Calls, sum.Withdrawals, sum.Overlaps, sum.Refusals, seen.Requests, time.Since(begun).Round(time.Second))
	if sum.Histories != count || sum.Overlaps == 0 || sum.Refusals*100 > sum.Calls {
		t.Errorf("these histories show nothing: %+v", sum)
	}
}

// inconsistent is a line that lets no read ask for consistency.
type inconsistent struct{ http.RoundTripper }

// RoundTrip takes the wish out of a request.
func (l inconsistent) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return l.RoundTripper.RoundTrip(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.ReplaceAll(body, []byte(`"ConsistentRead":true`), []byte(`"ConsistentRead":false`))
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return l.RoundTripper.RoundTrip(r)
}

// careless writes profiles whatever became of the consent meanwhile.
type careless struct{ flow.Host }

// UpdateProfile forgets what the write was to depend on.
func (h careless) UpdateProfile(ctx context.Context, s consent.Subject, _ []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	return h.Host.UpdateProfile(ctx, s, nil, change)
}

// TestHistoriesCatchACarelessAccount plants the two faults that the histories are for.
func TestHistoriesCatchACarelessAccount(t *testing.T) {
	for _, c := range []struct {
		name, function string
		line           http.RoundTripper
		host           func(*aws.Host) flow.Host
		says           string
	}{
		{"reads that are not consistent", "lagging", inconsistent{impatient(5 * time.Second).Transport}, nil, "no order explains"},
		{"profiles that are written whatever became of the state", "careless", nil, func(h *aws.Host) flow.Host { return careless{h} }, "the profile keeps it"},
	} {
		d := openDoors(t, c.function, c.line, c.host)
		awslocal.Start(t).Inject(c.function, awslocal.Faults{Seed: seedOfHistories, Stale: 300})
		caught, run := 0, 0
		for ; caught == 0 && run < 1500; run += 50 {
			got := hosttest.Linearise(d, hosttest.Histories{Seed: seedOfHistories, First: run, Count: 50, Workers: 8})
			for _, w := range got.Wrong {
				if strings.Contains(w, c.says) {
					caught++
				}
			}
		}
		if caught == 0 {
			t.Errorf("%s: not caught in %d histories", c.name, run)
		}
		t.Logf("%s: caught %d times in %d histories", c.name, caught, run)
	}
}
