package config_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// mistakes parses a file that must be refused, and gives what it is refused for.
func mistakes(t *testing.T, yaml string) string {
	t.Helper()
	_, err := config.Parse([]byte(yaml))
	if err == nil {
		t.Fatalf("accepted:\n%s", yaml)
	}
	return err.Error()
}

// VAR-06: the default shop's slots belong to a registered test, and so do a small
// shop's own, whatever the clock says.
func TestVAR06AllowSlotsOfTheDefaultTest(t *testing.T) {
	c, err := config.Parse([]byte("slots: {mine: {variants: [{id: a, default: true, legal_blocks: [withdrawal, order_button, price_shipping, imprint, privacy_consent, contact]}]}}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range []string{"home_hero", "mine"} {
		e, ok := c.Experiment(slot)
		for _, year := range []int{2008, 2026, 2030} {
			if now := time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC); !ok || !e.Running(now, time.UTC) {
				t.Errorf("%s is in no running test in %d", slot, year)
			}
		}
	}
}

// VAR-06: a test without an end, a hypothesis, metrics or a note is not registered.
func TestVAR06DenyHalfATest(t *testing.T) {
	got := mistakes(t, `experiments: [{id: a, slots: [nowhere], purpose: ads_third_party, basis: x, start: "2026-12-01", end: "2026-11-01"}]`)
	for _, want := range []string{
		"experiments[0].hypothesis: is empty", "experiments[0].metrics: is empty", "experiments[0].cells: is empty", "experiments[0].stop_rule: is empty",
		"experiments[0].dpo_note: is empty", "a test ends after it began", `there is no slot "nowhere"`, "is no purpose of a test",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("not said: %s\n%s", want, got)
		}
	}
	if e := (config.Experiment{Start: "2026-11-01", End: "2026-11-15"}); e.Running(time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC), time.UTC) {
		t.Error("a test runs past its end")
	}
}

func TestWhoSpeaksWhatWeighsAndWhoRunsAChannelIsChecked(t *testing.T) {
	got := mistakes(t, `
offers:
  desks: {fax: {vendor: F}, chat: {join_url: "chat.example"}}
  disclosures: {machine: {de: "Ein Programm."}, butler: {de: B, en: B}}
  review_cases: 0
decision_types: {escalate: {significance: huge}, export: {significance: low}}
feature_tags: {pace: ["a b"]}
slots: {s: {kind: colour, variants: [{id: a, ui: banner-9, claims: [{text: ""}]}]}}
`)
	for _, want := range []string{
		"offers.desks.fax", "offers.desks.chat.join_url", "offers.disclosures.machine: says nothing in en", "offers.disclosures.bot: says nothing",
		"offers.disclosures.butler", "offers.review_cases: is 0", `decision_types.escalate.significance: "huge"`, "decision_types.export",
		"does not class variant, price", "feature_tags.pace[0]", "slots.s.kind", "slots.s.variants[0].ui", "slots.s.variants[0].claims[0].text",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("not said: %s\n%s", want, got)
		}
	}
}

// VAR-05: words that make a claim are found where nobody declared one.
func TestVAR05DenyClaimsThatNobodyDeclared(t *testing.T) {
	for text, want := range map[string]int{"Klimaneutral geliefert": 1, "CO2-frei": 1, "sustainable wool": 1, "new season": 0} {
		v := config.Variant{Factors: map[string]string{"headline": text}}
		if got := v.EnvironmentalClaims(); len(got) != want || want == 1 && got[0].Proof != "" {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestVAR05AllowDeclaredClaimWithItsProof(t *testing.T) {
	v := config.Variant{Factors: map[string]string{"headline": "Klimaneutral geliefert"}, Claims: []config.Claim{{Text: "klimaneutral geliefert", Proof: "p"}}}
	if got := v.EnvironmentalClaims(); len(got) != 1 || got[0].Proof != "p" {
		t.Errorf("%+v", got)
	}
	for name, slot := range config.Default().Slots {
		for _, v := range slot.Variants {
			if len(v.EnvironmentalClaims()) > 0 {
				t.Errorf("%s/%s claims %+v", name, v.ID, v.EnvironmentalClaims())
			}
		}
	}
}

// SPC-04, SPC-07: neither the catalogue nor the default segments read a proxy or a
// weakness; what the shop tags is found in a condition.
func TestSPC04AllowDefaultSegmentsAndCatalogue(t *testing.T) {
	c := config.Default()
	var names []string
	for _, s := range c.Segments {
		names = append(names, s.Features()...)
	}
	for _, f := range profile.Catalogue() {
		names = append(names, f.Name)
		if len(f.Tags) == 0 {
			t.Errorf("%s has no tags", f.Name)
		}
		names = append(names, f.Tags...)
	}
	rules, err := policy.Load(context.Background(), policy.Settings{}, policy.EntryPersonalise)
	if err != nil {
		t.Fatal(err)
	}
	for planted, want := range map[string]bool{"": false, "surname_origin_score": true} {
		v, _, err := rules.Variant(context.Background(), policy.VariantInput{UsesProfile: true, SegmentFeatures: append(names, planted)})
		if got := slices.Contains(v.Rules, "SPC-04") || slices.Contains(v.Rules, "SPC-07"); err != nil || got != want {
			t.Errorf("with %q: refused by %v, %v", planted, v.Rules, err)
		}
	}
}

func TestSPC04DenyTaggedColumnInACondition(t *testing.T) {
	s := config.Segment{Where: "Postcode_5 = 'proxy value' and orders_90d > 2"}
	if got := s.Features(); !slices.Equal(got, []string{"and", "orders_90d", "postcode_5"}) {
		t.Errorf("reads %v", got)
	}
	c := config.Config{FeatureTags: map[string][]string{"orders_90d": {"vulnerability"}}}
	if got := c.TagsOf(s.Features()); !slices.Equal(got, []string{"vulnerability"}) {
		t.Errorf("tags %v", got)
	}
}
