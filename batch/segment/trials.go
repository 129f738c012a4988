package segment

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/handschlag/handschlag/batch/learn/variant"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// offered is an offer of a human that a lot was drawn for: made, or held out.
type offered struct {
	subject  consent.Subject
	at       time.Time
	id       string
	heldOut  bool
	ppm      int64 // propensity of what was drawn
	need     int64
	card     string // digest of the scorecard
	features map[string]int64
}

// drawnContent is a content that was drawn for a known subject.
type drawnContent struct {
	subject                consent.Subject
	at                     time.Time
	id                     string
	slot, segment, variant string
	eligible               []string
	ppm                    int64
	weights                string // digest of the shares that were drawn by
}

// closed is a contact that an adviser closed.
type closed struct{ decision, outcome string }

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
	if err := n.readTrials(); err != nil {
		return err
	}
	for _, t := range []string{"learners", "learning", "offer_results", "content_results", "drawn"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// actions of the records that a table is filled from.
var actions = map[string]string{"offered": decide.ActionEscalate, "contents": decide.ActionVariant, "contacts": decide.ActionHandover}

// readTrials fills the three tables in one pass over decisions.ndjson each: an appender
// belongs to one table.
func (n *night) readTrials() error {
	fills := map[string]func(add func(...any) error) func(decide.Record) error{
		"offered": n.addOffer, "contents": addContent, "contacts": addContact,
	}
	for _, table := range []string{"offered", "contents", "contacts"} {
		err := n.db.fill(table, func(add func(...any) error) error {
			take, action := fills[table](add), []byte(`"action":"`+actions[table]+`"`)
			return eachLine(filepath.Join(n.in.Snapshot, "decisions.ndjson"), func(line []byte) error {
				var r decide.Record
				if !bytes.Contains(line, action) { // spares reading most of the others
					return nil
				}
				if err := readJSON(line, &r); err != nil {
					return err
				}
				if !r.Time.Before(n.in.AsOf) || r.Erased != "" {
					return nil
				}
				return take(r)
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readJSON reads a value of a decision record, several times faster than encoding/json:
// the log of 90 days is the largest text that a night reads.
func readJSON(body []byte, into any) error {
	return json.Unmarshal(body, into, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

func (n *night) addOffer(add func(...any) error) func(decide.Record) error {
	return func(r decide.Record) error {
		o, ok, err := offerOf(r)
		if err != nil || !ok {
			return err
		}
		values := make([]int64, len(n.trialFeatures))
		for i, name := range n.trialFeatures {
			values[i] = o.features[name]
		}
		return add(o.id, duckdb.UUID(o.subject), o.at.UnixMilli(), o.heldOut, o.ppm, o.need, o.card, values)
	}
}

// offerOf reads an offer that the lot decided: nobody asked, and all but the lot spoke
// for a human.
func offerOf(r decide.Record) (o offered, ok bool, err error) {
	if r.Action != decide.ActionEscalate || r.Subject.IsZero() || r.PPM == 0 {
		return o, false, nil
	}
	var v policy.EscalateVerdict
	var in policy.EscalateInput
	if err := readJSON(r.Result, &v); err != nil {
		return o, false, fmt.Errorf("decision %s: %w", r.ID, err)
	}
	if v.Offer != "human" && !v.HeldOut {
		return o, false, nil
	}
	if err := readJSON(r.Input, &in); err != nil {
		return o, false, fmt.Errorf("decision %s: %w", r.ID, err)
	}
	if in.Asked || in.Holdout != v.HeldOut {
		return o, false, nil
	}
	return offered{r.Subject, r.Time, r.ID, v.HeldOut, r.PPM, in.Need, r.Digests.Scorecard, in.Features}, true, nil
}

func addContent(add func(...any) error) func(decide.Record) error {
	return func(r decide.Record) error {
		c, ok, err := contentOf(r)
		if err != nil || !ok {
			return err
		}
		return add(c.id, duckdb.UUID(c.subject), c.at.UnixMilli(), c.slot, c.segment, c.variant, strings.Join(slices.Sorted(slices.Values(c.eligible)), ","), c.ppm, c.weights)
	}
}

func contentOf(r decide.Record) (c drawnContent, ok bool, err error) {
	if r.Action != decide.ActionVariant || r.Subject.IsZero() || r.PPM == 0 {
		return c, false, nil
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
		return c, false, fmt.Errorf("decision %s: %w", r.ID, err)
	}
	return drawnContent{r.Subject, r.Time, r.ID, in.Slot, out.Segment, out.Variant, out.Eligible, r.PPM, r.Digests.Weights}, true, nil
}

func addContact(add func(...any) error) func(decide.Record) error {
	return func(r decide.Record) error {
		c, ok, err := closedOf(r)
		if err != nil || !ok {
			return err
		}
		return add(c.decision, c.outcome)
	}
}

// closedOf reads what an adviser said of a contact.
func closedOf(r decide.Record) (c closed, ok bool, err error) {
	if r.Action != decide.ActionHandover || r.Actor == "" {
		return c, false, nil
	}
	var in struct {
		Decision string `json:"decision_id"`
	}
	var out struct {
		Outcome string `json:"outcome"`
	}
	if err := cmp.Or(readJSON(r.Input, &in), readJSON(r.Result, &out)); err != nil {
		return c, false, fmt.Errorf("decision %s: %w", r.ID, err)
	}
	return closed{in.Decision, out.Outcome}, out.Outcome != "", nil
}

// helped are the outcomes that say that help was welcome.
var helped = []string{"helped", "sold", "follow_up"}

func welcome(outcome string) bool { return slices.Contains(helped, outcome) }
