package event

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
)

// digest stands for a keyed digest.
func digest(domain, value string) int64 {
	h := fnv.New64a()
	h.Write([]byte(domain + "\x00" + value))
	return int64(h.Sum64() >> 1)
}

var market = NewCatalogue([]Product{
	{ID: "B12", Category: "Shoes", Class: "standard", PriceCents: 9995, Stock: 5},
	{ID: "B13", Category: "Blue shoes", Class: "premium", PriceCents: 19900, Stock: 1},
	{ID: "T1", Category: "Pregnancy tests", Class: "simple", PriceCents: 599, Stock: 5, Tags: []string{"pregnancy"}},
	{ID: "T2", Category: "Blue candles", Class: "simple", PriceCents: 300, Stock: 5},
	{ID: "T3", Category: "Candles", Class: "simple", PriceCents: 900, Stock: 5, Tags: []string{"religion"}},
	{ID: "T4", Category: "Candles", Class: "simple", PriceCents: 900, Stock: 5},
	{ID: "T5", Category: "Candles", Class: "simple", PriceCents: 900, Stock: 5},
}, map[string]string{"Pharmacy": "health", "blue candles": "religion"})

func coarse(t testing.TB, item string) Coarse { return coarseWith(t, item, nil, false) }

func coarseWith(t testing.TB, item string, explicit func(string) bool, trusted bool) Coarse {
	t.Helper()
	m := one(t, item)
	if m.Invalid != nil {
		t.Fatal(m.Invalid)
	}
	if trusted {
		m.Raw = m.Raw.Trusted()
	}
	return m.Raw.Coarse(market, digest, time.UTC, explicit, noon)
}

func track(event, properties string) string {
	return `{"type":"track","event":"` + event + `","properties":` + properties + `,` + who + `}`
}

func TestProductFactsComeFromTheCatalogue(t *testing.T) {
	f := coarse(t, track("Product Viewed", `{"product_id":"B12","category":"Sale","price":1.00,"variant":"42","quantity":2,"coupon":"SAVE","currency":"eur"}`)).Fields
	want := Fields{Product: "B12", Category: "Shoes", ProductClass: "standard", PriceCents: 9995, Variant: "42", Quantity: 2,
		Currency: "EUR", PageType: "product", HourBand: "afternoon"}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	f = coarse(t, track("Product Viewed", `{"product_id":"unheard-of","category":"Shoes","price":1.00,"variant":"42","quantity":2}`)).Fields
	if f.Product != "" || f.PriceCents != 0 || f.Variant != "" || f.Quantity != 0 || f.Category != "Shoes" {
		t.Errorf("an unknown product is kept: %+v", f)
	}
	if f = coarse(t, track("Product List Viewed", `{"category":"Anna Schmidt"}`)).Fields; f.Category != "" {
		t.Error("an unknown category is kept")
	}
}

func TestLinesOfACart(t *testing.T) {
	const lines = `{"products":[{"product_id":"B12","quantity":2,"price":1},{"product_id":"B13","price":1}],"total":5.55}`
	c := coarse(t, track("Cart Viewed", lines))
	if want := []Item{{"B12", 2, 9995}, {"B13", 1, 19900}}; !slices.Equal(c.Fields.Items, want) || c.Fields.CartCents != 39890 {
		t.Errorf("got %+v, %d", c.Fields.Items, c.Fields.CartCents)
	}
	if c := coarse(t, track("Product List Viewed", lines)); c.Fields.CartCents != 0 || len(c.Fields.Items) != 2 {
		t.Error("a list is no cart")
	}
	c = coarse(t, track("Cart Viewed", `{"products":[{"product_id":"B12"},{"product_id":"gone"}]}`))
	if len(c.Fields.Items) != 1 || c.Fields.CartCents != 0 || c.Removed != 0 {
		t.Errorf("part of a cart has no value: %+v", c)
	}
}

func TestPricesOfAnOrderCountOnlyFromTheShopsServer(t *testing.T) {
	order := track("Order Completed", `{"order_id":"O-1","total":88.5,"revenue":80,"currency":"EUR","products":[{"product_id":"B12","quantity":1,"price":88.50},{"product_id":"old-1","price":0}]}`)
	browser, server := coarse(t, order).Fields, coarseWith(t, order, nil, true).Fields
	if want := []Item{{"B12", 1, 9995}}; !slices.Equal(browser.Items, want) || browser.CartCents != 0 {
		t.Errorf("from a browser: %+v", browser)
	}
	if want := []Item{{"B12", 1, 8850}, {"old-1", 1, 0}}; !slices.Equal(server.Items, want) || server.CartCents != 8850 {
		t.Errorf("from the server: %+v", server)
	}
	if browser.OrderKey == 0 || browser.OrderKey != server.OrderKey {
		t.Error("the order's key")
	}
	view := track("Product Viewed", `{"product_id":"B12","price":1}`)
	if coarseWith(t, view, nil, true).Fields.PriceCents != 9995 {
		t.Error("only an order's prices are the server's to tell")
	}
	if refund := coarseWith(t, track("Order Refunded", `{"order_id":"O-1","revenue":10.005}`), nil, true).Fields; refund.CartCents != 1001 {
		t.Errorf("refund %d", refund.CartCents)
	}
}

// SPC-02: a sensitive line is taken out, and the total that would give it away.
func TestSensitiveLinesAreTakenOut(t *testing.T) {
	const lines = `{"total":200,"products":[{"product_id":"B12"},{"product_id":"T1"},{"product_id":"x9","category":"pharmacy"}]}`
	for _, trusted := range []bool{false, true} {
		c := coarseWith(t, track("Order Completed", lines), nil, trusted)
		if len(c.Fields.Items) != 1 || c.Fields.Items[0].Product != "B12" || c.Fields.CartCents != 0 || len(c.Tags) != 0 {
			t.Errorf("trusted %v: %+v", trusted, c)
		}
		if want := map[bool]int{false: 1, true: 2}[trusted]; c.Removed != want {
			t.Errorf("trusted %v: removed %d", trusted, c.Removed)
		}
	}
	c := coarseWith(t, track("Order Completed", lines), func(tag string) bool { return tag == "pregnancy" }, true)
	if len(c.Fields.Items) != 2 || c.Removed != 1 || !slices.Equal(c.Tags, []string{"pregnancy"}) || c.Fields.CartCents != 0 {
		t.Errorf("with a yes for one: %+v", c)
	}
	c = coarseWith(t, track("Order Completed", lines), func(string) bool { return true }, true)
	if len(c.Fields.Items) != 3 || c.Removed != 0 || c.Fields.CartCents != 20000 {
		t.Errorf("with a yes for both: %+v", c)
	}
}

// SPC-01: what cannot be taken out makes the event sensitive.
func TestSensitiveTags(t *testing.T) {
	page := func(path string) string {
		return `{"type":"page",` + who + `,"context":{"page":{"path":"` + path + `"}}}`
	}
	for _, c := range []struct {
		name, item string
		want       []string
	}{
		{"a plain product", track("Product Viewed", `{"product_id":"B12"}`), nil},
		{"its product", track("Product Viewed", `{"product_id":"T1"}`), []string{"pregnancy"}},
		{"its product, in an event of no known name", track("Whatever", `{"product_id":"T1"}`), []string{"pregnancy"}},
		{"its product's category, by configuration", track("Product Viewed", `{"product_id":"T2"}`), []string{"religion"}},
		{"a list whose products are tagged", track("Product List Viewed", `{"category":"pregnancy tests"}`), []string{"pregnancy"}},
		{"a list by configuration, without products", track("Product List Viewed", `{"category":"Pharmacy"}`), []string{"health"}},
		{"a list where few products are tagged", track("Product List Viewed", `{"category":"Candles"}`), nil},
		{"what a browser says of an unknown product", track("Product Viewed", `{"product_id":"x","category":"pharmacy"}`), []string{"health"}},
		{"a search by a telling word", track("Products Searched", `{"query":"cheap PREGNANCY help"}`), []string{"pregnancy"}},
		{"a search by article", track("Products Searched", `{"query":"t1"}`), []string{"pregnancy"}},
		{"a search by all words of a category", track("Products Searched", `{"query":"candles, blue"}`), []string{"religion"}},
		{"a search by a word of many categories", track("Products Searched", `{"query":"blue"}`), nil},
		{"a path", page("/c/pregnancy-tests/"), []string{"pregnancy"}},
		{"an escaped path", page("/c/%70regnancy"), []string{"pregnancy"}},
		{"an article in a path", page("/products/t1"), []string{"pregnancy"}},
		{"a plain path", page("/c/blue-shoes/"), nil},
		{"a page's category", `{"type":"page","category":"Pharmacy",` + who + `}`, []string{"health"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := coarse(t, c.item).Tags; !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestAReferrerThatGivesAwayIsDropped(t *testing.T) {
	for referrer, host := range map[string]string{
		"https://www.example.com/x":          "www.example.com",
		"https://pregnancy.example/forum":    "",
		"https://blue-candles.example":       "",
		"https://blue.example/pregnancy?q=1": "blue.example", // of a path nothing is kept
	} {
		c := coarse(t, `{"type":"page",`+who+`,"context":{"page":{"path":"/","referrer":"`+referrer+`"}}}`)
		if c.Fields.ReferrerHost != host || len(c.Tags) > 0 {
			t.Errorf("%s: kept %q, tags %v; want %q and none", referrer, c.Fields.ReferrerHost, c.Tags, host)
		}
	}
}

func TestSearches(t *testing.T) {
	search := func(query string) Fields {
		return coarse(t, track("Products Searched", `{"query":`+query+`}`)).Fields
	}
	a, b, other := search(`"Blue  SHOES anna@example.com"`), search(`" blue shoes ANNA@example.com "`), search(`"blue"`)
	if a.QueryKey == 0 || a.QueryKey != b.QueryKey || a.QueryKey == other.QueryKey {
		t.Error("the key must tell searches apart, and nothing else")
	}
	if want := []string{"blue", "shoes"}; !slices.Equal(a.QueryWords, want) || a.QueryExact {
		t.Errorf("kept %v, exact %v", a.QueryWords, a.QueryExact)
	}
	if f := search(`" b12 "`); !f.QueryExact || !slices.Equal(f.QueryWords, []string{"b12"}) {
		t.Errorf("an article number is exact: %+v", f)
	}
	if f := search(`"` + strings.Repeat("shoes ", 20) + `"`); len(f.QueryWords) != 8 {
		t.Errorf("%d words", len(f.QueryWords))
	}
	if f := search(`""`); f.QueryKey != 0 || f.Results != -1 {
		t.Errorf("no query: %+v", f)
	}
	if f := coarse(t, track("Products Searched", `{"query":"x","results":0}`)).Fields; f.Results != 0 {
		t.Errorf("no hits: %d", f.Results)
	}
	if f := coarse(t, track("My Search", `{"query":"shoes"}`)).Fields; f.QueryKey != 0 || f.QueryWords != nil {
		t.Error("an unknown event is no search")
	}
}

func TestOwnProperties(t *testing.T) {
	const id = "0191F3A0-1c2d-7e4f-8a9b-0c1d2e3f4a5b"
	for _, c := range []struct {
		event, properties string
		want              Fields
	}{
		{"Experiment Viewed", `{"slot":"home_hero","variant_id":"v07"}`, Fields{Slot: "home_hero", SlotVariant: "v07"}},
		{"Experiment Viewed", `{"slot":"Ada Lovelace","variant_id":"v07"}`, Fields{}},
		{"Experiment Viewed", `{"slot":"home_hero","variant_id":"Ada Lovelace"}`, Fields{Slot: "home_hero"}},
		{"Experiment Viewed", `{"experiment_id":"home_hero","variation_id":"v07","variation_name":"Anna"}`, Fields{Slot: "home_hero", SlotVariant: "v07"}},
		{"Experiment Viewed", `{"slot":"anna@example.com","variant_id":"v07"}`, Fields{}},
		{"Adviser Offer Dismissed", `{"decision_id":"` + id + `"}`, Fields{Decision: strings.ToLower(id)}},
		{"Adviser Offer Dismissed", `{"decision_id":"anna"}`, Fields{}},
		{"Checkout Step Viewed", `{"step":3,"shipping_method":"Fedex"}`, Fields{Step: 3}},
		{"Checkout Step Viewed", `{"step":-3}`, Fields{}},
		{"Checkout Step Viewed", `{"step":1e9}`, Fields{Step: 100}},
		{"Payment Failed", `{}`, Fields{ErrorClass: "payment"}},
		{"Checkout Error", `{"error_class":"address","reason":"card"}`, Fields{ErrorClass: "address"}},
		{"Checkout Error", `{"reason":"Frau Schmidt ist ausverkauft"}`, Fields{ErrorClass: "stock"}},
		{"Checkout Error", `{"error":{"code":7}}`, Fields{ErrorClass: "other"}},
		{"Product Clicked", `{"dwell_ms":99999999}`, Fields{DwellMS: 1800000}},
		{"Product Clicked", `{"dwell_ms":-1,"currency":"euros"}`, Fields{}},
		{"Product Added", `{"product_id":"B12","variant":"für Anna"}`, Fields{Product: "B12", Category: "Shoes", ProductClass: "standard", PriceCents: 9995}},
		{"Confetti Thrown", `{"slot":"a","step":3,"decision_id":"` + id + `","order_id":"x","currency":"EUR"}`, Fields{}},
	} {
		c.want.HourBand = "afternoon"
		if got := coarse(t, track(c.event, c.properties)).Fields; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %s:\ngot  %+v\nwant %+v", c.event, c.properties, got, c.want)
		}
	}
}

func TestHourBandIsLocal(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	raw := one(t, `{"type":"page",`+who+`}`).Raw
	for at, want := range map[string]string{
		"2026-11-21T22:59:59Z": "evening", "2026-11-21T23:00:00Z": "night", "2026-11-21T05:00:00Z": "morning",
		"2026-11-21T04:59:59Z": "night", "2026-07-21T04:00:00Z": "morning", "2026-11-21T11:00:00Z": "afternoon",
	} {
		when, _ := time.Parse(time.RFC3339, at)
		if got := raw.Coarse(market, digest, berlin, nil, when).Fields.HourBand; got != want {
			t.Errorf("%s is %s, want %s", at, got, want)
		}
	}
}

func TestUserAgentsBecomeFamilies(t *testing.T) {
	const mozilla = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) "
	for agent, want := range map[string]string{
		"": "",
		mozilla + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.7444.60 Safari/537.36":               "Chrome/142",
		mozilla + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.3595.65": "Edge/142",
		mozilla + "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 OPR/125.0.0.0":     "Opera/125",
		mozilla + "AppleWebKit/537.36 SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36":            "Samsung/28",
		mozilla + "Gecko/20100101 Firefox/145.0":                                                            "Firefox/145",
		"Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Version/26.1 Mobile/15E148 Safari/604.1":                 "Safari/26",
		"Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 CriOS/142.0.7444.77 Mobile/15E148 Safari/604.1":          "Chrome/142",
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)":                          "bot",
		"curl/8.5.0":                 "other",
		"anna@example.com":           "other",
		"Chrome/12345678901":         "Chrome",
		"Firefox/<script>alert(1)":   "Firefox",
		"Version/5 no browser, Anna": "other",
	} {
		if got := UAFamily(agent); got != want || UAFamily(got) != got {
			t.Errorf("%q is %q, want %q, and %q again", agent, got, want, UAFamily(got))
		}
	}
}

func TestAddressesBecomeNetworks(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.77": "203.0.113.0/24", "203.0.113.77:443": "203.0.113.0/24", "::ffff:203.0.113.77": "203.0.113.0/24",
		"2001:db8:1234:5678::1": "2001:db8:1234::/48", "[2001:db8:1234:5678::1]:443": "2001:db8:1234::/48",
		"fe80::1%eth0": "fe80::/48", "": "", "anna": "", "203.0.113": "", "203.0.113.077": "",
	} {
		if got := IPPrefix(address); got != want {
			t.Errorf("%q is %q, want %q", address, got, want)
		}
	}
}

func TestLocales(t *testing.T) {
	for tag, want := range map[string]string{
		"de": "de", "DE_de": "de-DE", "en-US": "en-US", "zh-hant-tw": "zh-Hant-TW", "es-419": "es-419", "gsw": "gsw",
		"de-DE-1996-x-anna": "de-DE", "de-x-anna": "de", "": "", "d": "", "deutsch": "", "12": "", "-": "", "de\u202e": "",
	} {
		if got := coarseLocale(tag); got != want {
			t.Errorf("%q is %q, want %q", tag, got, want)
		}
	}
}

func TestReferrersBecomeHosts(t *testing.T) {
	for referrer, want := range map[string]string{
		"https://www.google.com/search?q=pregnancy": "www.google.com", "HTTPS://Example.COM.": "example.com",
		"https://anna:pw@example.com:8443/x": "example.com", "https://xn--mnchen-3ya.de/": "xn--mnchen-3ya.de",
		"android-app://com.google.android.gm/": "com.google.android.gm",
		"https://192.168.0.1/a":                "", "https://[::1]/": "", "http://localhost/": "", "http://intranet/": "", "http://box.local/": "",
		"https://münchen.de/": "", "/search?q=x": "", "": "", "https://a b.de": "", "https://-a.de": "", "https://": "", "javascript:alert(1)": "",
		"https://example.com\\@evil/": "example.com", "https://" + strings.Repeat("a.", 200) + "de": "",
	} {
		if got := publicHost(referrer); got != want {
			t.Errorf("%q is %q, want %q", referrer, got, want)
		}
	}
}

func TestPageTypes(t *testing.T) {
	for path, want := range map[string]string{
		"/": "home", "/index.html": "home", "/de": "home", "/de/": "home", "/products/b12": "product", "/products": "list",
		"/de/p/123": "product", "/c/shoes": "list", "/search": "search", "/Suche/": "search", "/cart": "cart", "/warenkorb.php": "cart",
		"/checkout/address": "checkout", "/konto/bestellungen": "account", "/hilfe/versand": "help", "/blog/x": "other", "": "",
	} {
		if got := pathType(path); got != want {
			t.Errorf("%q is %q, want %q", path, got, want)
		}
	}
	for item, want := range map[string]string{
		`{"type":"page","name":"Home",` + who + `}`:                                                                                     "home",
		`{"type":"page","name":"Anna's page",` + who + `}`:                                                                              "other",
		`{"type":"page",` + who + `,"properties":{"url":"https://shop.example/cart?email=a"}}`:                                          "cart",
		`{"type":"page",` + who + `,"properties":{"product_id":"B12"}}`:                                                                 "product",
		`{"type":"track","event":"X",` + who + `,"context":{"page":{"url":"https://shop.example/checkout#x","path":"/search?q=anna"}}}`: "search",
		`{"type":"track","event":"X",` + who + `}`:                                                                                      "",
	} {
		if got := coarse(t, item).Fields.PageType; got != want {
			t.Errorf("%s is %q, want %q", item, got, want)
		}
	}
}

// identified makes a sample message acceptable: the ones in the specification
// leave out ids and the type.
func identified(t testing.TB, sample string) string {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(sample), &m); err != nil {
		t.Fatal(err)
	}
	if m["type"] == nil {
		m["type"] = "track"
	}
	if m["type"] == "track" && m["event"] == nil {
		m["event"] = "None"
	}
	m["anonymousId"] = "0123456789abcdef"
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// personal finds values in a sample that must not survive: whatever is an
// address, a name, a title, a free text, a full URL or an identifier.
var personal = regexp.MustCompile(`(?i)@|://|\d+\.\d+\.\d+\.\d+|gibbons|stapler|mozilla|iphone|welcome|hey, check|[a-f0-9]{8}-[a-f0-9]{4}|\+?\d[\d -]{8,}\d|\w+ \w+ \w+`)

var personalKey = regexp.MustCompile(`(?i)name|mail|phone|address|title|^ip$|url|userid|user_id|anonymousid|messageid|body|message|recipient|referrer|city|street|zip|postal|token|advertisingid|plan|coupon|sku|brand`)

func personalValues(key string, v any, found map[string]bool) {
	switch v := v.(type) {
	case string:
		if _, word := pageWords[strings.ToLower(v)]; word {
			return // a page named Home is one of the closed words
		}
		if len(v) > 3 && (personalKey.MatchString(key) || personal.MatchString(v)) {
			found[v] = true
		}
	case []any:
		for _, x := range v {
			personalValues(key, x, found)
		}
	case map[string]any:
		for k, x := range v {
			personalValues(k, x, found)
		}
	}
}

// generous knows every product of the samples, so that as much as possible is kept.
var generous = NewCatalogue([]Product{
	{ID: "507f1f77bcf86cd799439011", Category: "Games", Class: "simple"}, {ID: "505bd76785ebb509fc183733", Category: "Games", Class: "simple"},
	{ID: "507f1f77bcf86cd798439011", Category: "Beauty", Class: "simple"}, {ID: "505bd76785ebb509fc283733", Category: "Beauty", Class: "simple"},
}, nil)

func TestNothingPersonalOfTheSamplesIsStored(t *testing.T) {
	samples := segmentSamples(t)
	if len(samples) != 108 {
		t.Fatalf("%d samples", len(samples))
	}
	checked := 0
	for _, sample := range samples {
		m := one(t, identified(t, sample))
		if m.Invalid != nil {
			t.Errorf("%v: %s", m.Invalid, sample)
			continue
		}
		c := m.Raw.Trusted().Coarse(generous, digest, time.UTC, func(string) bool { return true }, noon)
		e := New(Event{Subject: consent.Subject{1}, Kind: m.Raw.Kind(), OccurredAt: noon, ReceivedAt: noon},
			[]Grant{{Purpose: consent.Analytics, Keep: AllFields}}, c.Fields)
		stored, err := json.Marshal(e.Row())
		if err != nil {
			t.Fatal(err)
		}
		var message map[string]any
		if err := json.Unmarshal([]byte(sample), &message); err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		personalValues("", message, found)
		for v := range found {
			checked++
			if strings.Contains(strings.ToLower(string(stored)), strings.ToLower(v)) {
				t.Errorf("%q is stored: %s", v, stored)
			}
		}
	}
	if checked < 400 {
		t.Errorf("only %d personal values found in the samples", checked)
	}
}

// What is kept must not keep the message alive: raw ends in the gate.
func TestFieldsShareNoMemoryWithTheMessage(t *testing.T) {
	item := `{"type":"track","event":"Products Searched","messageId":"m","anonymousId":"0123456789abcdef",` +
		`"context":{"locale":"de","ip":"203.0.113.7","userAgent":"Firefox/145.0","page":{"path":"/search","referrer":"https://www.example.com/"}},` +
		`"properties":{"query":"shoes b12","product_id":"B12","variant":"42","currency":"EUR","order_id":"o","slot":"home","variant_id":"v1",` +
		`"decision_id":"0191f3a0-1c2d-7e4f-8a9b-0c1d2e3f4a5b","products":[{"product_id":"old-1"},{"product_id":"B12"}]}}`
	order := strings.Replace(item, "Products Searched", "Order Completed", 1)
	for _, text := range []string{item, order} {
		m := one(t, text)
		low := uintptr(unsafe.Pointer(unsafe.StringData(m.MessageID))) - uintptr(len(text))
		f := m.Raw.Trusted().Coarse(market, digest, time.UTC, nil, noon).Fields
		kept := append([]string{}, f.QueryWords...)
		for _, i := range f.Items {
			kept = append(kept, i.Product)
		}
		for i, v := 0, reflect.ValueOf(f); i < v.NumField(); i++ {
			if v.Field(i).Kind() == reflect.String {
				kept = append(kept, v.Field(i).String())
			}
		}
		for _, s := range kept {
			if at := uintptr(unsafe.Pointer(unsafe.StringData(s))); s != "" && at >= low && at < low+2*uintptr(len(text)) {
				t.Errorf("%q is part of the message", s)
			}
		}
	}
}

// Whatever a message says, only short codes, catalogue facts, numbers and closed
// words get through.
// What looks like a code can still be a name, or the visitor's own identifier.
func TestACodeIsNoNameAndNoIdentifier(t *testing.T) {
	const id, user, decision = "Device-4711-0815-abcdef", "customer-ada", "0190a1b2-c3d4-7e5f-8a6b-0123456789ab"
	for variant, kept := range map[string]bool{
		"42": true, "G-32/b_1.0": true, "Ada Lovelace": false, "200 pieces": false, "grün": false, strings.Repeat("x", 33): false,
		id: false, "x" + strings.ToUpper(id): false, "4711-0815": false, "v-customer": false, "customer-ada": false,
	} {
		body := fmt.Sprintf(`{"batch":[{"type":"track","event":"Product Viewed","messageId":"m","anonymousId":%q,"userId":%q,"timestamp":"2026-11-21T12:00:00Z",
			"properties":{"product_id":"B12","variant":%q}}]}`, id, user, variant)
		env, err := ParseBatch([]byte(body))
		if err != nil || env.Items[0].Invalid != nil {
			t.Fatal(err, env.Items[0].Invalid)
		}
		c := env.Items[0].Raw.Coarse(NewCatalogue([]Product{{ID: "B12", Class: "simple"}}, nil), nil, nil, nil, time.Time{})
		if got := c.Fields.Variant; got != "" != kept || kept && got != variant {
			t.Errorf("variant %q becomes %q", variant, got)
		}
	}
	for given, want := range map[string]string{
		decision: decision, strings.ToUpper(decision): decision, id: "",
		"0190a1b2-c3d4-4e5f-8a6b-0123456789ab": "", "0190a1b2-c3d4-7e5f-ca6b-0123456789ab": "", // another version, another variant
	} {
		if got := decisionID(given); got != want {
			t.Errorf("decision %q becomes %q", given, got)
		}
	}
}

func TestFreeTextNeverGetsThrough(t *testing.T) {
	const free = "Anna Schmidt, Hauptstrasse 1, anna@example.com"
	keys := []string{"product_id", "category", "variant", "query", "order_id", "currency", "reason", "error_class", "decision_id", "slot",
		"variant_id", "path", "url", "referrer", "name", "title", "search", "email", "locale", "ip", "userAgent"}
	rapid.Check(t, func(t *rapid.T) {
		member := map[string]any{}
		for _, k := range keys {
			member[k] = free
		}
		kind := rapid.SampledFrom(slices.Sorted(func(yield func(string) bool) {
			for name := range trackKinds {
				if !yield(name) {
					return
				}
			}
		})).Draw(t, "event")
		item, _ := json.Marshal(map[string]any{"type": "track", "event": kind, "anonymousId": "0123456789abcdef", "name": free,
			"properties": member, "context": map[string]any{"page": member, "ip": free, "locale": free, "userAgent": free, "consent": map[string]any{"categoryPreferences": member}}})
		e, err := ParseBatch([]byte(`{"batch":[` + string(item) + `]}`))
		if err != nil || e.Items[0].Invalid != nil {
			t.Fatal(err, e.Items)
		}
		stored, _ := json.Marshal(e.Items[0].Raw.Trusted().Coarse(market, digest, time.UTC, nil, noon).Fields)
		for word := range strings.FieldsSeq(strings.ToLower(free)) {
			if len(word) > 2 && strings.Contains(strings.ToLower(string(stored)), strings.Trim(word, ",")) {
				t.Fatalf("%s: %q is kept: %s", kind, word, stored)
			}
		}
	})
}
