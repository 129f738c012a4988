package segment

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
)

// wanting is a shop whose visitors want products and mostly do not get them; the
// seed decides what each does.
func wanting(t *testing.T, people int, seed uint64) *shop {
	s, dice := newShop(t), rand.New(rand.NewPCG(seed, 1))
	s.products = []event.Product{{ID: "p9", Category: "tea", Tags: []string{"health"}}}
	for n := range people {
		who := subject(n)
		s.says(who, consent.Given, monday.Add(-time.Hour), basis, consent.Analytics)
		if dice.IntN(3) > 0 {
			s.says(who, consent.Given, monday.Add(-time.Hour), consent.MarketingEmail)
		}
		s.subjects[who] = subjectRow{scope: consent.Account}
		at := monday.Add(time.Duration(n) * time.Minute)
		for range 4 + dice.IntN(12) {
			at = at.Add(time.Duration(1+dice.IntN(2400)) * time.Second)
			s.want(who, at, dice)
		}
	}
	return s
}

// want is one event of somebody who looks for something.
func (s *shop) want(who consent.Subject, at time.Time, dice *rand.Rand) {
	product := fmt.Sprint("p", dice.IntN(4))
	if dice.IntN(12) == 0 {
		product = "p9"
	}
	f := event.Fields{Product: product, Category: "tea", PriceCents: 1000}
	switch dice.IntN(10) {
	case 0, 1:
		s.sees(who, event.ProductsSearched, at, event.Fields{QueryKey: int64(dice.IntN(5)), Results: int64(dice.IntN(2) * 3)})
	case 2:
		s.sees(who, event.SizeGuideOpened, at, f)
	case 3:
		s.sees(who, event.ProductsCompared, at, event.Fields{Items: []event.Item{{Product: product, Quantity: 1}, {Product: "p1", Quantity: 1}}})
	case 4:
		s.sees(who, event.ProductAdded, at, f)
	case 5:
		items := []event.Item{{Product: product, Quantity: 1, PriceCents: 1000}}
		if dice.IntN(3) == 0 {
			items = nil
		}
		s.sees(who, event.OrderCompleted, at, event.Fields{OrderKey: dice.Int64N(1 << 40), Items: items, CartCents: 1000, Currency: "EUR"})
	case 6:
		s.sees(who, event.AdviserOfferShown, at, event.Fields{})
	default:
		s.sees(who, event.ProductViewed, at, f)
	}
}

// wish is what one person did about one product.
type wish struct {
	views                                             int
	searched, guide, compared, added, offered, bought bool
}

// byHand reads the unmet needs of rows one event after the other.
func byHand(rows []event.Row) map[consent.Subject]map[string]*wish {
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b event.Row) int {
		return strings.Compare(fmt.Sprintf("%020d%s", a.OccurredMS, a.MessageKey), fmt.Sprintf("%020d%s", b.OccurredMS, b.MessageKey))
	})
	out := map[consent.Subject]map[string]*wish{}
	type memory struct {
		search, look     int64
		zero, unnamed    bool
		looked           string
		searched, viewed bool
	}
	known := map[consent.Subject]*memory{}
	for _, r := range rows {
		who, f := consent.Subject(r.Subject), r.Fields
		if f.Product == "p9" || slices.ContainsFunc(f.Items, func(i event.Item) bool { return i.Product == "p9" }) {
			continue // sensitive: nothing may rest on it
		}
		if out[who] == nil {
			out[who], known[who] = map[string]*wish{}, &memory{}
		}
		m := known[who]
		of := func(product string) *wish {
			if out[who][product] == nil {
				out[who][product] = &wish{}
			}
			return out[who][product]
		}
		switch event.Kind(r.Kind) {
		case event.ProductsSearched:
			m.searched, m.search, m.zero = true, r.OccurredMS, f.Results == 0
		case event.ProductViewed:
			w := of(f.Product)
			w.views++
			w.searched = w.searched || m.searched && m.zero && r.OccurredMS-m.search < 1_800_000
			m.viewed, m.look, m.looked = true, r.OccurredMS, f.Product
		case event.SizeGuideOpened:
			of(f.Product).guide = true
		case event.ProductAdded:
			of(f.Product).added = true
		case event.ProductsCompared:
			for _, i := range f.Items {
				of(i.Product).compared = true
			}
		case event.AdviserOfferShown:
			if m.viewed && r.OccurredMS-m.look < 1_800_000 {
				of(m.looked).offered = true
			}
		case event.OrderCompleted:
			m.unnamed = m.unnamed || len(f.Items) == 0
			for _, i := range f.Items {
				of(i.Product).bought = true
			}
		}
	}
	for who, m := range known {
		for _, w := range out[who] {
			w.bought = w.bought || m.unnamed && w.added
		}
	}
	return out
}

// R20: what SQL says of products is what reading every event in turn says, and a
// sensitive product is not listed.
func TestUnmetNeedsAreThoseOfEachEventInTurn(t *testing.T) {
	s := wanting(t, 240, 3)
	want, ordered := map[string][7]int64{}, map[string]int64{}
	for _, wishes := range byHand(s.rows[monday.Format(time.DateOnly)]) {
		for product, w := range wishes {
			signs := []bool{true, w.searched, w.views >= 3, w.guide, w.compared, w.added, w.offered}
			if product == "p9" || !slices.Contains(signs[1:], true) {
				continue
			}
			if w.bought {
				ordered[product]++
				continue
			}
			c := want[product]
			for i, sign := range signs {
				if sign {
					c[i]++
				}
			}
			want[product] = c
		}
	}
	n := until(t, s.night(monday.AddDate(0, 0, 1)), "checking")
	got := map[string][7]int64{}
	err := n.db.each(t.Context(), "from unmet", func(scan func(...any) error) error {
		var product string
		var c [7]int64
		var bought int64
		err := scan(&product, &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &bought)
		if got[product] = c; bought != ordered[product] {
			t.Errorf("%s: %d ordered it, want %d", product, bought, ordered[product])
		}
		return err
	})
	if err != nil || !reflect.DeepEqual(got, want) || len(want) != 4 {
		t.Errorf("got  %v\nwant %v\n%v", got, want, err)
	}
}

// quoted is a price decision as the log has it.
func quoted(at time.Time, allowed bool, cents int64, change func(quote, result map[string]any)) decide.Record {
	q := map[string]any{
		"product_id": "B1", "storefront": "de", "channel": "web", "currency": "EUR", "customer": "consumer", "vat_bp": 1900, "basis": "static",
		"inputs": []string{"stock"}, "reductions": []any{}, "list_cents": 9000, "offer_cents": cents, "announcement": map[string]any{"kind": "none"}, "promises": map[string]any{"shown_cents": 0},
	}
	rules := []string{}
	if !allowed {
		rules = []string{"PRI-09"}
	}
	res := map[string]any{"price_allowed": allowed, "claim_allowed": true, "rules": rules}
	if change != nil {
		change(q, res)
	}
	input, _ := json.Marshal(map[string]any{"quote": q, "facts": map[string]any{"rose": false}})
	result, _ := json.Marshal(res)
	return decide.Record{ID: "d", Time: at, Action: decide.ActionPrice, Input: input, Result: result, Rules: rules}
}

// Equal quotes at one instant are held against each other, and nothing else is: not
// another instant, product or kind of customer, nor what is personal by design.
func TestEqualQuotesMustHaveEqualPrices(t *testing.T) {
	at := monday.Add(10 * time.Hour)
	set := func(key string, value any) func(map[string]any, map[string]any) {
		return func(q, _ map[string]any) { q[key] = value }
	}
	individual := set("reductions", []any{map[string]any{"kind": "coupon", "audience": "individual", "marked": true}})
	for name, c := range map[string]struct {
		other             decide.Record
		instants, unequal int64
	}{
		"the same price":           {quoted(at, true, 8000, nil), 1, 0},
		"another price":            {quoted(at, true, 7900, nil), 1, 1},
		"denied: the list price":   {quoted(at, false, 8000, nil), 1, 1},
		"another instant":          {quoted(at.Add(time.Second), true, 7900, nil), 0, 0},
		"another product":          {quoted(at, true, 7900, set("product_id", "B2")), 0, 0},
		"a business":               {quoted(at, true, 7900, set("customer", "business")), 0, 0},
		"other market facts":       {quoted(at, true, 7900, set("inputs", []string{"expiry"})), 0, 0},
		"a personal price":         {quoted(at, true, 7900, set("basis", "personalised")), 0, 0},
		"a coupon for one":         {quoted(at, true, 7900, individual), 0, 0},
		"after as of":              {quoted(monday.AddDate(0, 0, 1), true, 7900, nil), 0, 0},
		"erased since: no content": {decide.Record{ID: "e", Time: at, Action: decide.ActionPrice, Erased: "00"}, 0, 0},
	} {
		s := newShop(t)
		s.decisions = []decide.Record{quoted(at, true, 8000, nil), c.other}
		n := until(t, s.night(monday.AddDate(0, 0, 1)), "checking")
		if len(n.report.Prices.Storefronts) != 1 || n.report.Prices.Storefronts[0].Instants != c.instants || n.report.Prices.Storefronts[0].Unequal != c.unequal {
			t.Errorf("%s: %+v", name, n.report.Prices.Storefronts)
		}
	}
}

func TestDeniedQuotesAreCountedByRule(t *testing.T) {
	s, at := newShop(t), monday.Add(time.Hour)
	claim := func(q, r map[string]any) {
		q["announcement"], r["claim_allowed"], r["rules"] = map[string]any{"kind": "percent"}, false, []string{"PRI-02"}
	}
	s.decisions = []decide.Record{quoted(at, true, 8000, nil), quoted(at, false, 8000, nil), quoted(at, true, 8000, claim)}
	r := s.run(s.night(monday.AddDate(0, 0, 1))).Report.Prices
	want := StorefrontPrice{Storefront: "de", Channel: "web", Quotes: 3, PriceDenied: 1, Claims: 1, ClaimDenied: 1, Instants: 1, Unequal: 1}
	if len(r.Storefronts) != 1 || r.Storefronts[0] != want {
		t.Errorf("got %+v", r.Storefronts)
	}
	if len(r.Denied) != 2 || r.Denied[0].Rule != "PRI-02" || r.Denied[0].Count != 1 || r.Denied[1].Rule != "PRI-09" || !r.Since.Equal(at) {
		t.Errorf("got %+v since %v", r.Denied, r.Since)
	}
}

// A change is told for the same predicate only, and is none if fewer than k came or went.
func TestAChangeIsToldFromKPersonsOn(t *testing.T) {
	for extra, want := range map[int]int64{0: 0, 38: 0, 40: 50} { // of 60, told as 50
		s := newShop(t)
		s.everyday(240, 1)
		s.run(s.night(monday.AddDate(0, 0, 1)))
		tuesday := monday.AddDate(0, 0, 1)
		for n := 240; n < 240+extra*4; n++ { // one in four buys
			s.says(subject(n), consent.Given, monday, basis, consent.MarketingEmail)
			s.subjects[subject(n)] = subjectRow{scope: consent.Account}
			s.visit(subject(n), tuesday.Add(time.Duration(n)*time.Second), n, 1)
		}
		in := s.night(monday.AddDate(0, 0, 2))
		in.Config.Segments[0].Where = "product_views_28d >= 1"
		r := s.run(in).Report
		if r.Changes[0].Withheld != "other_predicate" {
			t.Errorf("%d more: another predicate gives %+v", extra, r.Changes[0])
		}
		if c := r.Changes[1]; c.Change == nil || *c.Change != want || *c.Before != 50 { // buyers
			t.Errorf("%d more: %s", extra, mustJSON(t, c))
		}
	}
}

// Another k, or a report of exact numbers, tells the same persons otherwise: nobody came or went.
func TestNoChangeIsToldOfOtherSteps(t *testing.T) {
	s := newShop(t)
	s.everyday(146, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	in.Config.Exports.K = 10
	s.run(in)
	for day, want := range []string{"other_step", ""} {
		for _, c := range s.run(s.night(monday.AddDate(0, 0, day+2))).Report.Changes {
			if c.Withheld != want && c.Withheld != "withheld_now" || want != "" && c.Change != nil || c.Change != nil && *c.Change != 0 {
				t.Errorf("night %d of steps of 25 tells %s", day+1, mustJSON(t, c))
			}
		}
	}
}

// A host whose nights did not run has days past their term: a report names them, not
// that nothing was; and a first night has none before to compare with.
func TestAFirstNightNamesWhatIsPastItsTerm(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	in := s.night(monday.AddDate(0, 0, 2))
	in.Config.Retention.EventDays = 1 // so monday goes on wednesday, and tuesday stays
	r := s.run(in).Report
	day := monday.Format(time.DateOnly)
	if r.LetGo != nil || len(r.PastTerm) != 1 || !slices.Equal(r.PastTerm[0].Days, []string{day}) || *r.PastTerm[0].Rows != int64(len(s.rows[day]))/25*25 {
		t.Errorf("let go %+v, past its term %+v", r.LetGo, r.PastTerm)
	}
	for lang, words := range map[string][]string{
		"en": {"Past its term, goes after this night", "admitted events: " + day + " (", "This is the first night"},
		"de": {"Über der Frist, geht nach dieser Nacht", "zugelassene Ereignisse: " + day + " (", "Das ist die erste Nacht"},
	} {
		half := halves(t, pageOf(t, r))[lang]
		for _, w := range words {
			if !strings.Contains(half, w) {
				t.Errorf("%s: nowhere %q", lang, w)
			}
		}
		if strings.Contains(half, "Nothing was past") || strings.Contains(half, "Nichts war über") {
			t.Errorf("%s: says that nothing was past its term", lang)
		}
	}
	in = s.night(monday.AddDate(0, 0, 3))
	if r := s.run(in).Report; r.LetGo == nil || len(r.LetGo) > 0 || len(r.PastTerm) > 0 || !strings.Contains(pageOf(t, r), "Nothing was past its term") {
		t.Errorf("the second night: let go %+v, past its term %+v", r.LetGo, r.PastTerm)
	}
}

// The host keeps decisions longer than the night looks back on them: a report names the oldest
// that there is, and says when that is past its term.
func TestTheOldestDecisionIsTheHosts(t *testing.T) {
	for oldest, past := range map[string]bool{"2025-10-04": true, "2025-10-05": false} { // 397 and 396 days before 5 November 2026
		s := newShop(t)
		s.everyday(30, 1)
		s.decisions = []decide.Record{{Time: monday, Action: decide.ActionVariant, Input: []byte(`{}`), Result: []byte(`{}`)}}
		s.decided = oldest
		in := s.night(monday.AddDate(0, 0, 3))
		in.Config.Retention.DecisionDays = 396
		r := s.run(in).Report
		if kept := r.Retention[4]; kept.Class != keptDecisions || kept.Oldest != oldest {
			t.Errorf("kept: %+v, want the oldest of %s", kept, oldest)
		}
		if is := len(r.PastTerm) == 1 && r.PastTerm[0].Class == keptDecisions && slices.Equal(r.PastTerm[0].Days, []string{oldest}); is != past {
			t.Errorf("%s: past its term %+v", oldest, r.PastTerm)
		}
	}
}

// What the host let go of since the last night is named, with its rows; what stays is
// named with the day it goes.
func TestTheReportSaysWhatIsLetGo(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	in := s.night(monday.AddDate(0, 0, 2))
	in.Config.Retention.EventDays = 1
	s.run(in)
	gone := monday.Format(time.DateOnly)
	rows := int64(len(s.rows[gone]))
	delete(s.rows, gone)
	r := s.run(s.night(monday.AddDate(0, 0, 3))).Report
	if len(r.LetGo) != 1 || !slices.Equal(r.LetGo[0].Days, []string{gone}) || *r.LetGo[0].Rows != rows/25*25 {
		t.Errorf("let go: %+v", r.LetGo)
	}
	kept := r.Retention[0]
	if kept.Days != 30 || kept.Oldest != "2026-11-03" || kept.Until != "2026-12-04" || r.Retention[2].Oldest != gone {
		t.Errorf("kept: %+v, %+v", kept, r.Retention[2])
	}
	if r.Fresh.LastDay != "2026-11-03" || r.Fresh.AgeDays != 1 || !slices.Equal(r.Fresh.Missing, []string{"2026-11-04"}) {
		t.Errorf("fresh: %+v", r.Fresh)
	}
}

// 240 persons, 60 of whom buy; all may be spoken to on site, half by e-mail, a third
// by ads. What is lost is told with what they ordered, and no number that would give
// a smaller group away.
func TestTheCostOfConsentIsCounted(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	r := s.run(s.night(monday.AddDate(0, 0, 1))).Report
	want := func(lost func(n int) bool) (persons, cents int64) {
		for n := range 240 {
			if lost(n) {
				persons++
				if n%4 == 0 {
					cents += int64(2000 + n)
				}
			}
		}
		return persons, cents
	}
	ads, cents := want(func(n int) bool { return n%3 != 0 })
	got := r.Cost.Channels[1]
	if got.Channel != "ads" || *got.Persons != 225 || *got.Lost != ads/25*25 || *got.Reached != (240-ads)/25*25 || *got.Buyers != 25 || math.Abs(float64(*got.LostCents-cents)) > float64(cents)/4 {
		t.Errorf("ads: %s, want %d lost, %d cents", mustJSON(t, got), ads, cents)
	}
	email, _ := want(func(n int) bool { return n%2 != 0 })
	if got := r.Cost.Channels[0]; *got.Lost != email/25*25 || *got.LostCents != 0 || *got.Persons != 225 { // who buys is even: none is lost
		t.Errorf("e-mail: %s", mustJSON(t, got))
	}
	if r.Cost.Events != int64(len(s.rows[monday.Format(time.DateOnly)])) || len(r.Cost.Fields) == 0 {
		t.Errorf("fields: %+v of %d events", r.Cost.Fields, r.Cost.Events)
	}
}

// A sum over the orders of fewer than k buyers, or a loss of fewer than k persons, is not told;
// and two channels of which one loses one person more tell the same.
func TestSmallLossesAreNotTold(t *testing.T) {
	for name, c := range map[string]struct {
		email, ads         func(n int) bool // who agrees
		lost, cents, other bool             // is told of e-mail, of e-mail, and of ads
	}{
		"ten buyers":         {func(n int) bool { return n%2 == 0 && (n%4 != 0 || n >= 40) }, func(int) bool { return true }, true, false, true},
		"four persons":       {func(n int) bool { return n >= 4 }, func(int) bool { return true }, false, false, true},
		"one more than mail": {func(n int) bool { return n >= 103 }, func(n int) bool { return n >= 104 }, true, true, true},
	} {
		s := newShop(t)
		s.everyday(240, 1)
		for n := range 240 {
			for p, yes := range map[consent.Purpose]bool{consent.MarketingEmail: c.email(n), consent.AdsThirdParty: c.ads(n)} {
				if yes {
					s.says(subject(n), consent.Given, monday.Add(-time.Hour), p)
				} else {
					s.says(subject(n), consent.Refused, monday.Add(-time.Hour), p)
				}
			}
		}
		got := s.run(s.night(monday.AddDate(0, 0, 1))).Report.Cost.Channels
		mail, ads := got[0], got[1]
		if (mail.Lost != nil) != c.lost || (mail.LostCents != nil) != c.cents || (ads.Lost != nil) != c.other {
			t.Errorf("%s: %s", name, mustJSON(t, got))
		}
		if name == "one more than mail" && (*mail.Lost != *ads.Lost || *mail.Reached != *ads.Reached || *mail.LostCents != *ads.LostCents) {
			t.Errorf("%s: %s", name, mustJSON(t, got))
		}
	}
}

// A report that a night wrote is the page of its JSON.
func TestANightWritesBothReports(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 2)
	in := s.night(monday.AddDate(0, 0, 2))
	s.run(in)
	var r Report
	if err := json.Unmarshal(s.read(filepath.Join(in.Out, "2026-11-04", "report.json")), &r); err != nil {
		t.Fatal(err)
	}
	page := string(s.read(filepath.Join(in.Out, "2026-11-04", "report.html")))
	if page != pageOf(t, r) {
		t.Error("report.html is not the page of report.json")
	}
	if len(r.Variants) != 1 || r.Variants[0].Known || r.Variants[0].Reason == nil || len(r.Variants[0].Rows) != 3 || math.Abs(float64(r.Variants[0].Rows[0].NextPPM)-333_333) > 1 {
		t.Errorf("the board: %s", mustJSON(t, r.Variants))
	}
}
