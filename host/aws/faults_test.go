//go:build awslocal

package aws_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/price"
)

// faults parts a share of a thousand calls over every way to fail.
func faults(seed uint64, perMille int) awslocal.Faults {
	share := func(pct int) int { return perMille * pct / 100 }
	return awslocal.Faults{
		Seed: seed, Throttled: perMille - share(90), Broken: share(25), Unheard: share(10), Unanswered: share(15),
		Late: share(10), Partial: share(15), Conflict: share(15), Twice: perMille / 5, Stale: 500,
	}
}

// TestNothingIsLostAndNothingDoneTwiceUnderFaults runs a shop's traffic through two
// warm functions of a faulty account, then looks at everything that was kept.
func TestNothingIsLostAndNothingDoneTwiceUnderFaults(t *testing.T) {
	seed := uint64(20261122)
	if s, err := strconv.ParseUint(os.Getenv("HANDSCHLAG_SEED"), 10, 64); err == nil {
		seed = s
	}
	clean := runFaulty(t, seed, 0, 60)
	t.Logf("without faults: %d calls, %.1f requests a call", clean.kept.calls, clean.perCall())
	for _, level := range []struct{ perMille, rounds int }{{10, 120}, {100, 120}, {500, 150}} {
		t.Run(fmt.Sprintf("%d per thousand", level.perMille), func(t *testing.T) {
			t.Parallel() // most of the time is waiting
			r := runFaulty(t, seed, level.perMille, level.rounds)
			more := r.perCall() / clean.perCall()
			t.Logf("seed %d, %d per thousand: %d calls, %d answered, %d said 503; %d requests made to fail; %.1f requests a call, %.2f times as many as without faults, at most %d tries",
				seed, level.perMille, r.kept.calls, r.kept.calls-r.kept.failed, r.kept.failed, r.seen.Faults, r.perCall(), more, r.seen.Most)
			t.Log(r)
			if r.seen.Most > 3 || more > 3 || r.seen.Requests > 3*r.seen.Calls {
				t.Errorf("more than three times the requests")
			}
			checkJitter(t, r.seen.Delays)
		})
	}
}

func count(m map[string][]string) (n int) {
	for _, all := range m {
		n += len(all)
	}
	return n
}

// faulty is what came of a run.
type faulty struct {
	kept         *kept
	seen         awslocal.Seen
	lines, again int
}

func (f faulty) perCall() float64 { return float64(f.seen.Requests) / float64(f.kept.calls) }

// String says what was acknowledged.
func (f faulty) String() string {
	k := f.kept
	return fmt.Sprintf("%d events admitted, %d records, %d decisions, %d contacts, %d of them accepted, %d links, %d price feeds; lines delivered %d, of them twice %d",
		count(k.admitted), len(k.records), len(k.decisions), len(k.contacts), len(k.advisers), len(k.links), len(k.prices), f.lines, f.again)
}

// runFaulty drives traffic, ends the faults, and checks what is left.
func runFaulty(t *testing.T, seed uint64, perMille, rounds int) faulty {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	begun := time.Now()
	o.Clock = func() time.Time { return noon.Add(time.Since(begun)) }
	clean := openWarm(t, o, nil)
	clean.stock(t)
	function := "faulty" + hex.EncodeToString([]byte{byte(perMille >> 8), byte(perMille)})
	o.Account = g.Account(function)
	o.Account.HTTP = impatient(400 * time.Millisecond)
	var shops []warm
	for range 2 {
		shops = append(shops, openWarm(t, o, nil))
	}
	g.Forget(function)
	g.Inject(function, faults(seed, perMille))
	k := newKept()
	stop := make(chan struct{})
	var sequencer sync.WaitGroup
	sequencer.Go(func() { // as EventBridge invokes the consent function
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Second):
				_ = shops[0].host.Sequence(ctx)
			}
		}
	})
	k.traffic(shops, seed, rounds, o.Clock)
	close(stop)
	sequencer.Wait()
	r := faulty{kept: k, seen: g.Seen(function)}
	g.Inject(function, awslocal.Faults{})
	for _, s := range shops {
		ok(t, s.host.Close())
	}
	time.Sleep(2 * time.Second) // what is late has come
	ok(t, clean.host.Sequence(ctx))
	g.Flush()
	r.lines, r.again = k.check(t, clean)
	for i, w := range k.wrong {
		if i < 10 {
			t.Error(w)
		}
	}
	return r
}

// traffic lets eight clients act for two visitors each.
func (k *kept) traffic(shops []warm, seed uint64, rounds int, clock func() time.Time) {
	var clients sync.WaitGroup
	for c := range 8 {
		dice := rand.New(rand.NewPCG(seed, uint64(c)))
		vs := []*visitor{{device: fmt.Sprintf("device-of-client-%d-a", c)}, {device: fmt.Sprintf("device-of-client-%d-b", c)}}
		k.people = append(k.people, person{consent.Device, vs[0].device}, person{consent.Device, vs[1].device})
		clients.Go(func() {
			for range rounds {
				k.act(shops, vs[dice.IntN(2)], dice, clock())
			}
		})
	}
	clients.Wait()
}

// check holds what is kept against what was acknowledged.
func (k *kept) check(t *testing.T, shop warm) (lines, again int) {
	t.Helper()
	rows, err := shop.host.ReadEvents(ctx)
	ok(t, err)
	k.checkEvents(t, shop, rows)
	k.checkRecords(t, shop)
	k.checkDecisions(t, shop)
	k.checkContacts(t, shop)
	k.checkPrices(t, shop)
	k.checkCounts(t, shop)
	seen := map[[32]byte]bool{}
	for _, r := range rows {
		id := [32]byte(append(slices.Clone(r.Subject[:]), r.MessageKey[:]...))
		if seen[id] {
			again++
		}
		seen[id] = true
	}
	return len(rows), again
}

// subject finds somebody's pseudonym.
func subject(t *testing.T, shop warm, scope consent.Scope, name string) consent.Subject {
	t.Helper()
	id, err := consent.NewID(scope, name)
	ok(t, err)
	s, err := shop.host.Find(ctx, id)
	ok(t, err)
	return s
}

// messageKey is what flow makes of a message's id.
func messageKey(shop warm, s consent.Subject, id string) (key [16]byte) {
	m := hmac.New(sha256.New, shop.host.Keys().Digest)
	m.Write([]byte("message\x00"))
	m.Write(s[:])
	m.Write([]byte(id))
	copy(key[:], m.Sum(nil))
	return key
}

func (k *kept) checkEvents(t *testing.T, shop warm, rows []event.Row) {
	t.Helper()
	there := map[[32]byte]bool{}
	for _, r := range rows {
		there[[32]byte(append(slices.Clone(r.Subject[:]), r.MessageKey[:]...))] = true
	}
	has := func(s consent.Subject, id string) bool {
		key := messageKey(shop, s, id)
		return there[[32]byte(append(slices.Clone(s[:]), key[:]...))]
	}
	for device, ids := range k.admitted {
		s := subject(t, shop, consent.Device, device)
		for _, id := range ids {
			if !has(s, id) {
				k.blame("the acknowledged event %s is lost", id)
			}
		}
	}
	for device, ids := range k.forbidden {
		if s := subject(t, shop, consent.Device, device); !s.IsZero() {
			for _, id := range ids {
				if has(s, id) {
					k.blame("the event %s was kept after an acknowledged no", id)
				}
			}
		}
	}
}

// checkRecords: every acknowledged record is there once and proven, versions have no
// gap, the state is the fold of all, and no leaf is in the ledger twice.
func (k *kept) checkRecords(t *testing.T, shop warm) {
	t.Helper()
	found, indexes := map[string]int{}, map[int64]string{}
	for _, d := range k.people {
		s := subject(t, shop, d.scope, d.id)
		if s.IsZero() {
			continue
		}
		all, err := shop.host.History(ctx, s)
		ok(t, err)
		for i, r := range all {
			if found[r.RecordID]++; r.Version != uint64(i+1) {
				k.blame("record %d of %s has version %d", i+1, d.id, r.Version)
			}
			p, err := shop.host.Proof(ctx, r.RecordID)
			if err != nil {
				k.blame("record %s has no proof: %v", r.RecordID, err)
				continue
			}
			if was := indexes[p.Index]; was != "" {
				k.blame("records %s and %s have one leaf", was, r.RecordID)
			}
			indexes[p.Index] = r.RecordID
		}
		st, err := shop.host.State(ctx, s)
		ok(t, err)
		want := consent.Fold(all)
		for _, p := range hosttest.Watched {
			if got, want := st.At(p, noon.Add(time.Hour)), want.At(p, noon.Add(time.Hour)); got.Status != want.Status {
				k.blame("%s of %s is %s, its records say %s", p, d.id, got.Status, want.Status)
			}
		}
	}
	for id := range k.records {
		if found[id] != 1 {
			k.blame("the acknowledged record %s is there %d times", id, found[id])
		}
	}
	for i := range int64(len(indexes)) {
		if indexes[i] == "" {
			k.blame("leaf %d of %d is no record's", i, len(indexes))
		}
	}
}

// checkDecisions: every acknowledged one is there once, and every chain is whole.
func (k *kept) checkDecisions(t *testing.T, shop warm) {
	t.Helper()
	all, err := shop.host.ReadDecisions(ctx)
	ok(t, err)
	found, last := map[string]int{}, map[string]decide.Record{}
	for _, r := range all {
		found[r.ID]++
		was, prev := last[r.Writer], ""
		if was.N > 0 {
			hash := was.Hash()
			prev = hex.EncodeToString(hash[:])
		}
		if r.N != was.N+1 || r.Prev != prev {
			k.blame("the chain of writer %s breaks at %d, after %d", r.Writer, r.N, was.N)
		}
		last[r.Writer] = r
	}
	for id, action := range k.decisions {
		if found[id] != 1 {
			k.blame("the %s decision %s is there %d times", action, id, found[id])
		}
		if _, err := shop.host.Decision(ctx, id); err != nil {
			k.blame("the %s decision %s cannot be read: %v", action, id, err)
		}
	}
	t.Logf("%d decisions of %d writers", len(all), len(last))
}

// checkContacts: one for each token, and of one adviser; an acknowledged link stands.
func (k *kept) checkContacts(t *testing.T, shop warm) {
	t.Helper()
	waiting, err := shop.host.Waiting(ctx)
	ok(t, err)
	keys := map[string]string{}
	for _, id := range k.contacts {
		c, err := shop.host.Contact(ctx, id)
		if err != nil || c.ID != id || keys[c.TokenKey] != "" {
			k.blame("the acknowledged contact %s is %+v, %v", id, c, err)
		}
		if want := k.advisers[id]; want != "" && c.Adviser != want {
			k.blame("contact %s is with %q, %q was told so", id, c.Adviser, want)
		}
		keys[c.TokenKey] = id
	}
	for _, c := range waiting {
		if id := keys[c.TokenKey]; id != "" && id != c.ID || k.advisers[c.ID] != "" {
			k.blame("contact %s waits although its token has one, or an adviser took it", c.ID)
		}
		keys[c.TokenKey] = c.ID
	}
	for device, account := range k.links {
		want := subject(t, shop, consent.Account, account)
		got, err := shop.host.AccountOf(ctx, subject(t, shop, consent.Device, device))
		ok(t, err)
		if got != want || got.IsZero() {
			k.blame("%s is not linked to %s", device, account)
		}
	}
}

// checkPrices: a feed is there whole, or, if nobody acknowledged it, not at all.
func (k *kept) checkPrices(t *testing.T, shop warm) {
	t.Helper()
	for n, feeds := range [][][]price.Interval{k.prices, k.pricesLost} {
		for _, rows := range feeds {
			there := 0
			for _, r := range rows {
				all, err := shop.host.PriceHistory(ctx, r.Product, r.Storefront, r.Channel, r.Currency)
				ok(t, err)
				there += len(all)
			}
			if there != len(rows) && (n == 0 || there != 0) {
				k.blame("%d of %d prices of a feed are there", there, len(rows))
			}
		}
	}
}

// checkCounts: what was answered is counted, and no more than what was tried.
func (k *kept) checkCounts(t *testing.T, shop warm) {
	t.Helper()
	got, err := shop.host.Counts(ctx, noon.Add(-time.Hour), noon.Add(24*time.Hour), "")
	ok(t, err)
	for _, name := range []string{flow.Admitted, flow.Refused, flow.Duplicate, flow.Invalid} {
		if n, least := got[name], k.counts[name]; n < least || n > least+k.unsure {
			k.blame("%d counted as %s, %d were answered and %d in doubt", n, name, least, k.unsure)
		}
	}
}

// checkJitter: delays spread from none to the bound, and are not all the same.
func checkJitter(t *testing.T, delays []time.Duration) {
	t.Helper()
	if len(delays) < 5 {
		t.Fatalf("%d tries were repeated", len(delays))
	}
	slices.Sort(delays)
	at := func(pct int) time.Duration { return delays[len(delays)*pct/100].Round(time.Millisecond) }
	t.Logf("%d repeated tries; from one to the next: p10 %s, p50 %s, p90 %s, longest %s", len(delays), at(10), at(50), at(90), delays[len(delays)-1].Round(time.Millisecond))
	apart := map[time.Duration]bool{}
	for _, d := range delays {
		apart[d.Truncate(5*time.Millisecond)] = true
	}
	if len(apart) < min(len(delays)/2, 10) {
		t.Errorf("%d delays take %d values", len(delays), len(apart))
	}
}
