package policy

import (
	"context"
	"fmt"

	"github.com/handschlag/handschlag/consent"
)

// Unregistered is the status of a purpose that may not run, as decisions see it
// (LAW-01). It is in no record: it outranks what a visitor said, and passes.
const Unregistered consent.Status = "unregistered"

// ProcessingInput is what the register says about one purpose, and what is
// deployed for it.
type ProcessingInput struct {
	Purpose          consent.Purpose  `json:"purpose"`
	Entries          int64            `json:"entries"` // in the register
	Gated            bool             `json:"gated"`   // visitors are asked for consent to it
	Special          bool             `json:"special"`
	Bases            []string         `json:"bases"` // of all entries, each once
	Art9             []string         `json:"art_9"`
	RetentionDays    int64            `json:"retention_days"`    // the least of all entries
	RecipientsListed bool             `json:"recipients_listed"` // by every entry
	DeviceAccess     bool             `json:"device_access"`
	Profiling        bool             `json:"profiling"`
	ChildDirected    bool             `json:"child_directed"`
	Identifiers      []IdentifierFact `json:"identifiers"`
	Sources          []SourceFact     `json:"sources"`
	Features         []FeatureFact    `json:"features"` // deployed
	LookbackDays     int64            `json:"lookback_days"`
	LIA              LIAFact          `json:"lia"`
	DPIARequired     bool             `json:"dpia_required"`
	DPIA             DPIAFact         `json:"dpia"`
	Recipients       []PartyFact      `json:"recipients"`
	DPF              bool             `json:"dpf"` // the EU-US framework stands
}

// IdentifierFact is an identifier that a purpose uses (CON-02).
type IdentifierFact struct {
	ID       string `json:"id"`
	Allowed  bool   `json:"allowed"` // for this purpose
	Exempt   bool   `json:"exempt"`  // from consent, for this purpose
	OnDevice bool   `json:"on_device"`
}

// SourceFact is another purpose whose data are used (LAW-04).
type SourceFact struct {
	Purpose    consent.Purpose `json:"purpose"`
	Compatible bool            `json:"compatible"` // it lists the purpose that uses them
}

// FeatureFact is a feature that is deployed for a purpose (LAW-05).
type FeatureFact struct {
	Name   string `json:"name"`
	Listed bool   `json:"listed"`
	Days   int64  `json:"days"` // that it looks back, 0 if it has no window
}

// LIAFact is about an interest assessment (LAW-02). The zero one is none.
type LIAFact struct {
	Complete   bool   `json:"complete"` // interest, necessity, balancing, safeguards, way to object, date
	Covers     bool   `json:"covers"`   // the purpose
	ApprovedBy string `json:"approved_by"`
	AgeMonths  int64  `json:"age_months"` // whole calendar months since its approval
}

// DPIAFact is about an impact assessment (OPS-03). The zero one is none.
type DPIAFact struct {
	Covers               bool     `json:"covers"` // the purpose
	Approved             bool     `json:"approved"`
	Expired              bool     `json:"expired"`
	OpinionBy            string   `json:"opinion_by"`
	DecisionBy           string   `json:"decision_by"`
	UnassessedFeatures   []string `json:"unassessed_features"` // deployed all the same
	UnassessedRecipients []string `json:"unassessed_recipients"`
}

// PartyFact is somebody whom the purpose's data reach (OPS-04).
type PartyFact struct {
	ID       string `json:"id"`
	Role     string `json:"role"` // own | processor | controller | joint
	Contract bool   `json:"contract"`
	Country  string `json:"country"`
	Transfer string `json:"transfer"` // none | adequacy | dpf | scc
	Assessed bool   `json:"assessed"`
}

// ProcessingVerdict says whether a purpose may run.
type ProcessingVerdict struct {
	Allowed bool
	Rules   []string            // why not, sorted
	Dropped map[string][]string // features that it goes on without, with the rules that say so
	Blocked map[string][]string // recipients that get nothing
}

// Processing judges what the register says about a purpose. On an error it may not run.
func (r *Rules) Processing(ctx context.Context, in ProcessingInput) (ProcessingVerdict, error) {
	input, _ := facts(&in)
	a, err := r.ask(ctx, EntryProcessing, input)
	if err != nil {
		return ProcessingVerdict{Rules: failClosed}, err
	}
	v := ProcessingVerdict{Allowed: a.flag("allowed"), Rules: a.list("rules"), Dropped: a.lists("dropped"), Blocked: a.lists("blocked")}
	if a.err != nil {
		return ProcessingVerdict{Rules: failClosed}, fmt.Errorf("judging processing: %w", a.err)
	}
	return v, nil
}
