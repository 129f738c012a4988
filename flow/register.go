package flow

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// Register says which purposes may run on a day, by the configuration's register
// (LAW-01). The zero Register lets none.
type Register struct {
	verdicts map[consent.Purpose]policy.ProcessingVerdict
}

// Registered asks the rules about every purpose. features are those that offers
// look at (OfferFeatures). An error means that nobody could find out: then nothing may run.
func Registered(ctx context.Context, rules *policy.Rules, cfg *config.Config, features []string, now time.Time) (Register, error) {
	r := Register{verdicts: make(map[consent.Purpose]policy.ProcessingVerdict, len(consent.Purposes))}
	for _, p := range consent.Purposes {
		v, err := rules.Processing(ctx, ProcessingFacts(cfg, p, deployed(cfg, p, features), now))
		if err != nil {
			return Register{}, fmt.Errorf("judging the register: %w", err)
		}
		r.verdicts[p] = v
	}
	return r, nil
}

// papers are what the register let run on a day, under the scorecards of a night.
type papers struct {
	day, scorecards string
	Register
}

// registered gives what the register lets run today. It is judged once a day, and
// when the night publishes another scorecard.
func (f *Flow) registered(ctx context.Context) (Register, error) {
	now, features, scorecards := f.now(), OfferFeatures(f.cfg), ""
	if n := f.night.Load(); n != nil {
		features, scorecards = n.features, n.scorecardDigest+n.gainDigest
	}
	day := now.Format(time.DateOnly)
	if p := f.papers.Load(); p != nil && p.day == day && p.scorecards == scorecards {
		return p.Register, nil
	}
	r, err := Registered(ctx, f.rules, f.cfg, features, now)
	if err != nil {
		return Register{}, unavailable("reading the register", err)
	}
	f.papers.Store(&papers{day: day, scorecards: scorecards, Register: r})
	return r, nil
}

// Warnings says, a line each, what the register stops today, and why, and whether
// the night's scorecard is not used.
func (f *Flow) Warnings(ctx context.Context) ([]string, error) {
	pub, err := f.publication(ctx)
	if err != nil {
		return nil, err
	}
	r, err := f.registered(ctx)
	if err != nil {
		return nil, err
	}
	out := r.Warnings(f.rules)
	if pub.refused != nil {
		out = append(out, fmt.Sprintf("%s scores by the configured scorecard %s, not by the night's: %v", consent.AdviserAssist, pub.scorecard.Version, pub.refused))
	}
	return out, nil
}

// Runs reports whether a purpose may run.
func (r Register) Runs(p consent.Purpose) bool { return r.verdicts[p].Allowed }

// Verdict is what the rules say about a purpose.
func (r Register) Verdict(p consent.Purpose) policy.ProcessingVerdict { return r.verdicts[p] }

// Uses reports whether a purpose's decisions may use a feature or column that is
// deployed for it (LAW-05).
func (r Register) Uses(p consent.Purpose, feature string) bool {
	v := r.verdicts[p]
	return v.Allowed && v.Dropped[feature] == nil
}

// Warnings says, a line each, which purposes may not run and why, and which
// features they go on without.
func (r Register) Warnings(rules *policy.Rules) []string {
	var out []string
	for _, p := range consent.Purposes {
		v := r.verdicts[p]
		if !v.Allowed {
			out = append(out, fmt.Sprintf("%s does not run: %s", p, why(rules, v.Rules)))
			continue
		}
		for _, feature := range slices.Sorted(maps.Keys(v.Dropped)) {
			out = append(out, fmt.Sprintf("%s goes on without %s: %s", p, feature, why(rules, v.Dropped[feature])))
		}
	}
	return out
}

func why(rules *policy.Rules, ids []string) string {
	words := make([]string, 0, len(ids))
	for _, r := range rules.ReasonsIn(policy.EntryProcessing, ids) {
		words = append(words, r.Rule+" ("+r.Title+")")
	}
	return strings.Join(words, ", ")
}

// deployed names the features that decisions of a purpose use now.
func deployed(cfg *config.Config, p consent.Purpose, features []string) (out []string) {
	switch p {
	case consent.AdviserAssist:
		out = append(slices.Clone(features), valueTier)
	case consent.PersonalisationContent:
		for _, s := range cfg.Segments {
			out = append(out, s.Columns()...)
		}
	case consent.Analytics:
		for _, f := range profile.Catalogue() {
			if slices.Contains(f.Purposes, p) {
				out = append(out, f.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ProcessingFacts are the facts of one purpose: what the register says, and how
// it compares with the features that are deployed.
func ProcessingFacts(cfg *config.Config, p consent.Purpose, features []string, now time.Time) policy.ProcessingInput {
	entries := cfg.Processings(p)
	in := policy.ProcessingInput{
		Purpose: p, Entries: int64(len(entries)), Gated: p.Gated(), Special: p.Special(), ChildDirected: cfg.ChildShop, DPF: cfg.Register.Transfers.DPF,
		RecipientsListed: len(entries) > 0,
	}
	for i, e := range entries { // of several the strictest counts
		in.Bases, in.Art9 = addOnce(in.Bases, cmp.Or(e.Basis, "none")), addOnce(in.Art9, cmp.Or(e.Art9, "none"))
		if i == 0 {
			in.RetentionDays, in.LookbackDays = int64(e.RetentionDays), int64(e.LookbackDays)
		}
		in.RetentionDays, in.LookbackDays = min(in.RetentionDays, int64(e.RetentionDays)), min(in.LookbackDays, int64(e.LookbackDays))
		in.RecipientsListed = in.RecipientsListed && len(e.Recipients) > 0
		in.DeviceAccess, in.Profiling = in.DeviceAccess || e.DeviceAccess, in.Profiling || e.Profiling
		in.DPIARequired = in.DPIARequired || e.DPIARequired
		for _, id := range e.Identifiers {
			in.Identifiers = append(in.Identifiers, identifierFact(cfg, p, id))
		}
		for _, from := range e.Sources {
			in.Sources = append(in.Sources, policy.SourceFact{Purpose: from, Compatible: compatible(cfg, from, p)})
		}
	}
	reached := reachedBy(cfg, p)
	for _, id := range reached {
		in.Recipients = append(in.Recipients, partyFact(cfg, id))
	}
	in.Features = featureFacts(entries, features)
	if len(entries) > 0 {
		in.LIA, in.DPIA = liaFact(cfg, entries, now), dpiaFact(cfg, entries, features, reached, now)
	}
	return in
}

// reachedBy names whom a purpose's data reach: by the register, and by the channels
// that are deployed for it. A channel to nobody of the register is for EXP-08 to stop.
func reachedBy(cfg *config.Config, p consent.Purpose) (out []string) {
	for _, e := range cfg.Processings(p) {
		for _, id := range e.Recipients {
			out = addOnce(out, id)
		}
	}
	for _, c := range cfg.Exports.Channels {
		if _, ok := cfg.RecipientNamed(c.Recipient); ok && c.Purpose == p {
			out = addOnce(out, c.Recipient)
		}
	}
	return out
}

// shared is what all entries name alike, "" if they differ: an assessment of one
// group of persons is none of another.
func shared(entries []config.Processing, name func(config.Processing) string) string {
	for _, e := range entries {
		if name(e) != name(entries[0]) {
			return ""
		}
	}
	return name(entries[0])
}

func addOnce(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func partyFact(cfg *config.Config, id string) policy.PartyFact {
	r, _ := cfg.RecipientNamed(id)
	return policy.PartyFact{
		ID: id, Role: r.Role, Contract: strings.TrimSpace(r.Contract) != "", Country: r.Country, Transfer: r.Transfer,
		Assessed: strings.TrimSpace(r.Assessment) != "",
	}
}

func identifierFact(cfg *config.Config, p consent.Purpose, id string) policy.IdentifierFact {
	x, _ := cfg.IdentifierNamed(id)
	return policy.IdentifierFact{
		ID: id, Allowed: slices.Contains(x.Purposes, p), Exempt: slices.Contains(x.Exempt, p), OnDevice: x.Kind == "cookie" || x.Kind == "storage",
	}
}

// compatible reports that a purpose lists another one for its data (Art. 6(4)).
func compatible(cfg *config.Config, from, to consent.Purpose) bool {
	return from == to || slices.ContainsFunc(cfg.Processings(from), func(e config.Processing) bool { return slices.Contains(e.Compatible, to) })
}

func featureFacts(entries []config.Processing, deployed []string) []policy.FeatureFact {
	out := make([]policy.FeatureFact, 0, len(deployed))
	for _, name := range deployed {
		feature, days := config.Windowed(name)
		listed := len(entries) > 0 && !slices.ContainsFunc(entries, func(e config.Processing) bool { return !slices.Contains(e.Features, feature) })
		out = append(out, policy.FeatureFact{Name: name, Listed: listed, Days: int64(days)})
	}
	return out
}

func liaFact(cfg *config.Config, entries []config.Processing, now time.Time) policy.LIAFact {
	l, ok := cfg.LIANamed(shared(entries, func(e config.Processing) string { return e.LIA }))
	if !ok {
		return policy.LIAFact{}
	}
	at, whole := config.Date(l.ApprovedAt)
	for _, part := range []string{l.Interest, l.Necessity, l.Balancing, l.Safeguards, l.ObjectionRoute} {
		whole = whole && strings.TrimSpace(part) != ""
	}
	return policy.LIAFact{Complete: whole, Covers: slices.Contains(l.Purposes, entries[0].Purpose), ApprovedBy: strings.TrimSpace(l.ApprovedBy), AgeMonths: max(monthsSince(at, now, time.UTC), 0)}
}

func dpiaFact(cfg *config.Config, entries []config.Processing, deployed, reached []string, now time.Time) policy.DPIAFact {
	d, ok := cfg.DPIANamed(shared(entries, func(e config.Processing) string { return e.DPIA }))
	if !ok {
		return policy.DPIAFact{}
	}
	until, dated := config.Date(d.ReviewBy)
	f := policy.DPIAFact{
		Covers: slices.Contains(d.Purposes, entries[0].Purpose), Approved: d.Decision.Approved && d.Decision.At != "" && d.Opinion.At != "",
		Expired: !dated || !now.Before(until), OpinionBy: strings.TrimSpace(d.Opinion.By), DecisionBy: strings.TrimSpace(d.Decision.By),
	}
	for _, name := range deployed {
		if feature, _ := config.Windowed(name); !slices.Contains(d.Features, feature) {
			f.UnassessedFeatures = append(f.UnassessedFeatures, name)
		}
	}
	for _, id := range reached {
		if !slices.Contains(d.Recipients, id) {
			f.UnassessedRecipients = append(f.UnassessedRecipients, id)
		}
	}
	return f
}

// Paperwork gives what the register lets run today, the features deployed for each
// purpose, and the words of the rules that it was judged by.
func (f *Flow) Paperwork(ctx context.Context) (Register, map[consent.Purpose][]string, func(ids []string) []policy.Reason, error) {
	r, err := f.registered(ctx)
	if err != nil {
		return Register{}, nil, nil, err
	}
	looked := OfferFeatures(f.cfg)
	if n := f.night.Load(); n != nil {
		looked = n.features
	}
	features := map[consent.Purpose][]string{}
	for _, p := range consent.Purposes {
		features[p] = deployed(f.cfg, p, looked)
	}
	return r, features, func(ids []string) []policy.Reason { return f.rules.ReasonsIn(policy.EntryProcessing, ids) }, nil
}
