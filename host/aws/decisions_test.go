//go:build awslocal

package aws_test

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

func choice(n int, at time.Time, action string, rules ...string) *decide.Record {
	return &decide.Record{
		ID: fmt.Sprintf("decision-%04d", n), Time: at, Action: action, Rules: rules,
		Input: json.RawMessage(`{"asked":false}`), Result: json.RawMessage(`{"offer":"none"}`),
	}
}

// chained follows each writer's chain and gives the number of writers.
func chained(t *testing.T, all []decide.Record) int {
	t.Helper()
	next, hash := map[string]uint64{}, map[string]string{}
	for _, r := range all {
		if r.N != next[r.Writer]+1 || r.Prev != hash[r.Writer] {
			t.Fatalf("record %d of writer %s does not follow record %d", r.N, r.Writer, next[r.Writer])
		}
		sum := r.Hash()
		next[r.Writer], hash[r.Writer] = r.N, hex.EncodeToString(sum[:])
	}
	return len(next)
}

// A put that may or may not have been kept ends the chain. What was acknowledged is
// there, and nothing has two successors.
func TestADecisionAfterADoubtBeginsAChain(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Clock = func() time.Time { return noon }
	h, line := behind(t, o)
	kept, failed := map[string]bool{}, 0
	for n := range 40 {
		if n%4 == 3 {
			line.left.Store(int64(n % 3)) // of table, stream and list of hours
		}
		r := choice(n, noon.Add(time.Duration(n)*time.Minute), decide.ActionPrice)
		if err := h.AppendDecision(ctx, r); err == nil {
			kept[r.ID] = true
		} else {
			failed++
		}
		line.left.Store(-1)
	}
	g.Flush()
	all, err := h.ReadDecisions(ctx)
	ok(t, err)
	if writers := chained(t, all); failed < 5 || writers < 2 || writers > failed+1 {
		t.Errorf("%d failed, %d writers", failed, writers)
	}
	for _, r := range all {
		delete(kept, r.ID)
	}
	if len(kept) > 0 {
		t.Errorf("acknowledged and gone: %v", kept)
	}
}

func TestAnExpiredDecisionIsNotReadable(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	var mu sync.Mutex
	now := noon
	o.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	o.Retain = aws.Retain{DecisionDays: 30}
	h := opened(t, o)
	old, young := choice(1, noon, decide.ActionVariant), choice(2, noon.AddDate(0, 0, 10), decide.ActionVariant)
	ok(t, h.AppendDecision(ctx, old))
	ok(t, h.AppendDecision(ctx, young))
	readable := func() (ids []string) {
		for _, id := range []string{old.ID, young.ID} {
			if _, err := h.Decision(ctx, id); err == nil {
				ids = append(ids, id)
			} else if !errors.Is(err, flow.ErrNotFound) {
				t.Fatal(err)
			}
		}
		found, _, err := h.SearchDecisions(ctx, flow.DecisionQuery{})
		ok(t, err)
		if len(found) != len(ids) {
			t.Errorf("%v by id, %d by search", ids, len(found))
		}
		return ids
	}
	if ids := readable(); len(ids) != 2 {
		t.Errorf("at first: %v", ids)
	}
	mu.Lock()
	now = noon.AddDate(0, 0, 30).Add(time.Millisecond)
	mu.Unlock()
	if ids := readable(); !slices.Equal(ids, []string{young.ID}) {
		t.Errorf("after 30 days: %v", ids)
	}
}

// Pages go over hours, shards and both tables, and none is missed or comes twice.
func TestASearchGoesThroughDaysPageByPage(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Clock = func() time.Time { return noon.AddDate(0, 0, 4) }
	one, two := opened(t, o), opened(t, o)
	var want []*decide.Record
	for n := range 120 {
		r := choice(n, noon.Add(time.Duration(n*n)*time.Second), []string{decide.ActionPrice, decide.ActionVariant, decide.ActionSwitch}[n%3], fmt.Sprintf("R-%d", n%4))
		ok(t, []*aws.Host{one, two}[n%2].AppendDecision(ctx, r))
		want = append(want, r)
	}
	slices.Reverse(want)
	for _, q := range []flow.DecisionQuery{
		{Limit: 7}, {Limit: 500}, {Limit: 3, Action: decide.ActionVariant}, {Limit: 4, Action: decide.ActionPrice}, {Limit: 5, Rule: "R-2"},
		{Limit: 6, From: noon.Add(time.Hour), To: noon.Add(3 * time.Hour)}, {Limit: 2, Action: decide.ActionPrice, To: noon.Add(time.Minute)},
	} {
		var ids, expect []string
		for _, r := range want {
			if (q.Action == "" || r.Action == q.Action) && (q.Rule == "" || slices.Contains(r.Rules, q.Rule)) &&
				!r.Time.Before(q.From) && (q.To.IsZero() || r.Time.Before(q.To)) {
				expect = append(expect, r.ID)
			}
		}
		for pages := 0; pages < 200; pages++ {
			found, cursor, err := two.SearchDecisions(ctx, q)
			ok(t, err)
			for _, r := range found {
				ids = append(ids, r.ID)
			}
			if q.Cursor = cursor; cursor == "" {
				break
			}
		}
		if !slices.Equal(ids, expect) {
			t.Errorf("%+v: got %d %v\nwant %d %v", q, len(ids), ids, len(expect), expect)
		}
	}
}

// One click that two processes take at once is decided twice and answered twice.
func TestTheSameDecisionTwiceIsNoError(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Clock = func() time.Time { return noon }
	one, two := opened(t, o), opened(t, o)
	ok(t, one.AppendDecision(ctx, choice(1, noon, decide.ActionHandover)))
	ok(t, two.AppendDecision(ctx, choice(1, noon, decide.ActionHandover)))
	other := choice(1, noon, decide.ActionHandover)
	other.Result = json.RawMessage(`{"offer":"human"}`)
	if err := two.AppendDecision(ctx, other); err == nil {
		t.Error("another decision took the id")
	}
	g.Flush()
	all, err := one.ReadDecisions(ctx)
	ok(t, err)
	chained(t, all)
	if r, err := two.Decision(ctx, "decision-0001"); err != nil || string(r.Result) != `{"offer":"none"}` {
		t.Errorf("got %s, %v", r.Result, err)
	}
}

// Whoever judges prices writes nothing where decisions about persons lie.
func TestAPriceDecisionLiesWhereNoPersonIs(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	h := opened(t, o)
	ok(t, h.AppendDecision(ctx, choice(1, noon, decide.ActionPrice)))
	ok(t, h.AppendDecision(ctx, choice(2, noon, decide.ActionMove)))
	about := choice(3, noon, decide.ActionPrice)
	about.Subject = consent.Subject{1, 2, 3}
	ok(t, h.AppendDecision(ctx, about))
	priced, others := contents(t, o, "price-decision"), contents(t, o, "decision")
	for id, in := range map[string]string{"decision-0001": priced, "decision-0002": priced, "decision-0003": others} {
		if !contains(in, id) {
			t.Errorf("%s is not where it belongs", id)
		}
	}
	if contains(others, "decision-0001") || contains(priced, "decision-0003") {
		t.Error("a decision lies in both")
	}
}
