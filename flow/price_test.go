package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

func berlin(day string) time.Time {
	l, _ := time.LoadLocation("Europe/Berlin")
	t, err := time.ParseInLocation("2006-01-02 15:04", day, l)
	if err != nil {
		panic(err)
	}
	return t
}

func interval(from, to string, cents int64, announced bool) price.Interval {
	i := price.Interval{Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", From: berlin(from), GrossCents: cents, Announced: announced}
	if to != "" {
		i.To = berlin(to)
	}
	return i
}

// quote is design.md's example without its claim.
func quote() price.Quote {
	return price.Quote{
		Product: "B12", Storefront: "de", Channel: "web", Currency: "EUR", Customer: "consumer", ListCents: 10000, OfferCents: 8000,
		VATBP: 1900, Basis: "static", Inputs: []string{"stock"},
	}
}

func claimed(pct int64) price.Quote {
	q := quote()
	q.Announcement = price.Announcement{Kind: "percent", Percent: pct, Since: berlin("2026-11-21 00:00"), Label: "30d_low", ReferenceCents: 10000}
	return q
}

func (s *shop) judged(q price.Quote) flow.PriceAnswer {
	s.t.Helper()
	a, err := s.Price(ctx, []price.Quote{q}, backend)
	ok(s.t, err)
	return a[0]
}

func TestAForbiddenClaimLeavesThePrice(t *testing.T) {
	s := newShop(t)
	_, err := s.PutPrices(ctx, []price.Interval{
		interval("2026-01-01 00:00", "2026-11-02 10:00", 10000, false), interval("2026-11-02 10:00", "2026-11-02 12:00", 7900, false),
		interval("2026-11-02 12:00", "2026-11-21 00:00", 10000, false), interval("2026-11-21 00:00", "", 8000, true),
	}, nil, backend)
	ok(t, err)
	a := s.judged(claimed(20))
	want(t, a.Price, flow.PriceVerdict{Allowed: true, Cents: 8000})
	want(t, a.Claim.Allowed, false)
	want(t, *a.Claim.LowCents, 7900)
	if a.Claim.MaxPercent != nil {
		t.Errorf("a price above the low has a maximal percentage, %d", *a.Claim.MaxPercent)
	}
	if !strings.Contains(rulesOf(a.Reasons), "PRI-02") {
		t.Errorf("reasons are %q", rulesOf(a.Reasons))
	}
	want(t, len(s.decisions(decide.ActionPrice)), 1)
	want(t, s.decisions(decide.ActionPrice)[0].ID, a.DecisionID)
}

func TestATrueClaimStands(t *testing.T) {
	s := newShop(t)
	_, err := s.PutPrices(ctx, []price.Interval{
		interval("2026-01-01 00:00", "2026-11-21 00:00", 10000, false), interval("2026-11-21 00:00", "", 8000, true),
	}, nil, backend)
	ok(t, err)
	a := s.judged(claimed(20))
	want(t, a.Claim.Allowed, true)
	want(t, *a.Claim.LowCents, 10000)
	want(t, *a.Claim.MaxPercent, 20)
	want(t, s.judged(claimed(21)).Claim.Allowed, false)
}

func TestTwoPersonsCannotPayDifferentPrices(t *testing.T) {
	s := newShop(t)
	for _, input := range []string{"device", "device_os", "ip_country", "city", "visit_count", "segment", "Device", "stock ", "consent_status", "user_agent"} {
		q := quote()
		q.Inputs = append(q.Inputs, input)
		a := s.judged(q)
		want(t, a.Price, flow.PriceVerdict{Allowed: false, Cents: 10000})
		if !strings.Contains(strings.Join(a.Rules, " "), "PRI-") {
			t.Errorf("%q: rules are %v", input, a.Rules)
		}
	}
}

// A quote's record has no number that leads to a person, however a shop writes it.
func TestAPriceRecordKeepsNoReferenceAndNoForeignName(t *testing.T) {
	s := newShop(t)
	const canary = "4711-ADA-LOVELACE"
	q := quote()
	q.Basis, q.Inputs = "contract", []string{"stock", "contract", canary, strings.Repeat("visitor-ada ", 2000)}
	q.Reductions = []price.Reduction{{Kind: "contract", Reference: canary, Audience: "individual"}, {Kind: "bundle", Audience: "public", Marked: true}}
	q.ConsentID = canary
	a := s.judged(q)
	want(t, a.Price.Allowed, false)
	want(t, slices.Contains(a.Rules, "PRI-15"), false) // the contract is named
	r := s.decisions(decide.ActionPrice)[0]
	b, err := json.Marshal(r)
	ok(t, err)
	want(t, strings.Contains(string(b), canary) || strings.Contains(string(b), "visitor-ada"), false)
	want(t, strings.Contains(string(r.Input), `"inputs":["stock","contract","other","other"]`), true)
	want(t, strings.Contains(string(r.Input), `"reference":"present"`) && strings.Contains(string(r.Input), `"reference":""`), true)
	want(t, q.Inputs[2]+q.Reductions[0].Reference, canary+canary) // the caller's quote is as it was

	q.Inputs = q.Inputs[:2]
	want(t, s.judged(q).Price.Allowed, true)
	q.Inputs = make([]string, 65)
	_, err = s.Price(ctx, []price.Quote{q}, backend)
	faulted(t, err, 422, "inputs")
	q.Inputs, q.Reductions = nil, make([]price.Reduction, 65)
	_, err = s.Price(ctx, []price.Quote{q}, backend)
	faulted(t, err, 422, "reductions")
}

func TestTheClosedListOfInputsIsThePolicys(t *testing.T) {
	s := newShop(t)
	for _, name := range price.Inputs {
		q := quote()
		q.Basis, q.Inputs = "contract", []string{name}
		q.Reductions = []price.Reduction{{Kind: "contract", Reference: "A-7", Audience: "individual"}}
		want(t, s.judged(q).Price.Allowed, true)
	}
}

// PRI-15: goods whose price the law fixes cost everybody the list price.
func TestARegulatedPriceHasNoOffer(t *testing.T) {
	s := newShop(t, func(c *config.Config) { c.Prices.Regulated = []string{"Cameras"} })
	a := s.judged(quote())
	want(t, a.Price, flow.PriceVerdict{Allowed: false, Cents: 10000})
	want(t, slices.Contains(a.Rules, "PRI-15"), true)
	q := quote()
	q.OfferCents = q.ListCents
	want(t, s.judged(q).Price.Allowed, true)
	q = quote()
	q.Product = "S1"
	want(t, s.judged(q).Price.Allowed, true)
}

func TestAPersonalisedPriceNeedsConfigurationSwitchDisclosureAndConsent(t *testing.T) {
	personal := func(record string) price.Quote {
		q := quote()
		q.Basis, q.OfferCents, q.Inputs, q.Disclosed, q.ConsentID = "personalised", 9200, nil, true, record
		return q
	}
	on := func(c *config.Config) { c.Prices.Personalised = true }
	t.Run("all four", func(t *testing.T) {
		s := newShop(t, on)
		record := s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID
		a := s.judged(personal(record))
		want(t, a.Price, flow.PriceVerdict{Allowed: true, Cents: 9200})
		want(t, strings.Join(a.Disclosures, " "), "personalised_price")
		if r := s.decisions(decide.ActionPrice)[0]; strings.Contains(string(r.Input), record) || !r.Subject.IsZero() {
			t.Error("the price decision leads to the person")
		}
		s.grantAccount(adaAcc, consent.PersonalisedPrice) // renewed by a later record: still in force
		want(t, s.judged(personal(record)).Price.Allowed, true)
		call := says("", false, consent.PersonalisedPrice)
		call.UserID = adaAcc
		_, err := s.Consent(ctx, call, backend)
		ok(t, err)
		want(t, s.judged(personal(record)).Price, flow.PriceVerdict{Allowed: false, Cents: 10000})
		s.wait(time.Minute)
		s.grantAccount(adaAcc, consent.PersonalisedPrice) // a new grant: the old record does not speak for it
		want(t, s.judged(personal(record)).Price.Allowed, false)
	})
	for name, run := range map[string]func(*testing.T) bool{
		"off by default": func(t *testing.T) bool {
			s := newShop(t)
			return s.judged(personal(s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID)).Price.Allowed
		},
		"switched off": func(t *testing.T) bool {
			s := newShop(t, on)
			_, err := s.PutSwitch(ctx, flow.SwitchPersonalised, flow.SwitchCall{Reason: "drill"}, ops)
			ok(t, err)
			return s.judged(personal(s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID)).Price.Allowed
		},
		"a device's consent": func(t *testing.T) bool {
			s := newShop(t, on)
			return s.judged(personal(s.grant(ada, consent.PersonalisedPrice).RecordID)).Price.Allowed
		},
		"a record of something else": func(t *testing.T) bool {
			s := newShop(t, on)
			return s.judged(personal(s.grantAccount(adaAcc, consent.Analytics).RecordID)).Price.Allowed
		},
		"no record": func(t *testing.T) bool { return newShop(t, on).judged(personal("0193-none")).Price.Allowed },
		"not named": func(t *testing.T) bool { return newShop(t, on).judged(personal("")).Price.Allowed },
		"not so long": func(t *testing.T) bool {
			s := newShop(t, on)
			record := s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID
			s.wait(366 * 24 * time.Hour)
			return s.judged(personal(record)).Price.Allowed
		},
	} {
		t.Run(name, func(t *testing.T) { want(t, run(t), false) })
	}
}

func TestAQuoteNamesTheFieldThatIsWrong(t *testing.T) {
	s := newShop(t)
	for field, change := range map[string]func(*price.Quote){
		"list_cents":             func(q *price.Quote) { q.ListCents = -1 },
		"offer_cents":            func(q *price.Quote) { q.OfferCents = -1 },
		"basis":                  func(q *price.Quote) { q.Basis = "mood" },
		"customer":               func(q *price.Quote) { q.Customer = "" },
		"currency":               func(q *price.Quote) { q.Currency = "eur" },
		"product_id":             func(q *price.Quote) { q.Product = "" },
		"vat_bp":                 func(q *price.Quote) { q.VATBP = 10001 },
		"announcement.kind":      func(q *price.Quote) { q.Announcement.Kind = "shouting" },
		"announcement.pct":       func(q *price.Quote) { q.Announcement = claimed(101).Announcement },
		"announcement.since":     func(q *price.Quote) { q.Announcement = price.Announcement{Kind: "percent", Percent: 1, Label: "uvp"} },
		"reductions[0].kind":     func(q *price.Quote) { q.Reductions = []price.Reduction{{Kind: "mood", Audience: "public"}} },
		"reductions[0].audience": func(q *price.Quote) { q.Reductions = []price.Reduction{{Kind: "coupon", Audience: "me"}} },
	} {
		q := quote()
		change(&q)
		_, err := s.Price(ctx, []price.Quote{q}, backend)
		faulted(t, err, 422, field)
		_, err = s.Price(ctx, []price.Quote{quote(), q}, backend)
		faulted(t, err, 422, "quotes[1]."+field)
	}
	want(t, len(s.decisions(decide.ActionPrice)), 0)
	_, err := s.Price(ctx, []price.Quote{quote()}, browser)
	faulted(t, err, 403, "credential")
}

func TestQuotesAreAnsweredInOrder(t *testing.T) {
	s := newShop(t)
	qs := []price.Quote{quote(), quote(), quote()}
	for i := range qs {
		qs[i].OfferCents = int64(7000 + i)
	}
	as, err := s.Price(ctx, qs, backend)
	ok(t, err)
	for i, a := range as {
		want(t, a.Price.Cents, int64(7000+i))
	}
	want(t, len(s.decisions(decide.ActionPrice)), 3)
}

func TestFeedsNameTheRowThatIsWrong(t *testing.T) {
	s := newShop(t)
	_, err := s.PutPrices(ctx, []price.Interval{interval("2026-01-01 00:00", "2026-03-01 00:00", 100, false)}, nil, backend)
	ok(t, err)
	_, err = s.PutPrices(ctx, []price.Interval{interval("2026-02-01 00:00", "2026-04-01 00:00", 100, false)}, nil, backend)
	faulted(t, err, 422, "prices")
	_, err = s.PutPrices(ctx, []price.Interval{interval("2026-05-01 00:00", "2026-04-01 00:00", 100, false)}, nil, backend)
	faulted(t, err, 422, "prices[0].to")
	_, err = s.PutPrices(ctx, nil, nil, backend)
	faulted(t, err, 422, "prices")
	_, err = s.PutProducts(ctx, nil, browser)
	faulted(t, err, 403, "credential")
}

func TestAProductNamesTheFieldThatIsWrong(t *testing.T) {
	s := newShop(t)
	for field, change := range map[string]func(*event.Product){
		"product_id":    func(p *event.Product) { p.ID = "" },
		"category":      func(p *event.Product) { p.Category = strings.Repeat("x", 300) },
		"product_class": func(p *event.Product) { p.Class = "luxury" },
		"price_cents":   func(p *event.Product) { p.PriceCents = -1 },
		"stock":         func(p *event.Product) { p.Stock = -1 },
		"tags":          func(p *event.Product) { p.Tags = []string{"expensive"} },
		"product_id ":   func(p *event.Product) { p.ID = "N1" }, // a second time
	} {
		good := event.Product{ID: "N1", Category: "new", Class: "standard", PriceCents: 1, Stock: 1}
		bad := good
		bad.ID = "N2"
		change(&bad)
		_, err := s.PutProducts(ctx, []event.Product{good, bad}, backend)
		faulted(t, err, 422, "products[1]."+strings.TrimSpace(field))
	}
	_, err := s.host.Product(ctx, "N1")
	if err == nil {
		t.Error("half of a feed was stored")
	}
}

func TestANewProductCountsAtOnce(t *testing.T) {
	s := newShop(t, hero)
	_, err := s.PutProducts(ctx, []event.Product{{ID: "B12", Category: "cameras", Class: "premium", Stock: 0}}, backend)
	ok(t, err)
	for range 100 {
		if v := s.variant("", "de").Variant; v == "in-stock" {
			t.Fatal("a variant of a sold-out product was drawn")
		}
	}
}

// R48: a fall beyond the shop's own limit is stored only with a person's name.
func TestASteepFallNeedsAPerson(t *testing.T) {
	s := newShop(t, func(c *config.Config) { c.Prices.Guard = config.Guard{MaxDropBP: 3000, MaxMovesDay: 2} })
	was := interval("2026-01-01 00:00", "2026-11-01 00:00", 10000, false)
	_, err := s.PutPrices(ctx, []price.Interval{was, interval("2026-11-01 00:00", "2026-11-20 00:00", 7000, false)}, nil, backend)
	ok(t, err)
	want(t, len(s.decisions(decide.ActionMove)), 0)

	steep := []price.Interval{interval("2026-11-20 00:00", "", 4899, true)}
	_, err = s.PutPrices(ctx, steep, nil, backend)
	faulted(t, err, 422, "prices")
	if !strings.Contains(err.Error(), "B12 from 7000 to 4899 cents") || !strings.Contains(err.Error(), "PRICE-DROP") {
		t.Errorf("the refusal does not say what moved: %v", err)
	}
	h, err := s.host.PriceHistory(ctx, "B12", "de", "web", "EUR")
	ok(t, err)
	want(t, len(h), 2)
	_, err = s.PutPrices(ctx, steep, &flow.SignOff{By: "  ", Reason: "clearance"}, backend)
	faulted(t, err, 422, "signed_off")

	_, err = s.PutPrices(ctx, steep, &flow.SignOff{By: "C. Lehmann", Reason: "clearance"}, backend)
	ok(t, err)
	rs := s.decisions(decide.ActionMove)
	want(t, len(rs), 2)
	names := rs[0].Actor + rs[1].Actor
	want(t, names, "ops:C. Lehmann: clearance")
	want(t, slices.Equal(rs[0].Rules, []string{"PRICE-DROP"}), true)
}

func TestManyMovesADayNeedAPerson(t *testing.T) {
	s := newShop(t, func(c *config.Config) { c.Prices.Guard = config.Guard{MaxMovesDay: 2} })
	rows := []price.Interval{
		interval("2026-11-01 00:00", "2026-11-20 08:00", 10000, false), interval("2026-11-20 08:00", "2026-11-20 12:00", 9900, false),
		interval("2026-11-20 12:00", "2026-11-20 16:00", 9800, false),
	}
	_, err := s.PutPrices(ctx, rows, nil, backend)
	ok(t, err)
	_, err = s.PutPrices(ctx, []price.Interval{interval("2026-11-20 16:00", "", 9900, false)}, nil, backend)
	faulted(t, err, 422, "prices")
	_, err = s.PutPrices(ctx, []price.Interval{interval("2026-11-20 16:00", "2026-11-21 09:00", 9800, false)}, nil, backend)
	ok(t, err) // no change of price is no move
}

// PRI-12 and PRI-13 as the shop meets them.
func TestPRI12AllowTheStorefrontChosen(t *testing.T) {
	q := quote()
	q.Inputs = []string{"delivery_vat"}
	a := newShop(t).judged(q)
	want(t, a.Price, flow.PriceVerdict{Allowed: true, Cents: 8000})
}

func TestPRI12DenyAPriceByPlace(t *testing.T) {
	s := newShop(t)
	for _, name := range []string{"ip_country", "IP", "delivery_country", "Residence", "nationality", "postcode", "geo_region", "billing address"} {
		q := quote()
		q.Inputs = []string{"stock", name}
		a := s.judged(q)
		want(t, a.Price, flow.PriceVerdict{Allowed: false, Cents: 10000})
		if !slices.Contains(a.Rules, "PRI-12") {
			t.Errorf("%s: rules %v", name, a.Rules)
		}
	}
}

func TestPRI13AllowTrueStockAndDeadline(t *testing.T) {
	s := newShop(t)
	_, err := s.PutPrices(ctx, []price.Interval{interval("2026-01-01 00:00", "2099-01-01 00:00", 8000, false)}, nil, backend)
	ok(t, err)
	p, err := s.host.Product(ctx, "B12")
	ok(t, err)
	q := quote()
	q.Promises = price.Promises{Deadline: berlin("2099-01-01 00:00"), StockLeft: p.Stock}
	a := s.judged(q)
	want(t, a.Claim.Allowed, true)
	want(t, len(a.Rules), 0)
}

func TestPRI13DenyFalsePressureAndARiseOnReload(t *testing.T) {
	s := newShop(t)
	p, err := s.host.Product(ctx, "B12")
	ok(t, err)
	for name, promise := range map[string]price.Promises{
		"only so many of more":    {StockLeft: p.Stock - 1},
		"a timer that ends never": {Deadline: berlin("2026-11-21 23:59")},
	} {
		q := quote()
		q.Promises = promise
		a := s.judged(q)
		if a.Claim.Allowed || !a.Price.Allowed || !slices.Equal(a.Rules, []string{"PRI-13"}) {
			t.Errorf("%s: %+v", name, a)
		}
	}
	q := quote()
	q.Promises = price.Promises{ShownCents: 7900, ShownAt: s.clock().Add(-time.Minute)}
	want(t, s.judged(q).Price, flow.PriceVerdict{Allowed: false, Cents: 7900})
	q.Promises = price.Promises{FeesCents: 199}
	want(t, s.judged(q).Price, flow.PriceVerdict{Allowed: false, Cents: 10000})
	q.Promises = price.Promises{ShownCents: 7900}
	_, err = s.Price(ctx, []price.Quote{q}, backend)
	faulted(t, err, 422, "promises.shown_at")
}

// The price function reads nothing that holds a person: no record, no state.
func TestAPriceReadsNothingOfAPersonButItsStanding(t *testing.T) {
	s := newShop(t, personalised)
	q := quote()
	q.Basis, q.OfferCents, q.Inputs, q.Disclosed = "personalised", 9200, nil, true
	q.ConsentID = s.grantAccount(adaAcc, consent.PersonalisedPrice).RecordID
	f, err := flow.New(ctx, s.cfg, blind{s.host}, nil, s.clock, "test")
	ok(t, err)
	a, err := f.Price(ctx, []price.Quote{q}, backend)
	ok(t, err)
	want(t, a[0].Price, flow.PriceVerdict{Allowed: true, Cents: 9200})
	for _, fate := range []hosttest.Fate{hosttest.Lost, hosttest.Kept} {
		s.host.FailNext("PriceStanding", fate)
		_, err = s.Price(ctx, []price.Quote{q}, backend)
		faulted(t, err, 503, "")
	}
}

// blind is a host whose caller has no right to what holds a person.
type blind struct{ *hosttest.Memory }

var errDenied = errors.New("access denied")

func (blind) Find(context.Context, consent.ID) (consent.Subject, error) {
	return consent.Subject{}, errDenied
}
func (blind) State(context.Context, consent.Subject) (consent.State, error) {
	return consent.State{}, errDenied
}
func (blind) Record(context.Context, string) (consent.Record, error) {
	return consent.Record{}, errDenied
}
func (blind) History(context.Context, consent.Subject) ([]consent.Record, error) {
	return nil, errDenied
}
func (blind) AccountOf(context.Context, consent.Subject) (consent.Subject, error) {
	return consent.Subject{}, errDenied
}
func (blind) Profile(context.Context, consent.Subject) (profile.Profile, error) {
	return profile.Profile{}, errDenied
}
func (blind) Membership(context.Context, consent.Subject) (profile.Membership, error) {
	return profile.Membership{}, errDenied
}

// A grant on a control that was invalidated speaks for no price; one renewed on a
// sound control does from the renewal on (CON-06).
func TestCON06DenyAPriceOnAnInvalidatedControl(t *testing.T) {
	s := newShop(t, personalised, func(c *config.Config) {
		sound := c.UI[0]
		sound.Version = "banner-2"
		c.UI[0].InvalidatedFrom = noon.Add(2 * time.Hour).Format(time.RFC3339)
		c.UI = append(c.UI, sound)
	})
	personal := func(record string) bool {
		q := quote()
		q.Basis, q.OfferCents, q.Inputs, q.Disclosed, q.ConsentID = "personalised", 9200, nil, true, record
		return s.judged(q).Price.Allowed
	}
	agree := func(user, banner string) string {
		call := gives("", consent.PersonalisedPrice)
		call.UserID, call.UI.Version = user, banner
		a, err := s.Consent(ctx, call, backend)
		ok(t, err)
		return a.RecordID
	}
	const bobAcc = "customer-bob"
	ada, bob := agree(adaAcc, "banner-1"), agree(bobAcc, "banner-1")
	s.wait(time.Hour)
	renewed := agree(adaAcc, "banner-2")
	want(t, personal(ada) && personal(renewed) && personal(bob), true)
	s.wait(time.Hour)
	want(t, personal(renewed), true)
	want(t, personal(ada) || personal(bob), false)
}
