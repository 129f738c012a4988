//go:build awslocal

package aws_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// wall lets no request through that it is told to stop.
type wall struct {
	http.Client
	stops func(*http.Request) bool
}

func (w *wall) Do(r *http.Request) (*http.Response, error) {
	if w.stops(r) {
		return nil, errors.New("no answer")
	}
	return w.Client.Do(r)
}

func walled(t *testing.T, o aws.Options, stops func(*http.Request) bool) *aws.Host {
	t.Helper()
	o.Account.HTTP, o.Account.Attempts, o.Sequence = &wall{stops: stops}, 1, 0
	return opened(t, o)
}

// given is a moving shop in which bob gave analytics.
func given(t *testing.T) (*aws.Host, aws.Options, consent.Subject) {
	t.Helper()
	h, o := moving(t)
	bob := someone(t, h, consent.Account, "bob")
	say(t, h, bob, recordThat("given", noon, consent.Account, true, consent.Analytics))
	ok(t, h.Sequence(ctx))
	return h, o, bob
}

// putRight restores and relies on consent again.
func putRight(t *testing.T, o aws.Options) *aws.Host {
	t.Helper()
	x := opened(t, o)
	_, err := x.Restore(ctx)
	ok(t, err)
	ok(t, x.Trust(ctx))
	ok(t, x.Sequence(ctx))
	return x
}

// bobRefused checks that bob objected, and withdrew.
func bobRefused(t *testing.T, h *aws.Host, bob consent.Subject) {
	t.Helper()
	st, err := h.State(ctx, bob)
	if err != nil || !st.Listed(consent.ObjectionList, consent.DirectMarketing) || st.Usable(consent.Analytics, noon) {
		t.Errorf("the objection or the withdrawal is lost: %+v, %v", st, err)
	}
}

// TestANumberOfTheJournalIsUsedOnce: a sequencer marks the tables and cannot write its
// batch. A copy of that moment must not pass for one that knows the next batch.
func TestANumberOfTheJournalIsUsedOnce(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"/journal/", "-ledger/journal"} {
		h, o, bob := given(t)
		ok(t, h.Object(ctx, bob, consent.Profiling, true, noon))
		puts := atomic.Int64{}
		x := walled(t, o, func(r *http.Request) bool { // the first write of the count takes the number
			return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/journal") && part != "/journal/" && puts.Add(1) > 1 ||
				r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/journal/") && part == "/journal/"
		})
		if x.Sequence(ctx) == nil {
			t.Fatal("it was not stopped")
		}
		was := backedUp(t, o)
		ok(t, h.Object(ctx, bob, consent.DirectMarketing, true, noon))
		say(t, h, bob, recordThat("withdrawal", noon, consent.Account, false, consent.Analytics))
		ok(t, h.Sequence(ctx))
		putBack(t, o, was, []string{"book"})
		if _, err := opened(t, o).State(ctx, bob); !errors.Is(err, aws.ErrDistrusted) {
			t.Errorf("%s: the copy is relied on: %v", part, err)
		}
		bobRefused(t, putRight(t, o), bob)
	}
}

// TestWhoCameBackIsFoundAgain: bob is erased and comes back, then the identity map is
// put back, which knows him by the pseudonym that was erased.
func TestWhoCameBackIsFoundAgain(t *testing.T) {
	t.Parallel()
	for _, tables := range [][]string{{"identity"}, {"identity", "book"}} {
		h, o, bob := given(t)
		was := backedUp(t, o)
		_, err := h.Erase(ctx, bob, noon)
		ok(t, err)
		again := someone(t, h, consent.Account, "bob")
		ok(t, h.Object(ctx, again, consent.DirectMarketing, true, noon))
		ok(t, h.Sequence(ctx))
		putBack(t, o, was, tables)
		x := putRight(t, o)
		if s, err := x.Find(ctx, mustID(t, "bob")); err != nil || s != again {
			t.Errorf("%v: bob's identifier leads to %s, want %s: %v", tables, s, again, err)
		}
		bobRefused(t, x, again)
		if all := contents(t, o, "identity") + contents(t, o, "book"); strings.Contains(all, bob.String()) {
			t.Errorf("%v: who was erased is there", tables)
		}
	}
}

// TestWhatWaitsShowsThatATableIsOld: the book or the identity map is put back before
// the journal had a batch since.
func TestWhatWaitsShowsThatATableIsOld(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"record", "objection", "both"} {
		h, o, bob := given(t)
		ok(t, h.Object(ctx, bob, consent.DirectMarketing, true, noon))
		if what == "objection" {
			say(t, h, bob, recordThat("withdrawal", noon, consent.Account, false, consent.Analytics))
		}
		ok(t, h.Sequence(ctx))
		was := backedUp(t, o)
		if what != "record" {
			ok(t, h.Object(ctx, bob, consent.Profiling, true, noon))
		}
		if what != "objection" {
			say(t, h, bob, recordThat("withdrawal", noon, consent.Account, false, consent.Analytics))
		}
		putBack(t, o, was, []string{"book"})
		if x := opened(t, o); x.Sequence(ctx) == nil {
			t.Errorf("%s: the ledger grows on it", what)
		}
		if _, err := opened(t, o).State(ctx, bob); !errors.Is(err, aws.ErrDistrusted) {
			t.Errorf("%s: it is relied on: %v", what, err)
		}
		x := putRight(t, o)
		bobRefused(t, x, bob)
		if st, err := x.State(ctx, bob); err != nil || st.Listed(consent.ObjectionList, consent.Profiling) != (what != "record") {
			t.Errorf("%s: %+v, %v", what, st, err)
		}
		everyLeafHasAFate(t, x)
	}
	h, o, _ := given(t)
	was := backedUp(t, o)
	dora := someone(t, h, consent.Account, "dora")
	putBack(t, o, was, []string{"identity"})
	if opened(t, o).Sequence(ctx) == nil {
		t.Error("nobody misses dora's identifier")
	}
	if s, err := putRight(t, o).Find(ctx, mustID(t, "dora")); err != nil || s != dora {
		t.Errorf("dora's identifier leads to %s, %v", s, err)
	}
}

// TestWhatIsLostWithTheQueueLeavesNoGap: list entries reach the journal, and the book
// and the queue are lost before leaves do.
func TestWhatIsLostWithTheQueueLeavesNoGap(t *testing.T) {
	t.Parallel()
	h, o, bob := given(t)
	was := backedUp(t, o)
	say(t, h, bob, recordThat("withdrawal", noon, consent.Account, false, consent.Analytics))
	ok(t, h.Object(ctx, bob, consent.DirectMarketing, true, noon))
	x := walled(t, o, func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/tile/")
	})
	if x.Sequence(ctx) == nil {
		t.Fatal("the ledger grew")
	}
	putBack(t, o, was, []string{"book", "leaf"})
	bobRefused(t, putRight(t, o), bob)
}

// TestALostCountIsNoReasonToTrust: without the count of the journal nobody knows which
// tables are old.
func TestALostCountIsNoReasonToTrust(t *testing.T) {
	t.Parallel()
	h, o, bob := given(t)
	was := backedUp(t, o)
	ok(t, h.Object(ctx, bob, consent.DirectMarketing, true, noon))
	say(t, h, bob, recordThat("withdrawal", noon, consent.Account, false, consent.Analytics))
	ok(t, h.Sequence(ctx))
	putBack(t, o, was, []string{"book"})
	c := s3.New(s3.Options{Region: awslocal.Region, Credentials: o.Account.Credentials, BaseEndpoint: sdk.String(o.Account.Endpoints["S3"]), UsePathStyle: true})
	_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: sdk.String(o.Buckets + "-ledger"), Key: sdk.String("journal")})
	ok(t, err)
	if _, err := opened(t, o).State(ctx, bob); !errors.Is(err, aws.ErrDistrusted) {
		t.Errorf("it is relied on: %v", err)
	}
	bobRefused(t, putRight(t, o), bob)
}

// TestAnErasureThatStoppedTakesNoLineFromTheJournal: the night must not forget the
// withdrawal of somebody whose erasure is only begun.
func TestAnErasureThatStoppedTakesNoLineFromTheJournal(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	ada := a.person("ada")
	ok(t, a.Sequence(ctx))
	was := backedUp(t, a.o)
	say(t, a.Host, ada, recordThat("withdrawal", a.o.Clock(), consent.Device, false, consent.Analytics, consent.AdviserAssist))
	ok(t, a.Sequence(ctx))
	writes := atomic.Int64{}
	x := walled(t, a.o, func(r *http.Request) bool {
		return strings.HasSuffix(r.Header.Get("X-Amz-Target"), "TransactWriteItems") && writes.Add(1) > 1
	})
	if _, err := x.Erase(ctx, ada, a.o.Clock()); err == nil || !strings.Contains(contents(t, a.o, "book"), "grave#") {
		t.Fatalf("want a grave that was dug, and no more: %v", err)
	}
	a.set(noon.Add(aDay))
	a.night(noon.Add(aDay).Truncate(aDay))
	putBack(t, a.o, was, []string{"book"})
	if st, err := putRight(t, a.o).State(ctx, ada); err != nil || st.Usable(consent.Analytics, noon.Add(aDay)) {
		t.Errorf("the withdrawal is lost: %+v, %v", st, err)
	}
}

// TestALinkThatAnErasureTookStaysAway, although an older one is in the copy.
func TestALinkThatAnErasureTookStaysAway(t *testing.T) {
	t.Parallel()
	h, o, bob := given(t)
	phone, carl := someone(t, h, consent.Device, "the-one-phone-of-bob"), someone(t, h, consent.Account, "carl")
	ok(t, h.Link(ctx, phone, bob, noon))
	ok(t, h.Sequence(ctx))
	was := backedUp(t, o)
	ok(t, h.Link(ctx, phone, carl, noon.Add(1)))
	_, err := h.Erase(ctx, carl, noon)
	ok(t, err)
	ok(t, h.Sequence(ctx))
	putBack(t, o, was, []string{"book"})
	if account, err := putRight(t, o).AccountOf(ctx, phone); err != nil || !account.IsZero() {
		t.Errorf("the phone is linked to %s, %v", account, err)
	}
}

// TestAnObjectionDoesNotWaitBehindLeaves that cannot enter the ledger.
func TestAnObjectionDoesNotWaitBehindLeaves(t *testing.T) {
	t.Parallel()
	h, o, bob := given(t)
	o = aws.InBatchesOf(o, 3)
	for _, id := range []string{"a", "b", "c", "d"} {
		say(t, h, bob, recordThat(id, noon, consent.Account, true, consent.Analytics))
	}
	ok(t, h.Object(ctx, bob, consent.Profiling, true, noon))
	x := walled(t, o, func(r *http.Request) bool {
		return r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/tile/")
	})
	if x.Sequence(ctx) == nil {
		t.Fatal("the ledger grew")
	}
	if strings.Contains(contents(t, o, "leaf"), `"jot"`) {
		t.Error("the objection is not in the journal")
	}
}
