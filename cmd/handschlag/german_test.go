package main

import (
	"context"
	"regexp"
	"slices"
	"testing"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/policy"
)

// Nothing English stays in the legal bases that German papers print.
func TestLawsAreNamedInGerman(t *testing.T) {
	english := regexp.MustCompile(`\b(GDPR|recitals?|CJEU|EDPB|Directive|Dir|Reg|Act|no|and|to|none|Annex|Guidelines|Recommendations)\b`)
	list, err := policy.NewRegister(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list.Rules {
		if de := law(r.LegalBasis, "de"); english.MatchString(de) {
			t.Errorf("%s: %s", r.ID, de)
		}
		if law(r.LegalBasis, "en") != r.LegalBasis {
			t.Errorf("%s: changed in English", r.ID)
		}
	}
}

// Every key of the default register has words.
func TestKeysOfTheRegisterHaveWords(t *testing.T) {
	cfg := config.Default()
	keys := slices.Concat(config.Roles, config.TransferTools, config.RiskLevels, patterns)
	for _, p := range cfg.Register.Processings {
		keys = append(append(keys, p.Subjects...), p.DataCategories...)
	}
	for _, u := range cfg.UI {
		keys = append(keys, u.Component, u.Default)
	}
	for _, k := range keys {
		if w := paperWords[k]; w[0] == "" || w[1] == "" {
			t.Errorf("%q has no words", k)
		}
	}
}
