package segment

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// anyDecision is a record of any action: with a lot or without, of somebody or nobody,
// erased or not, before as of or not.
func anyDecision(t *testing.T, n int, asOf time.Time, dice *rand.Rand) decide.Record {
	pick := func(words ...string) string { return words[dice.IntN(len(words))] }
	maybe := func() bool { return dice.IntN(4) > 0 }
	r := decide.Record{
		ID: fmt.Sprint("d", n), Time: asOf.Add(time.Duration(dice.IntN(60)-50) * time.Minute), Rules: []string{}, Digests: decide.Digests{Scorecard: pick("", "card"), Weights: pick("", "w1", "w2")},
		Action: pick(decide.ActionEscalate, decide.ActionVariant, decide.ActionHandover, decide.ActionPrice, decide.ActionExport, decide.ActionSwitch, decide.ActionCard),
	}
	if maybe() {
		r.Subject, r.PPM = subject(n%7), int64(dice.IntN(3))*1000
	}
	if maybe() {
		r.Actor = "adviser:amy"
	}
	for range dice.IntN(4) {
		r.Rules = append(r.Rules, pick("ESC-01", "ESC-03", "OFFER-HOLDOUT", "OFFER-NEED-HUMAN"))
	}
	input, result := map[string]any{}, map[string]any{}
	switch r.Action {
	case decide.ActionEscalate:
		input = map[string]any{"asked": !maybe(), "holdout": !maybe(), "need": dice.IntN(90), "features": map[string]int64{profile.SizeGuideOpens: int64(dice.IntN(3)), "unknown": 4}}
		result = map[string]any{"offer": pick("human", "hint", "none"), "held_out": !maybe()}
	case decide.ActionVariant:
		input = map[string]any{"candidates": []any{map[string]any{"slot": "no", "action": "export"}}, "slot": pick("home_hero", "foot")}
		result = map[string]any{"variant": pick("a", "b"), "segment": pick("", "buyers"), "eligible": []string{"b", "a"}}
	case decide.ActionHandover:
		input, result = map[string]any{"decision_id": fmt.Sprint("d", dice.IntN(n+1))}, map[string]any{"outcome": pick("helped", "")}
	case decide.ActionExport:
		input = map[string]any{"date": "2026-11-01", "file": `a"price"b`}
		if maybe() {
			input = map[string]any{"ack": flow.ExportAck{Date: "2026-11-02", Channel: pick("email", "ads"), By: "post-house"}}
			result = map[string]any{"rows": 3, "sha256": pick("", "aa", "bb")}
		}
	case decide.ActionPrice:
		input, result = map[string]any{"quote": map[string]any{"storefront": "de"}}, map[string]any{"price_allowed": true}
	}
	r.Input, r.Result = body(t, input), body(t, result)
	if dice.IntN(8) == 0 && r.Action != decide.ActionExport {
		r.Input, r.Result, r.Subject, r.Erased = nil, nil, consent.Subject{}, "00"
	}
	return r
}

// plainLog is what decisionLog, tables offered, contents, contacts, and view price_decisions
// hold of records, by reading each of them whole.
func plainLog(t *testing.T, all []decide.Record, asOf time.Time) (l decisionLog, rows map[string][]string) {
	l = decisionLog{counts: map[string]int64{}, offers: map[string]int64{}, reasons: map[string]map[string]int64{}}
	rows = map[string][]string{}
	add := func(table string, values ...any) {
		rows[table] = append(rows[table], strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
	}
	seen := map[string]bool{}
	once := func(who consent.Subject, words ...string) bool {
		key := fmt.Sprint(who, words)
		before := seen[key]
		seen[key] = true
		return who.IsZero() || !before
	}
	for _, r := range all {
		if !r.Time.Before(asOf) {
			continue
		}
		var in struct {
			Slot, Decision string
			Asked, Holdout bool
			Need           int64
			Features       map[string]int64
			Ack            *flow.ExportAck
			DecisionID     string `json:"decision_id"`
		}
		var out struct {
			Offer, Variant, Segment, Outcome string
			SHA256                           string
			HeldOut                          bool `json:"held_out"`
			Eligible                         []string
		}
		for from, to := range map[*json.RawMessage]any{&r.Input: &in, &r.Result: &out} {
			if *from != nil {
				if err := json.Unmarshal(*from, to); err != nil {
					t.Fatal(err)
				}
			}
		}
		if l.since.IsZero() || r.Time.Before(l.since) {
			l.since = r.Time
		}
		l.counts[r.Action]++
		lot := r.PPM > 0 && !r.Subject.IsZero()
		switch ms := r.Time.UnixMilli(); r.Action {
		case decide.ActionEscalate:
			if r.Erased != "" {
				continue
			}
			if l.reasons[out.Offer] == nil {
				l.reasons[out.Offer] = map[string]int64{}
			}
			if once(r.Subject, out.Offer, "") {
				l.offers[out.Offer]++
			}
			for _, rule := range r.Rules {
				if once(r.Subject, out.Offer, rule) {
					l.reasons[out.Offer][rule]++
				}
			}
			if lot && r.Erased == "" && (out.Offer == "human" || out.HeldOut) && !in.Asked && in.Holdout == out.HeldOut {
				add("offered", r.ID, r.Subject, ms, out.HeldOut, r.PPM, in.Need, r.Digests.Scorecard, in.Features[profile.SizeGuideOpens])
			}
		case decide.ActionVariant:
			if lot && r.Erased == "" {
				slices.Sort(out.Eligible)
				add("contents", r.ID, r.Subject, ms, in.Slot, out.Segment, out.Variant, strings.Join(out.Eligible, ","), r.PPM, r.Digests.Weights)
			}
		case decide.ActionHandover:
			if r.Actor != "" && out.Outcome != "" {
				add("contacts", in.DecisionID, out.Outcome)
			}
		case decide.ActionExport:
			if in.Ack != nil {
				in.Ack.SHA256 = out.SHA256
				l.acks = append(l.acks, *in.Ack)
			}
		case decide.ActionPrice:
			add("price_decisions", ms, r.Erased == "")
		}
	}
	return l, rows
}

// One pass over the log, that looks only at what is wanted, says what reading every record
// whole says.
func TestTheLogIsReadAsItsRecordsSay(t *testing.T) {
	s, asOf, dice := newShop(t), monday.AddDate(0, 0, 1), rand.New(rand.NewPCG(4, 1))
	for n := range 2000 {
		s.decisions = append(s.decisions, anyDecision(t, n, asOf, dice))
	}
	in := s.night(asOf)
	in.Config.Scorecard = decide.Scorecard{Version: "1", Features: needing().Features[:1]}
	n := until(t, in, "learning value")
	want, rows := plainLog(t, s.decisions, asOf)
	n.log.since = n.log.since.UTC()
	if !reflect.DeepEqual(n.log, want) || len(want.acks) < 10 {
		t.Errorf("got  %+v\nwant %+v", n.log, want)
	}
	for table, columns := range map[string]string{
		"offered":  "decision_id, replace(subject::varchar, '-', ''), at_ms, held_out, ppm, need, scorecard, features[1]",
		"contents": "decision_id, replace(subject::varchar, '-', ''), at_ms, slot, segment, variant, eligible, ppm, weights",
		"contacts": "decision_id, outcome", "price_decisions": "epoch_ms(decided_at), input is not null",
	} {
		var got []string
		err := n.db.each(t.Context(), "select concat_ws(' ', "+columns+") from "+table, func(scan func(...any) error) error {
			var row string
			err := scan(&row)
			got = append(got, row)
			return err
		})
		slices.Sort(got)
		if want := slices.Sorted(slices.Values(rows[table])); err != nil || !slices.Equal(got, want) || len(want) < 20 {
			t.Errorf("%s: got %v\nwant %v\n%v", table, got, want, err)
		}
	}
}

// A record that cannot be read stops the night, and is named.
func TestABrokenRecordIsNamedByItsLine(t *testing.T) {
	for want, line := range map[string]string{
		"reading decisions.ndjson, line 3: decision d3: ": `{"decision_id":"d3","time":"2026-11-02T08:00:00Z","action":"escalate","result":{"offer":3}}`,
		"reading decisions.ndjson, line 3: ":              `{"decision_id":"d4","time":`,
	} {
		s := newShop(t)
		s.decisions = []decide.Record{{Time: monday, Action: decide.ActionSwitch}}
		in := s.night(monday.AddDate(0, 0, 1))
		s.append(filepath.Join(in.Snapshot, "decisions.ndjson"), "\n"+line)
		if _, err := Run(t.Context(), in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// The oldest decision of the log is the oldest that is kept, whatever it is about.
func TestTheReportTellsSinceWhenDecisionsAreKept(t *testing.T) {
	s := newShop(t)
	s.decisions = []decide.Record{{Time: monday.Add(time.Hour), Action: decide.ActionSwitch}, {Time: monday, Action: decide.ActionExport}}
	r := s.run(s.night(monday.AddDate(0, 0, 1))).Report
	if kept := r.Retention[4]; kept.Class != keptDecisions || kept.Oldest != monday.Format(time.DateOnly) || kept.Until == "" {
		t.Errorf("kept: %+v", kept)
	}
}

func (s *shop) append(path, text string) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		s.t.Fatal(err)
	}
}
