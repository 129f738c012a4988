package hosttest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

var logPromises = []promise{
	{"every acknowledged row is in the log as it was given", func(t *testing.T, h flow.Host) {
		s := someone(t, h)
		rows := []event.Row{row(s, 1, noon), row(s, 2, noon), row(s, 3, noon.Add(time.Second))}
		ok(t, h.AppendEvents(ctx, rows[:2]))
		ok(t, h.AppendEvents(ctx, rows[2:]))
		ok(t, h.AppendEvents(ctx, nil))
		same(t, must(night(t, h).ReadEvents(ctx))(t), rows)
	}},
	{"rows of fifty writers at once are all there, each writer's in order", func(t *testing.T, h flow.Host) {
		s, errs := someone(t, h), make([]error, 50)
		together(50, func(i int) {
			for n := range 5 {
				errs[i] = errors.Join(errs[i], h.AppendEvents(ctx, []event.Row{row(s, i*10+n, noon)}))
			}
		})
		ok(t, errors.Join(errs...))
		next := map[int]int{}
		for _, r := range must(night(t, h).ReadEvents(ctx))(t) {
			n := int(r.MessageKey[1]) + int(r.MessageKey[2])<<8
			if next[n/10] != n%10 {
				t.Fatalf("writer %d: got %d, want %d", n/10, n%10, next[n/10])
			}
			next[n/10]++
		}
		if len(next) != 50 {
			t.Fatalf("rows of %d writers", len(next))
		}
	}},
	{"a case is remembered, and telling it again changes nothing", func(t *testing.T, h flow.Host) {
		want := map[event.CaseID][]byte{1: []byte(`{"a":1}`), 1 << 63: []byte(`{"b":2}`)}
		ok(t, h.PutCases(ctx, want))
		ok(t, h.PutCases(ctx, map[event.CaseID][]byte{1: []byte(`{"a":1}`)}))
		same(t, must(night(t, h).ReadCases(ctx))(t), want)
	}},
	{"counters sum by hour and name", func(t *testing.T, h flow.Host) {
		ok(t, h.Count(ctx, noon, map[string]int64{"admitted": 2, "refused/CON-11": 1}))
		ok(t, h.Count(ctx, noon.Add(59*time.Minute), map[string]int64{"admitted": 3}))
		ok(t, h.Count(ctx, noon.Add(time.Hour), map[string]int64{"admitted": 10, "refused/CON-01": 4}))
		same(t, must(h.Counts(ctx, noon, noon.Add(time.Hour), ""))(t), map[string]int64{"admitted": 5, "refused/CON-11": 1})
		same(t, must(h.Counts(ctx, noon, noon.Add(2*time.Hour), "refused/"))(t), map[string]int64{"refused/CON-01": 4, "refused/CON-11": 1})
		same(t, must(h.Counts(ctx, noon.Add(-time.Hour), noon, ""))(t), map[string]int64{})
	}},
	{"counting at once loses nothing", func(t *testing.T, h flow.Host) {
		errs := make([]error, 40)
		together(40, func(i int) { errs[i] = h.Count(ctx, noon, map[string]int64{"x": 1, "y": int64(i)}) })
		ok(t, errors.Join(errs...))
		same(t, must(h.Counts(ctx, noon, noon.Add(time.Hour), ""))(t), map[string]int64{"x": 40, "y": 780})
	}},
	{"decisions are chained and found by id", func(t *testing.T, h flow.Host) {
		s, errs, ids := someone(t, h), make([]error, 30), make([]string, 30)
		together(30, func(i int) {
			r := decision(s, noon.Add(time.Duration(i)*time.Second), decide.ActionEscalate, "ESC-01")
			errs[i], ids[i] = h.AppendDecision(ctx, &r), r.ID
			if r.N == 0 || r.Writer == "" {
				errs[i] = errors.Join(errs[i], errors.New("writer and n were not set"))
			}
		})
		ok(t, errors.Join(errs...))
		checkChain(t, h, 30) // whoever decides side by side may have a chain of its own
		for _, id := range ids {
			if r := must(h.Decision(ctx, id))(t); r.ID != id || r.Subject != s {
				t.Fatalf("looked for %s, got %s", id, r.ID)
			}
		}
		if _, err := h.Decision(ctx, "no-such-decision"); !errors.Is(err, flow.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
	}},
	{"a search gives what matches, newest first", searchMatches},
	{"a cursor goes through all matches once, while new ones come in", searchPages},
	{"a cursor that is not ours is an error", func(t *testing.T, h flow.Host) {
		for _, c := range []string{"!", "nonsense", "AAAA"} {
			if _, _, err := h.SearchDecisions(ctx, flow.DecisionQuery{Cursor: c}); err == nil {
				t.Fatalf("cursor %q was taken", c)
			}
		}
	}},
	{"a document is kept under its digest", func(t *testing.T, h flow.Host) {
		ok(t, h.PutDocument(ctx, "d1", []byte("policy")))
		ok(t, h.PutDocument(ctx, "d1", []byte("policy")))
		if b := must(h.Document(ctx, "d1"))(t); string(b) != "policy" {
			t.Fatalf("got %q", b)
		}
		if _, err := h.Document(ctx, "d2"); !errors.Is(err, flow.ErrNotFound) {
			t.Fatalf("got %v", err)
		}
	}},
}

func decision(s consent.Subject, at time.Time, action string, rules ...string) decide.Record {
	return decide.Record{
		ID: unique("decision"), Time: at, Action: action, Subject: s, Rules: rules, Binary: "test",
		Input: json.RawMessage(`{"asked":false}`), Result: json.RawMessage(`{"offer":"none"}`),
		Digests: decide.Digests{Policy: "p", Capabilities: "c", Config: "f"},
	}
}

// checkChain reads all records back and follows each writer's chain: from 1, without
// a gap, each record bound to the one before. There are at most as many writers as said.
func checkChain(t *testing.T, h flow.Host, most int) {
	t.Helper()
	type end struct {
		n    uint64
		hash string
	}
	ends := map[string]end{}
	for i, r := range must(night(t, h).ReadDecisions(ctx))(t) {
		if was := ends[r.Writer]; r.N != was.n+1 || r.Prev != was.hash {
			t.Fatalf("record %d: writer %s n %d prev %s, want %d %s", i, r.Writer, r.N, r.Prev, was.n+1, was.hash)
		}
		hash := r.Hash()
		ends[r.Writer] = end{r.N, hex.EncodeToString(hash[:])}
	}
	if len(ends) == 0 || len(ends) > most {
		t.Fatalf("%d writers, want 1 to %d", len(ends), most)
	}
}

func searchMatches(t *testing.T, h flow.Host) {
	ada, bob := someone(t, h), someone(t, h)
	var all []decide.Record
	for i := range 12 {
		r := decision([]consent.Subject{ada, bob, {}}[i%3], noon.Add(time.Duration(i/2)*time.Minute),
			[]string{decide.ActionPrice, decide.ActionVariant}[i%2], fmt.Sprintf("ESC-0%d", i%4), "CON-01")
		ok(t, h.AppendDecision(ctx, &r))
		all = append(all, r)
	}
	for _, q := range []flow.DecisionQuery{
		{}, {Subject: ada}, {Action: decide.ActionPrice}, {Rule: "ESC-03"}, {Rule: "CON-01", Subject: bob},
		{From: noon.Add(2 * time.Minute), To: noon.Add(4 * time.Minute)}, {Action: decide.ActionVariant, Subject: ada, To: noon.Add(3 * time.Minute)},
		{Rule: "PRI-01"}, {Rule: "ESC-0"}, {Limit: 3},
	} {
		var want []string
		for i := len(all) - 1; i >= 0; i-- {
			if matches(q, all[i]) && (q.Limit == 0 || len(want) < q.Limit) {
				want = append(want, all[i].ID)
			}
		}
		got, _, err := h.SearchDecisions(ctx, q)
		ok(t, err)
		same(t, idsOf(got), append([]string{}, want...))
	}
}

func searchPages(t *testing.T, h flow.Host) {
	want := map[string]bool{}
	for i := range 23 {
		r := decision(consent.Subject{}, noon.Add(time.Duration(i%7)*time.Millisecond), decide.ActionPrice, "PRI-01")
		ok(t, h.AppendDecision(ctx, &r))
		want[r.ID] = true
	}
	q := flow.DecisionQuery{Action: decide.ActionPrice, Limit: 5}
	for pages := 0; ; pages++ {
		got, cursor, err := h.SearchDecisions(ctx, q)
		ok(t, err)
		for _, r := range got {
			if !want[r.ID] {
				t.Fatalf("%s came twice, or came late", r.ID)
			}
			delete(want, r.ID)
		}
		late := decision(consent.Subject{}, noon.Add(time.Minute), decide.ActionPrice)
		ok(t, h.AppendDecision(ctx, &late))
		if q.Cursor = cursor; cursor == "" {
			break
		}
	}
	if len(want) > 0 {
		t.Fatalf("%d records were not found", len(want))
	}
}

func idsOf(rs []decide.Record) []string {
	out := []string{}
	for _, r := range rs {
		out = append(out, r.ID)
	}
	return out
}
