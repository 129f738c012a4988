package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/profile"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s differs (go test ./config -update):\n%s", path, got)
	}
}

func TestTheDefaultFileIsTheDefault(t *testing.T) {
	c, err := config.Parse(config.DefaultYAML())
	if err != nil {
		t.Fatal(err)
	}
	if string(c.Document()) != string(config.Default().Document()) || c.Segments[0].Line != config.Default().Segments[0].Line || c.Digest() != config.Default().Digest() {
		t.Errorf("got %+v", c)
	}
}

func TestAnEmptyFileIsTheDefault(t *testing.T) {
	for _, yaml := range []string{"", "\n", "# nothing\n", "---\n"} {
		if c, err := config.Parse([]byte(yaml)); err != nil || c.Digest() != config.Default().Digest() {
			t.Errorf("%q: %v", yaml, err)
		}
	}
}

func TestEveryMistakeIsReportedAtOnceWithItsLine(t *testing.T) {
	path := filepath.Join("testdata", "broken.yaml")
	yaml, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Parse(yaml)
	problems, ok := err.(config.Errors)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if len(problems) < 20 {
		t.Errorf("only %d problems", len(problems))
	}
	for _, p := range problems {
		if p.Line < 1 || p.Line > strings.Count(string(yaml), "\n") {
			t.Errorf("no such line: %s", p)
		}
	}
	golden(t, filepath.Join("testdata", "broken.txt"), []byte(err.Error()+"\n"))
}

func TestAMistakeSaysWhereItIsAndHowToMendIt(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"not YAML at all":               {"tenant: [a", "line 1: this is not YAML"},
		"a second document":             {"tenant: a\n---\ntenant: b", "remove the line ---"},
		"a list at the top":             {"- a", "want keys with values"},
		"a key twice":                   {"tenant: a\ntenant: b", "line 2: tenant: comes twice, first in line 1"},
		"no value":                      {"tenant: a\ncountry:\n", "line 2: country: has no value"},
		"a number for text":             {"tenant: 5", "want text, got the number 5; put it in quotes"},
		"text for a list":               {"cors_origins: https://shop.example", "want a list"},
		"a list for text":               {"tenant: [a]", "want text, got a list"},
		"a fraction for a whole number": {"exports: {k: 25.5}", "want a whole number, got the number 25.5"},
		"a number too large":            {"exports: {k: 99999999999999999999}", "want a whole number"},
		"not a number":                  {"offers: {holdout: .nan}", "want a number, got the number .nan"},
		"negative share":                {"offers: {holdout: -0.1}", "want a share from 0 to 1"},
		"an unknown key, far off":       {"offers: {zzzzzzz: 1}", "is not a known key; known are channels, hours"},
		"an alias to nothing":           {"cors_origins: *x", "*x stands for nothing"},
		"an alias to itself":            {"cors_origins: &x [*x]", "want text, got a list"},
		"a merge key":                   {"offers: {<<: {holdout: 0.1}}", "<< is not read"},
		"a tag":                         {"tenant: !!str a", "tags such as !!str are not read"},
		"two defaults in a slot":        {"slots: {s: {variants: [{id: a, default: true, legal_blocks: [withdrawal, order_button, price_shipping, imprint, privacy_consent, contact]}, {id: b, default: true, legal_blocks: [withdrawal, order_button, price_shipping, imprint, privacy_consent, contact]}]}}", "has 2 default variants"},
		"a default for some only":       {"slots: {s: {variants: [{id: a, default: true, needs_login: true}]}}", "must suit everybody"},
		"a default without its imprint": {"slots: {s: {variants: [{id: a, default: true, legal_blocks: [contact]}]}}", "all legal_blocks"},
		"a slot without variants":       {"slots: {s: {variants: []}}", "needs a default variant"},
		"no way to a human":             {"contact: {phone: '', email: '', url: ''}", "names no way to a human"},
		"sharing by another name":       {"exports: {channels: [{name: a, purpose: marketing_email, recipient: r, role: controller}]}", "ads_third_party or data_sharing only"},
		"an unknown special segment":    {"segments: [{name: a, title: {de: A, en: A}, where: a > 0, special: healthy}]", "is not one of the values"},
		"a sensitive export":            {"exports: {channels: [{name: a, purpose: 'special_category:health', recipient: r, role: processor}]}", "no purpose that segments may leave for"},
		"a hint above the human":        {"offers: {need_hint: 50, need_human: 50}", "a hint comes first"},
		"a scorecard of other features": {"scorecard: {features_version: abc}", "line 1: scorecard.features_version: is \"abc\", but the features are of version"},
		"a file beyond all measure":     {strings.Repeat("#", 1<<20) + "\n", "cannot be right"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := config.Parse([]byte(c.yaml))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestWhatAFileNamesReplacesTheDefault(t *testing.T) {
	c, err := config.Parse([]byte("offers:\n  holdout: 0.1\n  hours:\nsegments:\n  - name: a\n    title: {de: A, en: A}\n    where: orders_90d > 0\nevents: {late_after: 24h}\ncors_origins: &o [https://a.example]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Offers.Holdout != 0.1 || c.Offers.NeedHuman != config.Default().Offers.NeedHuman || c.Events.LateAfter != 24*time.Hour {
		t.Errorf("offers %+v, events %+v", c.Offers, c.Events)
	}
	if len(c.Segments) != 1 || c.Segments[0].Line != 5 {
		t.Errorf("segments %+v", c.Segments)
	}
	if c.Digest() == config.Default().Digest() {
		t.Error("another configuration has the same digest")
	}
}

func TestTheDigestDoesNotDependOnLayout(t *testing.T) {
	c, err := config.Parse(append([]byte("# moved down\n\n\n"), config.DefaultYAML()...))
	if err != nil || c.Digest() != config.Default().Digest() || c.Segments[0].Line != config.Default().Segments[0].Line+3 {
		t.Errorf("%v", err)
	}
}

// What design.md and the contract between the rooms promise of the default.
func TestTheDefaultHoldsWhatIsPromised(t *testing.T) {
	c := config.Default()
	n, ok := c.Notice("1")
	if !ok || n.Languages["de"] == "" || n.Languages["en"] == "" {
		t.Error("notice 1 in de and en")
	}
	if _, ok := c.UIVersion("banner-1"); !ok {
		t.Error("ui banner-1")
	}
	if _, ok := c.Notice("2"); ok {
		t.Error("notice 2 is unknown")
	}
	for _, p := range []consent.Purpose{consent.Analytics, consent.PersonalisationContent, consent.AdviserAssist, consent.Experimentation, consent.AdsThirdParty, consent.MarketingEmail} {
		if !slices.Contains(n.Purposes, p) {
			t.Errorf("notice 1 does not name %s", p)
		}
	}
	if c.Exports.K != 25 || c.Offers.Holdout != 0.05 || len(c.Offers.Hours) != 0 || !slices.Equal(c.Offers.Channels, config.Channels) {
		t.Errorf("k %d, offers %+v", c.Exports.K, c.Offers)
	}
	if len(c.Segments) < 6 || len(c.Slots["home_hero"].Variants) < 30 || len(c.Slots["product_help"].Variants) == 0 || len(c.Scorecard.Features) < 10 {
		t.Error("segments, variants, scorecard")
	}
	if !c.Events.RequireStamp || c.Events.AheadAfter != 5*time.Minute || c.Events.LateAfter != 168*time.Hour || c.Prices.Personalised {
		t.Errorf("events %+v, prices %+v", c.Events, c.Prices)
	}
}

// Value moves the queue; it is no sign of need (R3), nor is what points at a person.
func TestTheDefaultScorecardLooksAtNeedAlone(t *testing.T) {
	for _, f := range config.Default().Scorecard.Features {
		if slices.Contains([]string{profile.CartValueCents, profile.CartUnits, profile.PastOrders, profile.HourBand}, f.Name) {
			t.Errorf("%s is scored", f.Name)
		}
	}
}

func TestVariantsWithoutALegalBlockAreKnown(t *testing.T) {
	for _, s := range config.Default().Slots {
		for _, v := range s.Variants {
			if v.MissingLegal() {
				t.Errorf("%s lacks a block", v.ID)
			}
		}
	}
	if !(config.Variant{Blocks: config.LegalBlocks[1:]}).MissingLegal() {
		t.Error("a variant without the withdrawal function passed")
	}
}

func TestCategoryTagsAreACopy(t *testing.T) {
	c, err := config.Parse([]byte("sensitive_categories: {maternity: pregnancy}"))
	if err != nil {
		t.Fatal(err)
	}
	tags := c.CategoryTags()
	tags["maternity"] = ""
	if c.CategoryTags()["maternity"] != "pregnancy" {
		t.Error("the configuration was changed")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(config.DefaultYAML())
	if b, err := os.ReadFile(filepath.Join("testdata", "broken.yaml")); err == nil {
		f.Add(b)
	}
	f.Add([]byte("a: &a [*a, *a]\nb: ? x\n: y"))
	f.Fuzz(func(t *testing.T, yaml []byte) {
		c, err := config.Parse(yaml)
		if (err == nil) == (c == nil) {
			t.Fatalf("%v and %v", c, err)
		}
		if err != nil && err.Error() == "" {
			t.Fatal("a problem without words")
		}
	})
}
