package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// service checks who speaks, what is decided by machine, and what is tested.
func (k *checker) service() {
	k.desks()
	k.decisionTypes()
	k.featureTags()
	k.experiments()
	k.within(int64(k.c.Offers.ReviewCases), 1, 1_000_000, "offers.review_cases")
	k.within(int64(k.c.Retention.RecordingDays), 0, 365, "retention.recording_days")
}

func (k *checker) desks() {
	for _, name := range slices.Sorted(maps.Keys(k.c.Offers.Desks)) {
		path := under("offers.desks", name)
		k.oneOf(name, path, Channels)
		k.address(k.c.Offers.Desks[name].JoinURL, path+".join_url")
	}
	for _, name := range slices.Sorted(maps.Keys(k.c.Offers.Disclosures)) {
		k.oneOf(name, under("offers.disclosures", name), Speakers)
	}
	for _, who := range Speakers {
		for _, l := range []string{"de", "en"} {
			k.want(strings.TrimSpace(k.c.Offers.Disclosures[who][l]) != "", under("offers.disclosures", who), "says nothing in %s; who speaks must say what they are (ESC-05)", l)
		}
	}
}

func (k *checker) decisionTypes() {
	for _, name := range slices.Sorted(maps.Keys(k.c.Decisions)) {
		path, d := under("decision_types", name), k.c.Decisions[name]
		k.oneOf(name, path, DecisionTypes)
		k.oneOf(d.Significance, path+".significance", Significances)
		if !slices.Contains(Grounds, d.Ground) {
			k.oneOf(d.Ground, path+".art22_ground", Grounds[1:])
		}
	}
	missing := slices.DeleteFunc(slices.Clone(DecisionTypes), func(name string) bool { _, ok := k.c.Decisions[name]; return ok })
	k.want(len(missing) == 0, "decision_types", "does not class %s; write for instance price: {significance: low} (ADM-01)", strings.Join(missing, ", "))
}

func (k *checker) featureTags() {
	for _, name := range slices.Sorted(maps.Keys(k.c.FeatureTags)) {
		for i, tag := range k.c.FeatureTags[name] {
			k.want(plainName.MatchString(tag), at(under("feature_tags", name), i), "%q is no tag; want a word such as proxy or vulnerability", tag)
		}
	}
}

// experiments: a test that does not say what it wants to know, and when it ends,
// is not registered (VAR-06).
func (k *checker) experiments() {
	for i, e := range k.c.Experiments {
		path := at("experiments", i)
		k.text(e.ID, path+".id")
		k.text(e.Hypothesis, path+".hypothesis")
		k.text(e.Basis, path+".basis")
		k.text(e.StopRule, path+".stop_rule")
		k.text(e.DPONote, path+".dpo_note")
		if k.purpose(e.Purpose, path+".purpose"); e.Purpose.Known() {
			k.want(e.Purpose == consent.Experimentation || e.Purpose == consent.PersonalisationContent || !e.Purpose.Gated(), path+".purpose", "%s is no purpose of a test; want experimentation", e.Purpose)
		}
		k.want(len(e.Metrics) > 0, path+".metrics", "is empty; name what the test is decided by")
		k.want(len(e.Cells) > 0, path+".cells", "is empty; name what is told apart")
		start, err1 := time.Parse(time.DateOnly, e.Start)
		end, err2 := time.Parse(time.DateOnly, e.End)
		k.want(err1 == nil, path+".start", "%q is no day; want 2026-11-21", e.Start)
		k.want(err2 == nil, path+".end", "%q is no day; want 2026-12-05", e.End)
		k.want(err1 != nil || err2 != nil || start.Before(end), path+".end", "%s is not after %s; a test ends after it began", e.End, e.Start)
		for j, s := range e.Slots {
			_, ok := k.c.Slots[s]
			k.want(ok, at(path+".slots", j), "there is no slot %q", s)
		}
	}
	k.unique(names(k.c.Experiments, func(e Experiment) string { return e.ID }), "experiments", "id")
}

// slotService checks what a slot's variants differ in.
func (k *checker) slotService(name string, s Slot) {
	path := under("slots", name)
	if s.Kind != "" {
		k.oneOf(s.Kind, path+".kind", SlotKinds)
	}
	for i, v := range s.Variants {
		for j, c := range v.Claims {
			k.text(c.Text, at(at(path+".variants", i)+".claims", j)+".text")
		}
		if _, ok := k.c.UIVersion(v.UI); !ok && v.UI != "" {
			k.bad(at(path+".variants", i)+".ui", "%q is not in ui_versions", v.UI)
		}
	}
}
