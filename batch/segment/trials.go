package segment

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/batch/learn/variant"
)

// trials reads which lots were drawn from the snapshot's decision records, and adds up
// what came of them. Whoever may not be learnt from is in no result.
func (n *night) trials(ctx context.Context) error {
	names := make([]string, len(n.in.Config.Scorecard.Features))
	for i, f := range n.in.Config.Scorecard.Features {
		names[i] = f.Name
	}
	n.trialFeatures = names
	reward := int64(n.in.Config.Learning.RewardDays) * 24 * time.Hour.Milliseconds()
	vars := map[string]string{"reward_ms": strconv.FormatInt(reward, 10) + "::bigint", "folds": strconv.Itoa(variant.Folds)}
	for name, value := range vars {
		if err := n.db.set(ctx, name, value); err != nil {
			return err
		}
	}
	if err := n.db.table(ctx, "trials"); err != nil {
		return err
	}
	if err := n.readLog(ctx); err != nil {
		return err
	}
	for _, t := range []string{"learners", "learning", "offer_results", "known_contents", "content_results", "drawn"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// escalated counts a decision of the ladder, and adds an offer of a human that the lot
// made or held out: nobody asked, and all but the lot spoke for a human. Of one that was erased
// nobody knows any more where it ended.
func (l *logReader) escalated(r *logged) error {
	if r.Erased != "" {
		return nil
	}
	var out struct {
		Offer   string `json:"offer"`
		HeldOut bool   `json:"held_out"`
	}
	if err := readJSON(r.Result, &out); err != nil {
		return err
	}
	l.tell(r.Subject, out.Offer, r.Rules)
	if !r.lot() || out.Offer != "human" && !out.HeldOut {
		return nil
	}
	var in struct {
		Asked    bool             `json:"asked"`
		Holdout  bool             `json:"holdout"`
		Need     int64            `json:"need"`
		Features map[string]int64 `json:"features"` // that the ladder saw
	}
	if err := readJSON(r.Input, &in); err != nil {
		return err
	}
	if in.Asked || in.Holdout != out.HeldOut {
		return nil
	}
	values := make([]int64, len(l.features))
	for i, name := range l.features {
		values[i] = in.Features[name]
	}
	return l.offer(r.ID, duckdb.UUID(r.Subject), r.Time.UnixMilli(), out.HeldOut, r.PPM, in.Need, r.Digests.Scorecard, values)
}

// drawn adds a content that was drawn for a known subject.
func (l *logReader) drawn(r *logged) error {
	if !r.lot() {
		return nil
	}
	var in struct {
		Slot string `json:"slot"`
	}
	var out struct {
		Variant  string   `json:"variant"`
		Segment  string   `json:"segment"`
		Eligible []string `json:"eligible"`
	}
	if err := cmp.Or(readJSON(r.Input, &in), readJSON(r.Result, &out)); err != nil {
		return err
	}
	slices.Sort(out.Eligible)
	return l.content(r.ID, duckdb.UUID(r.Subject), r.Time.UnixMilli(), in.Slot, out.Segment, out.Variant, strings.Join(out.Eligible, ","), r.PPM, r.Digests.Weights)
}

// closed adds what an adviser said of a contact.
func (l *logReader) closed(r *logged) error {
	if r.Actor == "" || r.Erased != "" {
		return nil
	}
	var in struct {
		Decision string `json:"decision_id"`
	}
	var out struct {
		Outcome string `json:"outcome"`
	}
	if err := cmp.Or(readJSON(r.Input, &in), readJSON(r.Result, &out)); err != nil || out.Outcome == "" {
		return err
	}
	return l.contact(in.Decision, out.Outcome)
}

// helped are the outcomes that say that help was welcome.
var helped = []string{"helped", "sold", "follow_up"}

func welcome(outcome string) bool { return slices.Contains(helped, outcome) }
