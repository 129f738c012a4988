package policy

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// rules loads entries, or all.
func loaded(t testing.TB, entries ...Entry) *Rules {
	t.Helper()
	r, err := Load(context.Background(), Settings{ConfigDigest: "cfg"}, entries...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func judged(t testing.TB, r *Rules, c EventCase) Verdict {
	t.Helper()
	v, err := r.Event(context.Background(), c)
	if err != nil {
		t.Fatalf("%+v: %v", c, err)
	}
	return v
}

func TestCaseSpaceIsEnumerable(t *testing.T) {
	n := 0
	for c := range EnumerateCases() {
		if n%997 == 0 && c.number() != n {
			t.Fatalf("case %d has number %d", n, c.number())
		}
		n++
	}
	t.Logf("the event gate has %d cases", n)
	if n != CaseSpace || n > 1_000_000 {
		t.Errorf("%d cases, want %d and at most 1,000,000", n, CaseSpace)
	}
}

// permitted is what each purpose may keep at most, written down a second time.
var permitted = map[consent.Purpose]string{
	consent.EssentialService:       "items order_key cart_cents currency price_cents",
	consent.Analytics:              "page_type referrer_host category product_id product_class price_cents quantity results cart_cents currency step error_class slot ua_family locale hour_band dwell_ms",
	consent.Experimentation:        "page_type slot decision_id product_id cart_cents",
	consent.PersonalisationContent: "product_id category product_class price_cents quantity items product_variant query_key query_exact results cart_cents order_key currency step error_class slot page_type locale hour_band dwell_ms decision_id",
	consent.AdviserAssist:          "product_id category product_class price_cents quantity items product_variant query_key query_words query_exact results cart_cents order_key currency step error_class decision_id page_type hour_band dwell_ms authenticated",
	consent.AdsThirdParty:          "product_id category page_type",
	consent.ModelTraining:          "product_id category product_class price_cents quantity product_variant results cart_cents currency step error_class slot page_type locale hour_band dwell_ms decision_id",
}

func fieldSet(t *testing.T, names string) (s event.FieldSet) {
	for name := range fieldsOf(names) {
		f, ok := event.FieldNamed(name)
		if !ok {
			t.Fatalf("no field %q", name)
		}
		s = s.With(f)
	}
	return s
}

func fieldsOf(names string) map[string]bool {
	out := map[string]bool{}
	for _, n := range splitWords(names) {
		out[n] = true
	}
	return out
}

// TestGateKeepsItsPromises samples the whole space.
func TestGateKeepsItsPromises(t *testing.T) {
	r, draw := loaded(t, EntryEvent), rand.New(rand.NewPCG(1, 2))
	most := map[consent.Purpose]event.FieldSet{}
	for p, names := range permitted {
		most[p] = fieldSet(t, names)
	}
	allowed := 0
	for n := range 20_000 {
		c := caseNumbered(draw.IntN(CaseSpace))
		v := judged(t, r, c)
		if v.Allowed {
			allowed++
		}
		checkCase(t, c, v, most[c.Purpose])
		for _, worse := range []func(*EventCase){
			func(c *EventCase) { c.GPC = true }, func(c *EventCase) { c.DNT = true }, func(c *EventCase) { c.Tag = TagSpecial },
			func(c *EventCase) { c.Age = "u16" }, func(c *EventCase) { c.Stamp = StampMissing },
		} {
			if d := c; n%20 == 0 && !v.Allowed {
				if worse(&d); judged(t, r, d).Allowed {
					t.Fatalf("%+v is refused, but %+v allowed", c, d)
				}
			}
		}
	}
	t.Logf("%d of 20,000 sampled cases are allowed", allowed)
}

// orderForShop is the one way in without consent.
func orderForShop(c EventCase) bool {
	return c.Purpose == consent.EssentialService && c.Kind.Order() && c.Stamp == StampTrusted
}

func checkCase(t *testing.T, c EventCase, v Verdict, most event.FieldSet) {
	t.Helper()
	inForce := c.State == StateGiven || c.State == StateRenewed
	outranked := slices.Contains([]CaseState{StateSwitchedOff, StateAhead, StateLate, StateRestricted, StateUnlinked}, c.State)
	switch {
	case v.Allowed != (len(v.Rules) == 0):
		t.Fatalf("%+v: allowed %v with rules %v", c, v.Allowed, v.Rules)
	case v.Allowed != (v.Keep != 0):
		t.Fatalf("%+v: allowed %v but keeps %v", c, v.Allowed, v.Keep.Names())
	case v.Keep&^most != 0:
		t.Fatalf("%+v keeps %v too", c, (v.Keep &^ most).Names())
	case v.Allowed && !inForce && !orderForShop(c):
		t.Fatalf("%+v is allowed without consent", c)
	case v.Allowed && outranked:
		t.Fatalf("%+v is allowed", c)
	case v.Allowed && c.Tag == TagSpecial:
		t.Fatalf("%+v is sensitive and allowed", c)
	case v.Allowed && c.Purpose != consent.EssentialService && c.Stamp != StampYes && c.Stamp != StampTrusted:
		t.Fatalf("%+v is allowed though the event does not say yes", c)
	}
}

// What the contract says about the rules of a refusal, one state at a time.
func TestRefusalsNameTheirRules(t *testing.T) {
	r := loaded(t, EntryEvent)
	for _, c := range []struct {
		state CaseState
		stamp Stamp
		want  []string
	}{
		{StateUnknown, StampYes, []string{"CON-01", "CON-11"}},
		{StateUnknown, StampMissing, []string{"CON-11"}},
		{StateGiven, StampMissing, []string{"CON-11"}},
		{StateGiven, StampNo, []string{"CON-11"}},
		{StateGiven, StampSilent, []string{"SIG-10"}},
		{StateRefused, StampNo, []string{"CON-01", "CON-11"}},
		{StateRefused, StampYes, []string{"CON-01", "CON-11"}},
		{StateRefused, StampTrusted, []string{"CON-01"}},
		{StateWithdrawn, StampYes, []string{"CON-10"}},
		{StateRevoked, StampYes, []string{"CON-10"}},
		{StateExpired, StampYes, []string{"CON-12"}},
		{StateInvalidated, StampYes, []string{"CON-06"}},
		{StateBeforeGrant, StampYes, []string{"BAT-02"}},
		{StateUnlinked, StampYes, []string{"CON-14"}},
		{StateRestricted, StampYes, []string{"RGT-07"}},
		{StateLate, StampYes, []string{"BAT-04"}},
		{StateAhead, StampYes, []string{"BAT-04"}},
		{StateSwitchedOff, StampYes, []string{"SWITCH"}},
	} {
		v := judged(t, r, EventCase{Kind: event.ProductViewed, Purpose: consent.Analytics, State: c.state, Stamp: c.stamp, Tag: TagNone})
		if !slices.Equal(v.Rules, c.want) {
			t.Errorf("%s, %s: %v, want %v", c.state, c.stamp, v.Rules, c.want)
		}
	}
}

func TestCaseIsJudgedOnceAndToldOnce(t *testing.T) {
	r := loaded(t, EntryEvent)
	c := EventCase{Kind: event.Page, Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { judged(t, r, c) })
	}
	all.Wait()
	fresh := r.NewCases()
	v := judged(t, r, c)
	if len(fresh) != 1 || len(r.NewCases()) != 0 {
		t.Fatalf("told %d cases, then more", len(fresh))
	}
	if v.ID>>63 != 0 {
		t.Error("the case id does not fit a signed column")
	}
	back, err := ParseCase(fresh[v.ID])
	if err != nil || back != c {
		t.Errorf("got back %+v (%v), want %+v", back, err, c)
	}
}

func TestCaseIDsDiffer(t *testing.T) {
	seen := map[event.CaseID]EventCase{}
	for c := range EnumerateCases() {
		if c.Kind != event.OrderCompleted {
			continue
		}
		b, err := c.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if was, ok := seen[caseID(b)]; ok {
			t.Fatalf("%+v and %+v share an id", was, c)
		}
		seen[caseID(b)] = c
	}
}

func TestUnknownAgeIsSilence(t *testing.T) {
	r := loaded(t, EntryEvent)
	c := EventCase{Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone}
	silent := judged(t, r, c)
	if c.Age = "unknown"; !slices.Equal(judged(t, r, c).Rules, silent.Rules) || judged(t, r, c).ID != silent.ID {
		t.Error("an age never told is not the same as unknown")
	}
}

func TestCaseOutsideTheListsIsRefusedAndNotRemembered(t *testing.T) {
	r := loaded(t, EntryEvent)
	v := judged(t, r, EventCase{Purpose: "explore", State: "maybe", Stamp: "perhaps", Tag: "odd", Age: "7"})
	if v.Allowed || !slices.Contains(v.Rules, "CON-11") || len(r.NewCases()) != 0 {
		t.Errorf("got %+v", v)
	}
}

func FuzzParseCase(f *testing.F) {
	b, _ := EventCase{Kind: event.Page, Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}.MarshalJSON()
	f.Add(string(b))
	f.Add(`{"kind":"odd"}`)
	f.Add(`{"kind":"page","gpc":1}`)
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseCase([]byte(s))
		if err != nil {
			return
		}
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := ParseCase(out); err != nil || again.Kind != c.Kind {
			t.Errorf("%q came back as %+v: %v", out, again, err)
		}
	})
}

// mailed is a row that leaves for an EU mail provider.
func mailed() ExportCase {
	return ExportCase{
		Purpose: consent.MarketingEmail, State: StateGiven, Source: StateGiven, Tag: TagNone, Confirmed: true,
		Recipient: RecipientFact{Registered: true, Role: "processor", Contract: true, Transfer: "none", DeletionTerm: true, Named: true},
	}
}

func TestExportCasesAreRemembered(t *testing.T) {
	r := loaded(t, EntryExport)
	c := mailed()
	for range 2 {
		if v, err := r.Export(context.Background(), c); err != nil || !v.Allowed {
			t.Fatalf("got %+v, %v", v, err)
		}
	}
	for name, change := range map[string]func(*ExportCase){
		"EXP-01": func(c *ExportCase) { c.State = StateRefused }, "EXP-03": func(c *ExportCase) { c.Objection = true },
		"EXP-07": func(c *ExportCase) { c.Small = true }, "BAT-03": func(c *ExportCase) { c.Source = StateWithdrawn },
		"SPC-01": func(c *ExportCase) { c.Tag = TagSpecial }, "EXP-04": func(c *ExportCase) { c.Confirmed = false },
		"EXP-08": func(c *ExportCase) { c.Recipient.Contract = false },
	} {
		d := c
		change(&d)
		if v, err := r.Export(context.Background(), d); err != nil || v.Allowed || !slices.Contains(v.Rules, name) {
			t.Errorf("%s: got %+v, %v", name, v, err)
		}
	}
}

func TestReasonsHaveWordsOfTheirPlace(t *testing.T) {
	r := loaded(t)
	ids := []string{"CON-10", "CON-10", "no such rule", "SWITCH"}
	if got := r.Reasons(ids); len(got) != 2 || got[0].Rule != "CON-10" || got[0].De == "" || got[0].En == "" || got[0].LegalBasis != "Art. 7(3) GDPR" {
		t.Errorf("got %+v", got)
	}
	here, there := r.ReasonsIn(EntryPricing, []string{"SWITCH"}), r.ReasonsIn(EntryEvent, []string{"SWITCH"})
	if here[0].En == there[0].En {
		t.Error("a price and an event are switched off in the same words")
	}
	few := loaded(t, EntryEscalate)
	if got, all := few.Reasons([]string{"ESC-01", "CON-10", "PRI-02"}), r.Reasons([]string{"ESC-01", "CON-10", "PRI-02"}); len(got) != 3 || !slices.Equal(got, all) {
		t.Errorf("a Lambda of one entry knows %+v", got)
	}
	for name := range maps.Keys(few.compiler.Modules) {
		if name != file(shared) && name != file(string(EntryEscalate)) {
			t.Errorf("it compiled %s too", name)
		}
	}
}

func TestJudgedCaseCostsNoAllocation(t *testing.T) {
	r, ctx := loaded(t, EntryEvent), context.Background()
	c := EventCase{Kind: event.Page, Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}
	judged(t, r, c)
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Event(ctx, c) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestNoVerdictIsUsedBeforeItsCaseIsKept holds the list of new cases shut: until a
// case is on it, nobody may get a verdict without judging for themselves.
func TestNoVerdictIsUsedBeforeItsCaseIsKept(t *testing.T) {
	r := loaded(t, EntryEvent)
	c := caseNumbered(0)
	at := r.events.slot(c)
	r.events.mu.Lock()
	var judging sync.WaitGroup
	judging.Go(func() { _, _ = r.Event(context.Background(), c) })
	for range 50 {
		if at.Load() != nil {
			t.Error("a verdict is there whose case nobody can store yet")
			break
		}
		time.Sleep(time.Millisecond)
	}
	r.events.mu.Unlock()
	judging.Wait()
	if v := at.Load(); v == nil || r.NewCases()[v.ID] == nil {
		t.Errorf("verdict %v is without a case", v)
	}
}
