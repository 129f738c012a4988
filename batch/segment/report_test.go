package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func pageOf(t *testing.T, r Report) string {
	t.Helper()
	if err := r.rounded(); err != nil {
		t.Fatal(err)
	}
	body, err := r.page()
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var tag = regexp.MustCompile(`<[^>]*>`)

// halves are the page's content in English and in German.
func halves(t *testing.T, page string) map[string]string {
	t.Helper()
	en, de := strings.Index(page, `<main class="in-en" lang="en">`), strings.Index(page, `<main class="in-de" lang="de">`)
	if en < 0 || de < en {
		t.Fatalf("the page has no two halves: %d, %d", en, de)
	}
	return map[string]string{"en": page[en:de], "de": page[de:]}
}

func TestThePageHasEverySectionInBothLanguages(t *testing.T) {
	for name, r := range map[string]Report{"rich": richReport(), "empty": emptyReport()} {
		for lang, half := range halves(t, pageOf(t, r)) {
			for _, s := range (view{tongue: tongue{lang}}).Sections() {
				if !strings.Contains(half, fmt.Sprintf(`<h2 id="%s-%s">`, lang, s.ID)) || !strings.Contains(half, fmt.Sprintf(`<a href="#%s-%s">%s</a>`, lang, s.ID, s.Title)) {
					t.Errorf("%s, %s: no section %s", name, lang, s.ID)
				}
			}
		}
	}
	page := pageOf(t, richReport())
	if !strings.Contains(page, ".chart .sheet { fill: var(--paper); }") {
		t.Error("charts have no paper of their own: forced dark leaves their text dark")
	}
	rich := halves(t, page)
	for _, lang := range []string{"en", "de"} {
		if charts := strings.Count(rich[lang], "<svg "); charts != 9 {
			t.Errorf("%s has %d charts, want 9", lang, charts)
		}
	}
}

// A night that learned nothing says so, section by section, instead of showing nothing.
func TestANightThatKnowsNothingSaysSo(t *testing.T) {
	empty := halves(t, pageOf(t, emptyReport()))
	for lang, words := range map[string][]string{
		"en": {"Don’t know.", "No segment is configured.", "Too few bought", "No offer was decided on.", "No slot for variants", "no events to ask", "There was no quote.", "This is the first night", "no closed day"},
		"de": {"Weiß nicht.", "Es ist kein Segment eingerichtet.", "Zu wenige haben gekauft", "über kein Angebot entschieden", "kein Platz für Varianten", "keine Ereignisse, die man", "gab keine Preisanfrage", "Das ist die erste Nacht", "keinen abgeschlossenen Tag"},
	} {
		for _, w := range words {
			if !strings.Contains(empty[lang], w) {
				t.Errorf("%s: nowhere %q", lang, w)
			}
		}
		if strings.Contains(empty[lang], "<svg") {
			t.Errorf("%s: a chart of nothing", lang)
		}
	}
}

// As of the end of the newest day that day is not "over for 0 days".
func TestTheNewestDayEndedInWords(t *testing.T) {
	for age, want := range map[int]map[string]string{
		0: {"en": "2026-11-20, ended yesterday, 1,000 events", "de": "2026-11-20, gestern zu Ende gegangen, 1.000 Ereignisse"},
		1: {"en": "2026-11-20, over for one day, 1,000 events", "de": "2026-11-20, vor dem Stichtag seit einem Tag vorbei, 1.000 Ereignisse"},
		2: {"en": "2026-11-20, over for 2 days, 1,000 events", "de": "2026-11-20, vor dem Stichtag seit 2 Tagen vorbei, 1.000 Ereignisse"},
	} {
		r := emptyReport()
		r.Fresh = Freshness{LastDay: "2026-11-20", AgeDays: age, Events: 1000}
		for lang, half := range halves(t, pageOf(t, r)) {
			if !strings.Contains(half, want[lang]) {
				t.Errorf("%s: nowhere %q", lang, want[lang])
			}
		}
	}
}

// Self-contained: no script, no style or handler in an attribute, nothing from
// elsewhere, and a policy that lets in exactly the page's own style sheet.
func TestThePageLoadsNothing(t *testing.T) {
	page := pageOf(t, richReport())
	for _, elsewhere := range []string{"http:", "https:", "//", "url(", "@import", "<script", "<iframe", "<img", "<link", "src=", "javascript:", "data:"} {
		if strings.Contains(page, elsewhere) {
			t.Errorf("the page holds %q", elsewhere)
		}
	}
	for _, x := range tag.FindAllString(page, -1) {
		if regexp.MustCompile(`\s(on\w+|style)=`).MatchString(x) || strings.Contains(x, "href=") && !strings.Contains(x, `href="#`) {
			t.Errorf("the page holds %s", x)
		}
	}
	style := page[strings.Index(page, "<style>")+len("<style>") : strings.Index(page, "</style>")]
	sum := sha256.Sum256([]byte(style))
	policy := "default-src &#39;none&#39;; style-src &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;; base-uri &#39;none&#39;; form-action &#39;none&#39;"
	if !strings.Contains(page, `http-equiv="Content-Security-Policy" content="`+policy) {
		t.Error("the policy does not let in exactly the page's style")
	}
}

// A language is chosen without script: a checked radio button before both halves, a
// label for each, and a rule that hides the other half.
func TestTheLanguageSwitchNeedsNoScript(t *testing.T) {
	page := pageOf(t, richReport())
	for _, x := range []string{
		`id="pick-en" checked`, `id="pick-de"`, `for="pick-en"`, `for="pick-de"`,
		"#pick-en:checked ~ .in-de, #pick-de:checked ~ .in-en { display: none; }", "prefers-color-scheme: dark", "@media print", "color-scheme: light dark;", `<meta name="color-scheme" content="light dark">`,
	} {
		if !strings.Contains(page, x) {
			t.Errorf("the page lacks %s", x)
		}
	}
}

// The names in a report are a shop's own. Whatever they hold, they stay text: the
// page has the same tags with the same attributes as with plain names.
func TestHostileNamesStayText(t *testing.T) {
	plain := pageOf(t, calledBy(richReport(), "x"))
	for _, evil := range []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `</style><style>*{display:none}`, `' onload='x`, `{{.R}}`, "]]>--><!--", "&lt;b&gt;", "\u202ereversed", "javascript:alert(1)"} {
		page := pageOf(t, calledBy(richReport(), evil))
		if got, want := shape(page), shape(plain); !slices.Equal(got, want) {
			t.Errorf("%q changed the page's tags", evil)
		}
	}
}

// calledBy gives every name of a shop in a report.
func calledBy(r Report, name string) Report {
	r.Tenant, r.Weights = name, name
	for i := range r.Segments {
		r.Segments[i].Name, r.Segments[i].Title = name, map[string]string{"de": name, "en": name}
		for j := range r.Segments[i].Channels {
			r.Segments[i].Channels[j].Channel = name
		}
	}
	for i := range r.Variants {
		r.Variants[i].Slot = name
		for j := range r.Variants[i].Rows {
			r.Variants[i].Rows[j].Variant, r.Variants[i].Rows[j].Factors = name, map[string]string{name: name}
		}
	}
	for i := range r.Unmet.Products {
		r.Unmet.Products[i].Product = name
	}
	for i := range r.Prices.Storefronts {
		r.Prices.Storefronts[i].Storefront, r.Prices.Storefronts[i].Channel = name, name
	}
	for i := range r.Files {
		r.Files[i].Name = name
	}
	r.Cost.Channels[0].Channel, r.Refusals[0].Rule, r.Refusals[0].En = name, name, name
	return r
}

// shape is a page's tags with the names of their attributes. A tooltip of a label
// that was cut is no difference.
func shape(page string) (out []string) {
	page = regexp.MustCompile(`(<text [^>]*>)<title>[^<]*</title>`).ReplaceAllString(page, "$1")
	for _, x := range tag.FindAllString(page, -1) {
		out = append(out, regexp.MustCompile(`"[^"]*"`).ReplaceAllString(x, `""`))
	}
	return out
}

// For who does not see it: tables have captions, charts a title and a description,
// ids are there once, and what is referred to is there.
func TestThePageCanBeReadAloud(t *testing.T) {
	page := pageOf(t, richReport())
	if tables, captions := strings.Count(page, "<table>"), strings.Count(page, "<table><caption><span>"); tables != captions || tables == 0 {
		t.Errorf("%d tables, %d captions", tables, captions)
	}
	charts := regexp.MustCompile(`<svg class="chart" viewBox="[^"]+" role="img" aria-labelledby="(\S+) (\S+)"><title id="(\S+)">[^<]+</title><desc id="(\S+)">[^<]+</desc>`).FindAllStringSubmatch(page, -1)
	if len(charts) != strings.Count(page, "<svg") {
		t.Errorf("%d of %d charts have words", len(charts), strings.Count(page, "<svg"))
	}
	for _, c := range charts {
		if c[1] != c[3] || c[2] != c[4] {
			t.Errorf("a chart is labelled by %s and %s", c[1], c[2])
		}
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(page, -1) {
		if seen[m[1]] {
			t.Errorf("id %s is there twice", m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` (?:aria-labelledby|for|href)="#?([^" ]+)`).FindAllStringSubmatch(page, -1) {
		if !seen[m[1]] {
			t.Errorf("nothing has id %s", m[1])
		}
	}
	if regexp.MustCompile(`<h3[^>]*>[^<]*</h3>\s*<h1`).MatchString(page) || strings.Count(page, "<h1>") != 2 {
		t.Error("each half wants one first heading")
	}
}

// WCAG 2.2, success criteria 1.4.3 and 1.4.11: text 4.5 to 1, what a chart draws 3 to 1.
func TestColoursCanBeRead(t *testing.T) {
	css, err := os.ReadFile("report/report.css")
	if err != nil {
		t.Fatal(err)
	}
	schemes := regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(string(css), -1)
	if len(schemes) != 3 {
		t.Fatalf("%d schemes, want light, dark and print", len(schemes))
	}
	for i, s := range schemes {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--(\w+): (#\w+);`).FindAllStringSubmatch(s, -1) {
			colour[m[1]] = m[2]
		}
		for _, paper := range []string{"paper", "soft"} {
			for _, ink := range []string{"ink", "quiet", "good", "bad", "two", "link", "one"} {
				if c := contrast(t, colour[ink], colour[paper]); c < 4.5 {
					t.Errorf("scheme %d: %s on %s has %.2f", i, ink, paper, c)
				}
			}
		}
		if c := contrast(t, colour["quiet"], colour["paper"]); c < 3 { // outlines the light part of a bar
			t.Errorf("scheme %d: the rest of a bar has %.2f", i, c)
		}
	}
}

// contrast is WCAG's ratio of relative luminances.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	l := func(hex string) (sum float64) {
		if hex = strings.TrimPrefix(hex, "#"); len(hex) == 3 {
			hex = hex[:1] + hex[:1] + hex[1:2] + hex[1:2] + hex[2:] + hex[2:]
		}
		for i, weight := range []float64{.2126, .7152, .0722} {
			n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
			if err != nil {
				t.Fatal(err)
			}
			c := float64(n) / 255
			if c <= .04045 {
				sum += weight * c / 12.92
			} else {
				sum += weight * math.Pow((c+.055)/1.055, 2.4)
			}
		}
		return sum
	}
	x, y := l(a), l(b)
	return (max(x, y) + .05) / (min(x, y) + .05)
}

func TestThePageIsTheSameBytes(t *testing.T) {
	one := pageOf(t, richReport())
	for range 5 {
		if pageOf(t, richReport()) != one {
			t.Fatal("the same report gave two pages")
		}
	}
}

// Every number of a language is written as that language does.
func TestNumbersAreWrittenInTheirLanguage(t *testing.T) {
	de, en := tongue{"de"}, tongue{"en"}
	for _, c := range []struct{ got, want string }{
		{de.int(1234567), "1.234.567"}, {en.int(1234567), "1,234,567"}, {en.int(-412), "−412"}, {en.int(999), "999"}, {en.int(-1000), "−1,000"},
		{de.money(81203311), "812.033,11"}, {en.money(-118.8), "−1.19"}, {en.money(-.3), "0.00"}, {de.percent(.2048), "20,5 %"}, {en.rate(.00566), "0.57 %"},
		{en.signed(en.int(0)), "0"}, {en.signed(en.int(25)), "+25"}, {en.edge(at(100.0), ""), "100"}, {en.edge(at(2.5), ""), "2.5"}, {en.edge(nil, "∞"), "∞"},
		{en.chance(.00004), "< 0.0001"}, {de.chance(.25), "0,2500"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// report.json keeps every field of Report under the name that docs/report.md gives.
func TestEveryFieldOfTheReportIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(richReport())
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if !bytes.Contains(doc, []byte("`"+name+"`")) {
			t.Errorf("docs/report.md does not name %s", name)
		}
	}
	for _, row := range regexp.MustCompile(`(?m)^\| (`+"`"+`[^|]+) \|`).FindAllSubmatch(doc, -1) {
		for name := range strings.SplitSeq(strings.ReplaceAll(string(row[1]), "`", ""), ", ") {
			if _, there := fields[name]; !there {
				t.Errorf("docs/report.md names %s, which is not there", name)
			}
		}
	}
	var back Report
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(back); err != nil || !bytes.Equal(again, body) {
		t.Errorf("report.json does not read back as it was: %v", err)
	}
}
