package segment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// exportInput is the canonical input of an export decision: one row set.
type exportInput struct {
	AsOf      time.Time    `json:"as_of"`
	Segment   string       `json:"segment"`
	Channel   string       `json:"channel"`
	Recipient string       `json:"recipient"`
	Purpose   string       `json:"purpose"`
	K         int          `json:"k"`
	Cases     []exportCase `json:"cases"`
}

// exportCase is one distinct case of the row set, as the gate was asked, and what
// it said.
type exportCase struct {
	policy.ExportCase
	Allowed bool     `json:"allowed"`
	Rules   []string `json:"rules"`
	Rows    int64    `json:"rows"`
}

// exportResult says what left.
type exportResult struct {
	Published bool              `json:"published"`
	Rows      int64             `json:"rows"`
	Files     map[string]string `json:"files,omitempty"` // name → SHA-256
}

// listRecords drafts the decision record of every row set. Ids come from the
// content, so a re-run drafts the same ones; the store gives writer and number.
func (n *night) listRecords(ctx context.Context) error {
	cases, err := n.casesOfSets(ctx)
	if err != nil {
		return fmt.Errorf("counting cases of export row sets: %w", err)
	}
	for _, s := range n.manifest.Segments {
		for _, c := range s.Channels {
			r, err := n.record(s, c, cases[rowSet{s.Name, c.Channel}])
			if err != nil {
				return fmt.Errorf("recording %s on %s: %w", s.Name, c.Channel, err)
			}
			n.records = append(n.records, r)
		}
	}
	return nil
}

// rowSet is the rows of a segment on a channel.
type rowSet struct{ segment, channel string }

func (n *night) record(s Segment, c Reach, cases []exportCase) (decide.Record, error) {
	input, err := decide.Canonical(exportInput{
		AsOf: n.in.AsOf, Segment: s.Name, Channel: c.Channel, Recipient: c.Recipient, Purpose: c.Purpose, K: n.k,
		Cases: append([]exportCase{}, cases...), // none is [], not null
	})
	if err != nil {
		return decide.Record{}, err
	}
	told := exportResult{Published: c.Published, Files: map[string]string{}}
	for _, f := range n.manifest.Files {
		if f.Kind == "segment" && f.Segment == s.Name && f.Channel == c.Channel {
			told.Rows, told.Files[f.Name] = f.Rows, f.SHA256
		}
	}
	result, err := decide.Canonical(told)
	if err != nil {
		return decide.Record{}, err
	}
	return decide.Record{
		ID: n.contentID(input, result), Time: n.in.AsOf, Action: decide.ActionExport, Input: input, Result: result,
		Digests: n.manifest.Digests, Binary: n.in.Binary, Rules: rulesOf(cases, c.Published),
	}, nil
}

// casesOfSets lists the cases of every row set, in the order of their numbers.
func (n *night) casesOfSets(ctx context.Context) (map[rowSet][]exportCase, error) {
	sets := map[rowSet][]exportCase{}
	query := `select c.segment, c.channel, case_no, small, v.allowed, v.rules, c.rows
		from case_rows as c
		join groups as g using (segment, channel)
		join export_verdicts as v using (case_no, small)
		order by case_no`
	err := n.db.each(ctx, query, func(scan func(...any) error) error {
		var set rowSet
		var no int32
		var small bool
		var rules string
		var c exportCase
		if err := scan(&set.segment, &set.channel, &no, &small, &c.Allowed, &rules, &c.Rows); err != nil {
			return err
		}
		c.ExportCase, c.Rules = n.exportCases[no], strings.Fields(rules)
		c.Small = small
		sets[set] = append(sets[set], c)
		return nil
	})
	return sets, err
}

// rulesOf is every rule that kept rows back; EXP-07 if the whole set stayed.
func rulesOf(cases []exportCase, published bool) []string {
	rules := []string{}
	for _, c := range cases {
		rules = append(rules, c.Rules...)
	}
	if !published {
		rules = append(rules, "EXP-07")
	}
	slices.Sort(rules)
	return slices.Compact(rules)
}

// contentID is a UUIDv7 whose time is AsOf and whose random bits are a digest of
// the decision: the same decision has the same id.
func (n *night) contentID(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write(p)
	}
	id := h.Sum(nil)[:16]
	ms := uint64(n.in.AsOf.UnixMilli())
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	id[6], id[8] = id[6]&0x0f|0x70, id[8]&0x3f|0x80
	x := hex.EncodeToString(id)
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// runID names the night by what it made.
func (n *night) runID() string {
	body, err := json.Marshal(n.manifest)
	if err != nil {
		return n.date
	}
	sum := sha256.Sum256(body)
	return n.date + "-" + hex.EncodeToString(sum[:6])
}
