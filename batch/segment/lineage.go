package segment

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/handschlag/handschlag/config"
)

const lineageFile = "lineage.json"

// Lineage is lineage.json: what each output was made of, and what it inherits of
// that (BAT-08). A night without it does not publish.
type Lineage struct {
	AsOf    time.Time `json:"as_of"`
	Outputs []Output  `json:"outputs"`
}

// Output is a table or file of the night.
type Output struct {
	Name        string    `json:"name"`
	Inputs      []string  `json:"inputs"`
	Purposes    []string  `json:"purposes"`    // each of them must be in force for every row
	Sensitivity string    `json:"sensitivity"` // none | special | special:<category>
	Label       string    `json:"label"`       // pseudonymous | anonymous
	Expires     time.Time `json:"expires"`
}

// trace draws the lineage of the night: from ingest days over features and segments to files.
func (n *night) trace() {
	days := make([]string, 0, len(n.manifest.Sources))
	for _, s := range n.manifest.Sources {
		days = append(days, "events/"+s.Day)
	}
	own, features := []string{string(basis)}, n.in.AsOf.AddDate(0, 0, n.featureDays)
	l := Lineage{AsOf: n.in.AsOf, Outputs: []Output{
		{Name: "daily", Inputs: append(days, "ledger", "products"), Purposes: own, Sensitivity: "special", Label: pseudonymous, Expires: features},
		{Name: "features", Inputs: []string{"daily", "ledger"}, Purposes: own, Sensitivity: "special", Label: pseudonymous, Expires: n.till},
	}}
	segments := map[string]config.Segment{}
	for _, s := range n.in.Config.Segments {
		segments[s.Name] = s
		l.Outputs = append(l.Outputs, Output{Name: "segment/" + s.Name, Inputs: []string{"features"}, Purposes: own, Sensitivity: sensitivity(s), Label: pseudonymous, Expires: n.till})
	}
	for _, f := range n.manifest.Files {
		o := Output{Name: f.Name, Inputs: []string{"ledger"}, Purposes: own, Sensitivity: "none", Label: f.Label, Expires: n.till}
		switch f.Kind {
		case "segment", delta:
			o.Inputs, o.Purposes, o.Sensitivity = append(o.Inputs, "segment/"+f.Segment), append(o.Purposes, f.Purpose), sensitivity(segments[f.Segment])
		case tombstones, revocations, deliveries:
			o.Inputs = append(o.Inputs, deliveries)
			if f.Purpose != "" {
				o.Purposes = append(o.Purposes, f.Purpose)
			}
		default:
			o.Inputs = append(o.Inputs, "features", "counters", "decisions", "prices")
			o.Inputs = append(o.Inputs, days[len(days)-len(n.lastDays()):]...)
		}
		l.Outputs = append(l.Outputs, o)
	}
	n.lineage = l
}

// sensitivity is what a segment's members give away by belonging.
func sensitivity(s config.Segment) string {
	if s.Special != "" {
		return "special:" + s.Special
	}
	return "none"
}

// writeLineage writes lineage.json, and table lineage for the check.
func (n *night) writeLineage(ctx context.Context) error {
	n.trace()
	body, err := json.MarshalIndent(n.lineage, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the lineage: %w", err)
	}
	path := filepath.Join(n.runDir(), lineageFile)
	if err := writeFile(path, append(body, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the lineage: %w", err)
	}
	if err := n.db.exec(ctx, "create or replace table lineage (name varchar, purpose varchar, expires timestamp)"); err != nil {
		return fmt.Errorf("making table lineage: %w", err)
	}
	err = n.db.fill("lineage", func(add func(...any) error) error {
		for _, o := range n.lineage.Outputs {
			for _, p := range o.Purposes {
				if err := add(o.Name, p, o.Expires); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return n.listFile(File{Name: lineageFile, Kind: "lineage"}, path)
}
