package config

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Desk says who runs a channel to a human. The zero Desk is the shop's own, with
// people at it.
type Desk struct {
	Vendor  string `yaml:"vendor"`   // "": the shop itself
	JoinURL string `yaml:"join_url"` // base of its links; "": offers.join_url
	Preload bool   `yaml:"preload"`  // its code loads with the page, before a click (ESC-02)
	Bot     bool   `yaml:"bot"`      // a machine answers first (ESC-05)
}

// ThirdParty reports that somebody else runs the channel.
func (d Desk) ThirdParty() bool { return d.Vendor != "" }

// Speakers are those whose words of disclosure the configuration has (ESC-05).
var Speakers = []string{"machine", "bot", "human"}

// SlotKinds are what a slot's variants may differ in.
var SlotKinds = []string{"content", "layout", "price_display", "consent_ui"}

// Experiment is a registered test (VAR-06).
type Experiment struct {
	ID         string          `yaml:"id"`
	Slots      []string        `yaml:"slots"` // empty: each slot that no other experiment names
	Hypothesis string          `yaml:"hypothesis"`
	Purpose    consent.Purpose `yaml:"purpose"`
	Basis      string          `yaml:"basis"`
	Metrics    []string        `yaml:"metrics"`
	Start      string          `yaml:"start"` // a day, inclusive
	End        string          `yaml:"end"`   // a day, exclusive
	Cells      []string        `yaml:"cells"` // what is told apart in reports; each at least exports.k
	StopRule   string          `yaml:"stop_rule"`
	DPONote    string          `yaml:"dpo_note"`
}

// Running reports that the test has begun and is not past its end.
func (e Experiment) Running(now time.Time, zone *time.Location) bool {
	start, err1 := time.ParseInLocation(time.DateOnly, e.Start, zone)
	end, err2 := time.ParseInLocation(time.DateOnly, e.End, zone)
	return err1 == nil && err2 == nil && !now.Before(start) && now.Before(end)
}

// Experiment finds the registered test that a slot belongs to.
func (c *Config) Experiment(slot string) (Experiment, bool) {
	if e, ok := find(c.Experiments, func(e Experiment) bool { return slices.Contains(e.Slots, slot) }); ok {
		return e, true
	}
	return find(c.Experiments, func(e Experiment) bool { return len(e.Slots) == 0 })
}

// DecisionType classes a kind of decision (ADM-01).
type DecisionType struct {
	Significance string `yaml:"significance"` // none | low | significant
	Ground       string `yaml:"art22_ground"` // contract | law | explicit_consent; needed if significant
}

// The closed lists of decision types.
var (
	DecisionTypes = []string{"escalate", "variant", "price"}
	Significances = []string{"none", "low", "significant"}
	Grounds       = []string{"", "contract", "law", "explicit_consent"}
)

// Claim is what a variant says about the environment (VAR-05).
type Claim struct {
	Text  string `yaml:"text"`
	Proof string `yaml:"proof"` // of a register, certificate or report; "": unproven
}

// green are words that make an environmental claim, in lower case.
var green = []string{
	"klimaneutral", "klimapositiv", "co2", "umweltfreundlich", "umweltschonend", "nachhaltig", "climate neutral", "climate-neutral",
	"climate_neutral", "carbon neutral", "carbon-neutral", "carbon_neutral", "sustainable", "eco-friendly", "eco_friendly",
}

// EnvironmentalClaims are those that the variant declares, and those that its
// factors make without declaring them: these have no proof.
func (v Variant) EnvironmentalClaims() []Claim {
	out := slices.Clone(v.Claims)
	for _, text := range v.Factors {
		low := strings.ToLower(text)
		declared := slices.ContainsFunc(v.Claims, func(c Claim) bool { return strings.EqualFold(c.Text, text) })
		if !declared && slices.ContainsFunc(green, func(w string) bool { return strings.Contains(low, w) }) {
			out = append(out, Claim{Text: text})
		}
	}
	slices.SortFunc(out, func(a, b Claim) int { return strings.Compare(a.Text, b.Text) })
	return out
}

var (
	quoted     = regexp.MustCompile(`'[^']*'`)
	identifier = regexp.MustCompile(`[a-zA-Z_][a-zA-Z0-9_]*`)
)

// Features are the names that the segment's condition reads, with the words of
// SQL between them, each once.
func (s Segment) Features() []string {
	names := identifier.FindAllString(quoted.ReplaceAllString(strings.ToLower(s.Where), ""), -1)
	slices.Sort(names)
	return slices.Compact(names)
}

// TagsOf collects the tags that the shop gave to features (SPC-04, SPC-07).
func (c *Config) TagsOf(features []string) []string {
	out := []string{}
	for _, name := range features {
		out = append(out, c.FeatureTags[name]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
