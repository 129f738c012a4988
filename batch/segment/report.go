package segment

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// Report is report.json: the night in numbers, all read from what is stored.
// Numbers of persons are told in steps of k, null under k, and again until the true one has
// left the step by k; toldkinds.go says of each number what it is and how it is told.
type Report struct {
	AsOf       time.Time        `json:"as_of"`
	Tenant     string           `json:"tenant"`
	K          int              `json:"k"`
	Step       int64            `json:"step"`    // that numbers of persons go in; 0: of an earlier version, exact
	Persons    *int64           `json:"persons"` // with features
	Buyers     *int64           `json:"buyers"`
	Thresholds Thresholds       `json:"rfm_thresholds"`
	Segments   []Segment        `json:"segments"`
	Suppressed []Suppressed     `json:"suppressed"`
	Features   []FeatureCount   `json:"features"`
	Use        []KindCount      `json:"use_last_day"` // under analytics
	Totals     map[string]int64 `json:"totals"`       // admitted, refused, invalid, duplicate: events since counting began
	Refusals   []RuleCount      `json:"refusals"`
	LeftOut    []RuleCount      `json:"left_out_last_day"` // stored events that may not be evaluated any more, by the night's rules
	Offers     []OfferCount     `json:"offers"`
	Decisions  map[string]int64 `json:"decisions"` // by action
	Slots      map[string]int   `json:"variants"`  // by slot
	Weights    string           `json:"weights"`
	Protection *Protection      `json:"price_protection,omitempty"`

	// What the night learned; null until somebody fills it (reportsections.go).
	Value    *ValueSection    `json:"value"`
	Micro    []MicroSegment   `json:"micro_segments"`
	Need     *NeedSection     `json:"need"`
	Offer    *OfferSection    `json:"offer_effect"`
	Variants []VariantSection `json:"variant_board"`

	// What needs no learning (reportfacts.go).
	Fresh     Freshness      `json:"freshness"`
	Unmet     *Unmet         `json:"unmet_needs"`
	Prices    *PriceFairness `json:"price_fairness"`
	Cost      *Cost          `json:"cost_of_consent"`
	Retention []Kept         `json:"retention"`
	PastTerm  []LetGo        `json:"past_term"` // goes after this night

	// What depends on the night before, too.
	Files   []ReportFile    `json:"files"`
	Changes []SegmentChange `json:"segment_changes"`
	LetGo   []LetGo         `json:"let_go"` // null: there is no night before

	ToldBefore []ToldBefore `json:"told_before"` // and not tonight
}

// ReportFile is a published file as the report shows it; the manifest has the rest, for
// recipients.
type ReportFile struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	Segment string `json:"segment,omitempty"`
	Channel string `json:"channel,omitempty"`
	Rows    *int64 `json:"rows"` // null: not told, of changes never
	SHA256  string `json:"sha256"`
	Label   string `json:"label,omitempty"`
}

// FeatureCount says how many persons a feature says something about.
type FeatureCount struct {
	Column
	Persons *int64 `json:"persons"` // for whom it is above zero
}

// KindCount is the number of events of a kind on the last ingest day.
type KindCount struct {
	Kind   string `json:"kind"`
	Events int64  `json:"events"`
}

// RuleCount is how often a rule refused, in the rule's own words.
type RuleCount struct {
	Rule  string `json:"rule"`
	De    string `json:"de,omitempty"`
	En    string `json:"en,omitempty"`
	Count int64  `json:"count"`
}

// OfferCount is for how many the offer ladder ended on a rung, and why most often: subjects, each
// once; a decision that names nobody counts for itself.
type OfferCount struct {
	Offer   string      `json:"offer"`
	Count   int64       `json:"count"`
	Reasons []RuleCount `json:"reasons"`
}

// Commonest are the reasons that the page shows, by how often they are told: chosen before
// that, one act would bring one in and drive another out.
func (o OfferCount) Commonest() []RuleCount { return o.Reasons[:min(3, len(o.Reasons))] }

// writeReport writes report.json and report.html.
func (n *night) writeReport(ctx context.Context) error {
	n.report = Report{
		AsOf: n.in.AsOf, Tenant: n.snap.Tenant, K: n.k, Thresholds: n.manifest.Thresholds, Segments: n.manifest.Segments,
		Suppressed: n.manifest.Suppressed, Weights: n.weights.Version, Slots: map[string]int{},
		Variants: []VariantSection{}, Cost: &Cost{Channels: []ChannelCost{}, Fields: []FieldCost{}},
	}
	for name, slot := range n.in.Config.Slots {
		n.report.Slots[name] = len(slot.Variants)
	}
	for _, count := range []func(context.Context) error{
		n.fresh, n.countPersons, n.countUse, n.channelCosts, n.unmetNeeds, n.countRefusals, n.countDecisions, n.priceFairness, n.protect,
		n.tellValue, n.tellGroups, n.tellOffers, n.tellVariants, n.tellNeed, n.keeps, n.tell, n.compare,
	} {
		if err := count(ctx); err != nil {
			return err
		}
	}
	if err := n.report.rounded(); err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	body, err := json.MarshalIndent(n.report, "", "  ")
	if err != nil {
		return fmt.Errorf("writing report: %w", err)
	}
	page, err := n.report.page()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{reportFile: append(body, '\n'), "report.html": page} {
		if err := writeFile(filepath.Join(n.runDir(), name), content, 0o600); err != nil {
			return fmt.Errorf("writing report: %w", err)
		}
	}
	classes, err := n.shownClasses(ctx)
	if err != nil {
		return err
	}
	label := anonymous // BAT-07: only with a passed test
	if why := notAnonymous(body, classes, n.k); len(why) > 0 {
		label = pseudonymous
	}
	for _, name := range []string{"report.html", "report.json"} {
		if err := n.listFile(File{Name: name, Kind: "report", Label: label}, filepath.Join(n.runDir(), name)); err != nil {
			return err
		}
	}
	return nil
}

// countRefusals adds up the host's counters before as of.
func (n *night) countRefusals(context.Context) error {
	refusals := map[string]int64{}
	n.report.Totals = map[string]int64{"admitted": 0, "refused": 0, "invalid": 0, "duplicate": 0}
	err := eachLine(filepath.Join(n.in.Snapshot, "counters.ndjson"), func(line []byte) error {
		var c struct {
			Hour time.Time `json:"hour"`
			Name string    `json:"name"`
			N    int64     `json:"n"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		if !c.Hour.Before(n.in.AsOf) {
			return nil
		}
		if _, total := n.report.Totals[c.Name]; total {
			n.report.Totals[c.Name] += c.N
		}
		if rule, refused := strings.CutPrefix(c.Name, "refused/"); refused {
			refusals[rule] += c.N
		}
		return nil
	})
	n.report.Refusals = n.inWords(refusals)
	return err
}

// inWords lists rules by how often they spoke.
func (n *night) inWords(counts map[string]int64) []RuleCount {
	out := []RuleCount{}
	for rule, count := range counts {
		r := RuleCount{Rule: rule, Count: count}
		for _, words := range n.in.Rules.Reasons([]string{rule}) {
			r.De, r.En = words.De, words.En
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b RuleCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

// countDecisions tells of the decision log of the last 90 days.
func (n *night) countDecisions(context.Context) error {
	n.report.Decisions = maps.Clone(n.log.counts)
	delete(n.report.Decisions, decide.ActionExport)
	n.report.Offers = []OfferCount{}
	for _, offer := range slices.Sorted(maps.Keys(n.log.offers)) {
		n.report.Offers = append(n.report.Offers, OfferCount{Offer: offer, Count: n.log.offers[offer], Reasons: n.inWords(n.log.reasons[offer])})
	}
	return nil
}
