package flow

import (
	"context"
	"time"
)

// ReviewStats compares what the machine suggested with what its human adviser
// found (ADM-03). A contact that the machine suggested and that ended as
// not_needed overrules it.
type ReviewStats struct {
	Cases       int64  `json:"cases"`
	Overrides   int64  `json:"overrides"`
	OverridePPM int64  `json:"override_ppm"`
	MeanSeconds int64  `json:"mean_seconds"` // from accepting to the outcome
	Alarm       bool   `json:"alarm"`
	Message     string `json:"message,omitempty"`
}

// reviewed notes how a human judged a suggestion of the machine. A contact that
// the visitor asked for is none.
func (f *Flow) reviewed(ctx context.Context, k Contact) error {
	if !k.Suggested || k.AcceptedAt == nil {
		return nil
	}
	names := map[string]int64{"review/cases": 1, "review/seconds": int64(k.ClosedAt.Sub(*k.AcceptedAt) / time.Second)}
	if k.Outcome == "not_needed" {
		names["review/overrides"] = 1
	}
	if err := f.host.Count(ctx, *k.ClosedAt, names); err != nil {
		return unavailable("counting a review", err)
	}
	return nil
}

// reviews reads the log of reviews. So many cases without one override mean that
// nobody really looks: the decision then counts as a machine's alone (ADM-01).
func (f *Flow) reviews(counts map[string]int64) ReviewStats {
	r := ReviewStats{Cases: counts["review/cases"], Overrides: counts["review/overrides"]}
	if r.Cases == 0 {
		return r
	}
	r.OverridePPM, r.MeanSeconds = r.Overrides*1_000_000/r.Cases, counts["review/seconds"]/r.Cases
	least := int64(f.cfg.Offers.ReviewCases)
	if r.Alarm = least > 0 && r.Cases >= least && r.Overrides == 0; r.Alarm {
		r.Message = "ADM-03: no adviser ever overruled the machine; treat its offers as decided by the machine alone, and tell the data protection officer"
	}
	return r
}
