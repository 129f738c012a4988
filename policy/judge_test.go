package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/price"
)

func splitWords(s string) []string { return strings.Fields(s) }

var given = ConsentFact{Status: consent.Given, RecordID: "r1", ProofComplete: true}

// lost is a visitor to whom a human may be offered.
func lost() EscalateInput {
	return EscalateInput{
		Consent: given, Age: "adult", SwitchOn: true, ProductClass: "premium", Need: 50, NeedHint: 20, NeedHuman: 40, Value: 3,
		Features:     map[string]int64{"product_views_max": 4, "basket_idle_seconds": 300, "checkout_errors": 1},
		SinceDismiss: -1, SinceOffer: -1, MinGap: 3600, DismissedFor: 604800, OpenChannels: []string{"chat", "video"},
		HoursOpen: true, Capacity: 2, CostCents: 900, Speaker: "machine", Disclosed: true, Significance: "low",
	}
}

// quote is a personalised price that may be shown.
func quote() PriceInput {
	return PriceInput{
		Quote: price.Quote{
			Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", Customer: "consumer", ListCents: 10000, OfferCents: 9200,
			VATBP: 1900, Basis: "personalised", Inputs: []string{"stock"}, Disclosed: true, Announcement: price.Announcement{Kind: "none"},
		},
		Facts:        price.Facts{DeadlineTrue: true, StockTrue: true},
		Personalised: true, ConsentGiven: true, Significance: "low",
	}
}

func call() ConsentInput {
	return ConsentInput{
		Method: "save", DefaultState: "off", Asked: map[consent.Purpose]bool{consent.Analytics: true},
		PurposesShown: []consent.Purpose{consent.Analytics}, Scope: consent.Device, NoticeComplete: true, RejectEqual: true, Age: "adult",
		NoticeElements: []string{"controller", "purposes", "data", "recipients", "duration", "transfers", "withdrawal"},
		RejectFirst:    true, Equal: true, AcceptClicks: 1, RejectClicks: 1, WithdrawClicks: 1,
	}
}

// first is a banner for somebody who never decided.
func first() PromptInput {
	return PromptInput{Purposes: map[consent.Purpose]PromptFact{consent.Analytics: {MonthsSinceNo: -1, Status: consent.Unknown}}, ReaskMonths: 6}
}

func choice() VariantInput {
	return VariantInput{
		Slot: "home_hero", Consent: given, Experiment: given, Age: "adult", SwitchOn: true, Locale: "de", UsesProfile: true,
		SlotKind: "content", Test: TestFact{Registered: true, Running: true}, Significance: "none",
		Candidates: []VariantFact{{ID: "v00", Default: true, LocaleOK: true, StockOK: true}, {ID: "v01", LocaleOK: true, StockOK: true}},
	}
}

func TestEveryEntryAnswersThroughGo(t *testing.T) {
	r, ctx := loaded(t), context.Background()
	if v, _, err := r.Escalate(ctx, lost()); err != nil || v.Offer != "human" || !slices.Equal(v.Channels, []string{"chat", "video"}) {
		t.Errorf("escalate: %+v, %v", v, err)
	}
	if v, _, err := r.Escalate(ctx, EscalateInput{Asked: true, OpenChannels: []string{"call"}}); err != nil || v.Offer != "human" || !slices.Equal(v.Rules, []string{"ESC-03"}) {
		t.Errorf("asked: %+v, %v", v, err)
	}
	click := HandoverInput{TokenValid: true, SwitchOn: true, Channel: "chat", Offered: []string{"chat"}, Open: []string{"chat"}}
	if v, _, err := r.Handover(ctx, click); err != nil || !v.Allowed {
		t.Errorf("handover: %+v, %v", v, err)
	}
	ask := CardInput{Role: "adviser", Open: true, Assigned: true, Blocks: map[string]ConsentFact{"question": {}, "orders": given, "cart": {}}}
	if v, _, err := r.Card(ctx, ask); err != nil || !slices.Equal(v.Shown, []string{"orders", "question"}) || !slices.Equal(v.Hidden["cart"], []string{"CON-11"}) {
		t.Errorf("card: %+v, %v", v, err)
	}
	if v, _, err := r.Variant(ctx, choice()); err != nil || v.Mode != "profile" || !v.Sticky || len(v.Eligible) != 2 {
		t.Errorf("variant: %+v, %v", v, err)
	}
	if v, _, err := r.Price(ctx, quote()); err != nil || !v.PriceAllowed || !v.ClaimAllowed || !slices.Equal(v.Disclosures, []string{"personalised_price"}) {
		t.Errorf("price: %+v, %v", v, err)
	}
	if v, err := r.Consent(ctx, call()); err != nil || !slices.Equal(v.Given, []consent.Purpose{consent.Analytics}) || len(v.Refused) != 0 {
		t.Errorf("consent: %+v, %v", v, err)
	}
}

func TestABannerWaitsMonthsAfterANo(t *testing.T) {
	r, ctx, banner := loaded(t), context.Background(), first()
	if v, err := r.Prompt(ctx, banner); err != nil || !slices.Equal(v.Ask, []consent.Purpose{consent.Analytics}) || len(v.Rules) != 0 {
		t.Errorf("first: %+v, %v", v, err)
	}
	banner.Purposes[consent.Analytics] = PromptFact{Status: consent.Refused, MonthsSinceNo: 0}
	if v, err := r.Prompt(ctx, banner); err != nil || len(v.Ask) != 0 || !slices.Equal(v.Withheld[consent.Analytics], []string{"CON-12"}) {
		t.Errorf("after three weeks: %+v, %v", v, err)
	}
}

// TestDroppedFactRefuses takes each top-level fact out of an input that is
// allowed. What still allows is what no rule reads to refuse.
func TestDroppedFactRefuses(t *testing.T) {
	r := loaded(t)
	full := func(v ast.Value, _ []byte) ast.Object { return v.(ast.Object) }
	event := EventCase{Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}.facts()
	export := mailed()
	export.Age = "adult"
	offer, said, show, offered := lost(), call(), choice(), quote()
	click := HandoverInput{TokenValid: true, SwitchOn: true, Channel: "chat", Offered: []string{"chat"}, Open: []string{"chat"}}
	ask := CardInput{Role: "adviser", Open: true, Assigned: true}
	banner := first()
	move := MoveInput{Move: price.Move{Product: "B12", MovesDay: 1}}
	record := ConductInput{Act: "record", Role: "adviser", Open: true, Recording: RecordingFact{Kind: "audio", Consent: given,
		Participants: []ParticipantFact{{Who: "visitor", Agreed: true, Before: true}, {Who: "adviser", Agreed: true, Before: true}}}}
	for e, c := range map[Entry]struct {
		input   ast.Object
		allowed func(ast.Object) bool
		unread  string
	}{
		EntryEvent:    {full(facts(&event)), flagged("allowed"), ""},
		EntryExport:   {full(facts(&export)), flagged("allowed"), "customer"},
		EntryHandover: {full(facts(&click)), flagged("allowed"), "asked disclosed"},
		EntryCard:     {full(facts(&ask)), flagged("allowed"), "blocks fields"},
		EntryConduct:  {full(facts(&record)), flagged("allowed"), "assigned objected"}, // both are about calls
		EntryConsent: {full(facts(&said)), func(o ast.Object) bool { return o.Get(ast.StringTerm("given")).Value.(ast.Set).Len() > 0 },
			"conflict_shown parental scope"},
		// A premium product needs no hint first; value ranks, it never refuses; what is not significant needs no ground.
		EntryEscalate: {full(facts(&offer)), func(o ast.Object) bool { return o.Get(ast.StringTerm("offer")).Equal(ast.StringTerm("human")) },
			"art22_ground asked events_after_hint value"},
		EntryPersonalise: {full(facts(&show)), func(o ast.Object) bool { return o.Get(ast.StringTerm("mode")).Equal(ast.StringTerm("profile")) },
			"art22_ground candidates experiment locale logged_in slot"},
		EntryPricing: {full(facts(&offered)), flagged("price_allowed"), "art22_ground"},
		EntryMoves:   {full(facts(&move)), flagged("allowed"), "signed_off"},
		EntryPrompt:  {full(facts(&banner)), func(o ast.Object) bool { return o.Get(ast.StringTerm("ask")).Value.(ast.Set).Len() > 0 }, ""},
	} {
		t.Run(string(e), func(t *testing.T) {
			a, err := r.ask(context.Background(), e, c.input)
			if err != nil || !c.allowed(a.o) {
				t.Fatalf("the whole input is refused: %v, %v", a.o, err)
			}
			var unread []string
			for _, key := range c.input.Keys() {
				less, _ := c.input.Map(func(k, v *ast.Term) (*ast.Term, *ast.Term, error) { return k, v, nil })
				rest := ast.NewObject()
				less.Foreach(func(k, v *ast.Term) {
					if !k.Equal(key) {
						rest.Insert(k, v)
					}
				})
				if a, err := r.ask(context.Background(), e, rest); err == nil && c.allowed(a.o) {
					unread = append(unread, string(key.Value.(ast.String)))
				}
			}
			slices.Sort(unread)
			if !slices.Equal(unread, strings.Fields(c.unread)) {
				t.Errorf("allowed without %v, want only without %v", unread, c.unread)
			}
		})
	}
}

func flagged(name string) func(ast.Object) bool {
	return func(o ast.Object) bool { return o.Get(ast.StringTerm(name)).Equal(ast.BooleanTerm(true)) }
}

// broken loads rules of which one package was replaced.
func broken(t *testing.T, e Entry, text string) *Rules {
	t.Helper()
	files := map[string]string{file(string(e)): text}
	r, err := loadWith(context.Background(), files, Settings{}, []Entry{e})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestUndefinedEmptyAndFailedResultsRefuse(t *testing.T) {
	ctx := context.Background()
	for name, text := range map[string]string{
		"undefined":      "package %s\nverdict := {} if input.need == -1",
		"empty":          "package %s\nverdict := {}",
		"no object":      "package %s\nverdict := true",
		"another type":   `package %s` + "\n" + `verdict := {"allowed": "true", "offer": 1, "rules": {1}, "keep": true, "night": [], "mode": 1, "given": 1, "refused": [], "price_allowed": 1}`,
		"builtin failed": `package %s` + "\n" + `verdict := {"allowed": 1 / count([x | x := input.nothing]) > 0, "rules": set()}`,
		"conflict":       `package %s` + "\n" + `verdict := {"allowed": true}` + "\n" + `verdict := {"allowed": false}`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, e := range Entries {
				r := broken(t, e, strings.ReplaceAll(text, "%s", string(e)))
				refused, err := refusal(ctx, r, e)
				if err == nil || !refused {
					t.Errorf("%s: refused %v, error %v", e, refused, err)
				}
			}
		})
	}
}

func TestFieldThatNobodyKnowsRefuses(t *testing.T) {
	r := broken(t, EntryEvent, "package minimise\n"+`verdict := {"allowed": true, "keep": {"surname"}, "rules": set(), "night": set()}`)
	if refused, err := refusal(context.Background(), r, EntryEvent); err == nil || !refused {
		t.Errorf("refused %v, error %v", refused, err)
	}
}

// refusal asks an entry for something that it would allow, and says whether the
// answer alone, without the error, is a refusal.
func refusal(ctx context.Context, r *Rules, e Entry) (bool, error) {
	switch e {
	case EntryEvent:
		v, err := r.Event(ctx, EventCase{Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone})
		return !v.Allowed && v.Keep == 0, err
	case EntryExport:
		v, err := r.Export(ctx, mailed())
		return !v.Allowed, err
	case EntryConsent:
		v, err := r.Consent(ctx, call())
		return len(v.Given) == 0, err
	case EntryEscalate:
		v, _, err := r.Escalate(ctx, lost())
		return v.Offer == "none", err
	case EntryHandover:
		v, _, err := r.Handover(ctx, HandoverInput{})
		return !v.Allowed, err
	case EntryCard:
		v, _, err := r.Card(ctx, CardInput{})
		return !v.Allowed && len(v.Shown) == 0, err
	case EntryPrompt:
		v, err := r.Prompt(ctx, first())
		return len(v.Ask) == 0, err
	case EntryPersonalise:
		v, _, err := r.Variant(ctx, choice())
		return v.Mode == "default" && len(v.Eligible) == 0, err
	}
	if e == EntryMoves {
		v, _, err := r.Move(ctx, MoveInput{SignedOff: true})
		return !v.Allowed, err
	}
	v, _, err := r.Price(ctx, quote())
	return !v.PriceAllowed && !v.ClaimAllowed, err
}

func TestCancelledQuestionNeverSaysYesWithAnError(t *testing.T) {
	r := loaded(t, EntryEvent)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v, err := r.Event(ctx, EventCase{Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone})
	if v.Allowed && err != nil {
		t.Errorf("got %+v with %v", v, err)
	}
}

func TestEntryThatIsNotLoadedRefuses(t *testing.T) {
	r := loaded(t, EntryEvent)
	if v, _, err := r.Price(context.Background(), quote()); err == nil || v.PriceAllowed {
		t.Errorf("got %+v, %v", v, err)
	}
	if _, err := Load(context.Background(), Settings{}, "no such entry"); err == nil {
		t.Error("an unknown entry was loaded")
	}
}

func TestSettingsReachTheRules(t *testing.T) {
	in := quote()
	in.Quote.OfferCents = 9000
	for bp, want := range map[int64]bool{0: true, 1000: true, 999: false} {
		r, err := Load(context.Background(), Settings{MaxDiscountBP: bp}, EntryPricing)
		if err != nil {
			t.Fatal(err)
		}
		if v, _, err := r.Price(context.Background(), in); err != nil || v.PriceAllowed != want {
			t.Errorf("max discount %d: %+v, %v", bp, v, err)
		}
	}
}

func TestDigestsNameWhatWasJudged(t *testing.T) {
	all, one := loaded(t), loaded(t, EntryEscalate)
	if all.Digests() != one.Digests() {
		t.Error("the digests depend on the entries loaded")
	}
	if all.Digests().Config != "cfg" {
		t.Errorf("config digest %q", all.Digests().Config)
	}
	for d, b := range all.Documents() {
		if digest(b) != d {
			t.Errorf("the document of %s has digest %s", d, digest(b))
		}
	}
	other, err := Load(context.Background(), Settings{MaxDiscountBP: 1}, EntryEscalate)
	if err != nil {
		t.Fatal(err)
	}
	if other.Digests().Policy == all.Digests().Policy {
		t.Error("other settings have the same digest")
	}
}

// What is recorded is what was judged: the input's bytes say the same as the
// value, read back they give the same verdict, and they are canonical.
func TestRecordedInputReplays(t *testing.T) {
	r, ctx := loaded(t, EntryEscalate, EntryPricing), context.Background()
	rapid.Check(t, func(t *rapid.T) {
		in := lost()
		in.Asked = rapid.Bool().Draw(t, "asked")
		in.Need = rapid.Int64Range(-5, 100).Draw(t, "need")
		in.ProductClass = rapid.SampledFrom([]string{"", "simple", "standard", "premium"}).Draw(t, "class")
		in.Features = rapid.MapOf(rapid.String(), rapid.Int64()).Draw(t, "features")
		in.OpenChannels = rapid.SliceOf(rapid.String()).Draw(t, "channels")
		in.Holdout = rapid.Bool().Draw(t, "holdout")
		v, res, err := r.Escalate(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		var again EscalateInput
		if err := json.Unmarshal(res.Input, &again); err != nil {
			t.Fatalf("%s: %v", res.Input, err)
		}
		w, twice, err := r.Escalate(ctx, again)
		if err != nil || !reflect.DeepEqual(v, w) || !bytes.Equal(res.Input, twice.Input) || !bytes.Equal(res.Output, twice.Output) {
			t.Fatalf("replay differs:\n%+v %s\n%+v %s\n%v", v, res.Input, w, twice.Input, err)
		}
	})
}

func TestRecordedBytesAreCanonical(t *testing.T) {
	in := quote()
	in.Quote.Announcement.Since = time.Date(2026, 11, 21, 0, 0, 0, 5000, time.FixedZone("CET", 3600))
	in.Quote.Product, in.Quote.Channel = "Ä\"\\\n\u2028<&>😀\x01", "bad\xff"
	_, b := facts(&in)
	want, err := decide.Canonical(json.RawMessage(b))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b, want) {
		t.Errorf("got  %s\nwant %s", b, want)
	}
	value, _ := facts(&in)
	judgedValue, err := ast.JSON(value)
	if err != nil {
		t.Fatal(err)
	}
	var kept any
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&kept); err != nil || !reflect.DeepEqual(kept, judgedValue) {
		t.Errorf("kept   %v\njudged %v (%v)", kept, judgedValue, err)
	}
}

func TestValueNeverChangesAnOffer(t *testing.T) {
	r := loaded(t, EntryEscalate)
	rapid.Check(t, func(t *rapid.T) {
		in := lost()
		in.Need = rapid.Int64Range(0, 60).Draw(t, "need")
		in.Value = 0
		low, _, err := r.Escalate(context.Background(), in)
		in.Value = 5
		high, _, err2 := r.Escalate(context.Background(), in)
		if err := errors.Join(err, err2); err != nil || !reflect.DeepEqual(low, high) {
			t.Fatalf("%+v, %+v, %v", low, high, err)
		}
	})
}

// What nobody listed cannot set a price, whatever its spelling.
func TestUnlistedPriceInputDenies(t *testing.T) {
	r := loaded(t, EntryPricing)
	listed := strings.Fields("hour weekday date stock cost competitor demand_aggregate expiry quantity basket_value contract membership delivery_vat")
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"Hour", "stock ", "STOCK", "device", "ip_country", "sto\u0441k"})).Draw(t, "name")
		in := quote()
		in.Quote.Basis, in.Quote.Inputs = "static", []string{"stock", name}
		v, _, err := r.Price(context.Background(), in)
		if err != nil || v.PriceAllowed != slices.Contains(listed, name) {
			t.Fatalf("%q: %+v, %v", name, v, err)
		}
	})
}

func TestShapesKnowEveryFactOnce(t *testing.T) {
	for e, in := range inputs(t) {
		names := map[string]bool{}
		for _, p := range shapeOf(reflect.TypeOf(in).Elem()) {
			names[p.name] = true
		}
		if want := reflect.TypeOf(in).Elem().NumField(); len(names) != want {
			t.Errorf("%s: %d names for %d fields: %v", e, len(names), want, slices.Sorted(maps.Keys(names)))
		}
	}
}
