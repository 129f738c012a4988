package flow_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/price"
)

func (s *shop) story(id string) flow.Story {
	s.t.Helper()
	st, err := s.Story(ctx, id)
	ok(s.t, err)
	return st
}

func flipOf(t *testing.T, st flow.Story, fact string) flow.Flip {
	t.Helper()
	for _, f := range st.Flips {
		if f.Fact == fact {
			return f
		}
	}
	t.Fatalf("%s is not among what would have changed it: %+v", fact, st.Flips)
	return flow.Flip{}
}

func factOf(st flow.Story, name string) string {
	for _, f := range st.Facts {
		if f.Name == name {
			return fmt.Sprint(f.Value)
		}
	}
	return "missing"
}

// One point less than the threshold: the smallest change is that one point.
func TestAStoryNamesTheSmallestChange(t *testing.T) {
	s := newShop(t, needy, func(c *config.Config) { c.Offers.NeedHint, c.Offers.NeedHuman = 21, 40 })
	s.staffed(2, "chat")
	s.interested(ada) // 20 points
	st := s.story(s.escalate(ada, "S1").DecisionID)
	want(t, st.Text.En, "We offered nothing of our own accord.")
	want(t, factOf(st, "need"), "20")
	f := flipOf(t, st, "need")
	want(t, fmt.Sprintf("%v %v %s", f.Was, f.Would, f.Then), "20 21 offer hint")
	want(t, fmt.Sprint(flipOf(t, st, "need_hint").Would), "20")
	want(t, st.Replays, flow.ReplayedSame)
	want(t, st.Record.Need.Total, 20)
	path := ""
	for _, p := range st.Path {
		path += fmt.Sprintf(" %s/%s:%s", p.Package, p.Name, p.ID)
	}
	if !strings.Contains(path, " escalate/because:OFFER-NEED ") {
		t.Errorf("the path does not say what held:%s", path)
	}
}

func TestAStoryTellsADenialByWhatWouldHaveAllowedIt(t *testing.T) {
	s := newShop(t)
	q := quote()
	q.Basis, q.Inputs = "dynamic_market", []string{"hour", "device_os"}
	st := s.story(s.judged(q).DecisionID)
	want(t, len(st.Flips), 1)
	f := st.Flips[0]
	want(t, fmt.Sprint(f.Fact, f.Would, f.Then), "quote.inputs[hour]price_allowed true")
	want(t, len(f.Rules), 0)
	if len(st.Reasons) == 0 || st.Reasons[0].LegalBasis == "" || st.Reasons[0].De == "" {
		t.Errorf("reasons are %+v", st.Reasons)
	}

	_, err := s.PutPrices(ctx, rowsOfW5(), nil, backend)
	ok(t, err)
	q = claimed(20) // true is 12 %
	q.OfferCents, q.Announcement.ReferenceCents = 7000, 8000
	st = s.story(s.judged(q).DecisionID)
	for _, f := range st.Flips {
		want(t, f.Then, "claim_allowed true")
	}
	if len(st.Flips) == 0 {
		t.Error("a claim of 20 % of 12 % could not have been changed")
	}
}

func TestWithoutConsentAloneNothingWouldHaveChangedIt(t *testing.T) {
	s := newShop(t, needy)
	st := s.story(s.escalate(ada, "B12").DecisionID)
	for _, f := range st.Flips {
		want(t, f.Fact, "asked") // asking always reaches a human; nothing else alone does
	}
}

// A flip is a promise: asked with that one fact changed, the rules say what it says.
func TestEveryFlipIsTrue(t *testing.T) {
	s := busy(t)
	all, err := s.host.ReadDecisions(ctx)
	ok(t, err)
	digests, documents := s.Policy()
	rules, err := policy.LoadDocument(ctx, documents[digests.Policy], documents[digests.Capabilities])
	ok(t, err)
	checked := 0
	for _, r := range all {
		st := s.story(r.ID)
		if st.Replays != flow.ReplayedSame {
			continue
		}
		for _, f := range st.Flips {
			if strings.Contains(f.Fact, "[") {
				continue
			}
			var in map[string]any
			ok(t, json.Unmarshal(r.Input, &in))
			put(in, strings.Split(f.Fact, "."), f.Would)
			input, err := json.Marshal(in)
			ok(t, err)
			out, err := rules.Replay(ctx, judgedBy[r.Action], input)
			ok(t, err)
			member, value, _ := strings.Cut(f.Then, " ")
			var v map[string]any
			ok(t, json.Unmarshal(out, &v))
			got := fmt.Sprint(v[member])
			if b, isList := v[member].([]any); isList {
				j, _ := json.Marshal(b)
				got = string(j)
			}
			want(t, got, value)
			var was map[string]any
			ok(t, json.Unmarshal(r.Result, &was))
			if fmt.Sprint(was[member]) == fmt.Sprint(v[member]) {
				t.Errorf("%s of %s changes nothing: %v", f.Fact, r.Action, v[member])
			}
			checked++
		}
	}
	if checked < 8 {
		t.Errorf("only %d flips were checked", checked)
	}
}

var judgedBy = map[string]policy.Entry{
	decide.ActionEscalate: policy.EntryEscalate, decide.ActionHandover: policy.EntryHandover, decide.ActionVariant: policy.EntryPersonalise,
	decide.ActionPrice: policy.EntryPricing, decide.ActionCard: policy.EntryCard, decide.ActionConduct: policy.EntryConduct,
}

func put(in map[string]any, path []string, v any) {
	for _, k := range path[:len(path)-1] {
		in = in[k].(map[string]any)
	}
	in[path[len(path)-1]] = v
}

func TestStoriesAreToldOfOneSubjectAlone(t *testing.T) {
	s := newShop(t, needy)
	s.staffed(2, "chat")
	s.interested(ada)
	s.interested(bob)
	s.escalate(ada, "J7")
	s.escalate(bob, "J7")
	s.wait(time.Hour)
	s.escalate(ada, "J7")
	var times []time.Time
	ok(t, s.Stories(ctx, flow.DecisionSearch{AnonymousID: ada}, func(st flow.Story) error {
		want(t, st.Record.Subject, s.subject(consent.Device, ada))
		times = append(times, st.Record.Time)
		return nil
	}))
	want(t, len(times), 2)
	want(t, slices.IsSortedFunc(times, func(a, b time.Time) int { return b.Compare(a) }), true)
	_, err := s.Story(ctx, "019a0000-0000-7000-8000-000000000000")
	faulted(t, err, 404, "decision_id")
}

// rowsOfW5 is 100 normally, 80 last week, now 70 (law.md W5).
func rowsOfW5() []price.Interval {
	return []price.Interval{
		interval("2026-01-01 00:00", "2026-11-14 00:00", 10000, false), interval("2026-11-14 00:00", "2026-11-21 00:00", 8000, false),
		interval("2026-11-21 00:00", "", 7000, true),
	}
}
