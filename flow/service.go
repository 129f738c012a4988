package flow

import (
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// Disclosure says in plain words who speaks: a machine, a bot or a human (ESC-05).
type Disclosure struct {
	De string `json:"de"`
	En string `json:"en"`
}

// spoken are the configured words about a speaker.
func (f *Flow) spoken(who string) Disclosure {
	return Disclosure{De: f.cfg.Offers.Disclosures[who]["de"], En: f.cfg.Offers.Disclosures[who]["en"]}
}

// whole reports words in both languages.
func (d Disclosure) whole() bool {
	return strings.TrimSpace(d.De) != "" && strings.TrimSpace(d.En) != ""
}

// answerer names who answers first on a channel, and what the visitor reads about it.
func (f *Flow) answerer(channel string) (speaker string, says Disclosure) {
	if f.cfg.Offers.Desks[channel].Bot {
		return SpeakerMachine, f.spoken("bot")
	}
	return SpeakerHuman, f.spoken("human")
}

// preloaded are the channels whose vendor loads before the visitor's click (ESC-02).
func (f *Flow) preloaded() []string {
	out := []string{}
	for _, ch := range f.cfg.Offers.Channels {
		if d := f.cfg.Offers.Desks[ch]; d.ThirdParty() && d.Preload {
			out = append(out, ch)
		}
	}
	return out
}

// catalogueTags are the tags of each session feature.
var catalogueTags = func() map[string][]string {
	out := map[string][]string{}
	for _, x := range profile.Catalogue() {
		out[x.Name] = x.Tags
	}
	return out
}()

// tagsOf are the tags of features, from the catalogue and from the shop (SPC-04, SPC-07).
func (f *Flow) tagsOf(names []string) []string {
	out := f.cfg.TagsOf(names)
	for _, n := range names {
		out = append(out, catalogueTags[n]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// tested is what the register of experiments says of a slot (VAR-06).
func (f *Flow) tested(name string, s config.Slot, now time.Time) policy.TestFact {
	fact := policy.TestFact{Exempt: strings.TrimSpace(s.NoTest) != "", Metrics: []string{}}
	if e, ok := f.cfg.Experiment(name); ok && !fact.Exempt {
		fact.Registered, fact.Running, fact.Metrics = true, e.Running(now, f.zone), append(fact.Metrics, e.Metrics...)
	}
	return fact
}

// claims are a variant's words about the environment, each with its proof (VAR-05).
func claims(v config.Variant) []policy.ClaimFact {
	out := []policy.ClaimFact{}
	for _, c := range v.EnvironmentalClaims() {
		out = append(out, policy.ClaimFact{Text: c.Text, ProofID: strings.TrimSpace(c.Proof)})
	}
	return out
}

// fairUI reports that a consent UI would give valid consents, and that its review
// found no pattern: only such banners are compared (VAR-04, CON-06).
func (f *Flow) fairUI(v config.Variant, now time.Time) bool {
	u, ok := f.cfg.UIVersion(v.UI)
	harder := u.AcceptClicks > 0 && max(u.RejectClicks, u.WithdrawClicks) > u.AcceptClicks
	return ok && sound(u, now) && u.RejectFirst && u.Equal && u.Default == "off" && !harder && len(u.Review.Patterns) == 0
}
