package flow

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
)

// ConsentProof is all that shows one consent record to somebody who was not there
// (CON-08, A10): the record, the text that was shown, where the ledger holds it,
// and what was decided while it stood.
type ConsentProof struct {
	Proof    Proof     `json:"proof"`
	Notice   string    `json:"notice_text"` // as shown; empty: it was not kept (before its texts were)
	Purposes []Named   `json:"purposes"`    // of the record, as registered when the report is made
	Uses     []Use     `json:"uses"`        // decisions from the record to the next, oldest first
	Until    time.Time `json:"until"`       // of the uses: the next record, or the report
	Sealed   bool      `json:"sealed,omitempty"`
	Verifier string    `json:"verifier"` // the ledger's public key
}

// Named is a purpose in the words of the register.
type Named struct {
	Purpose    consent.Purpose   `json:"purpose"`
	Name       map[string]string `json:"name"`
	DPV        string            `json:"dpv"`
	Data       []string          `json:"data_categories"`
	Recipients []string          `json:"recipients"`
}

// Use is a decision about the subject while a record stood.
type Use struct {
	Decision string    `json:"decision_id"`
	Time     time.Time `json:"time"`
	Action   string    `json:"action"`
	Rules    []string  `json:"rules"`
}

// usesMost bounds the use log of one record.
const usesMost = 10_000

// ConsentProofOf makes the report of a record from its proof. until is when the
// record's subject said something else, or now.
func (f *Flow) ConsentProofOf(ctx context.Context, p Proof, until time.Time) (ConsentProof, error) {
	out := ConsentProof{Proof: p, Until: until, Uses: []Use{}}
	text, err := f.host.Document(ctx, p.Record.Notice.TextSHA256)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return out, unavailable("reading a notice", err)
	}
	out.Notice = string(text)
	for _, c := range p.Record.Purposes {
		out.Purposes = append(out.Purposes, inWords(c.Purpose, f.cfg.Processings(c.Purpose)))
	}
	return out, f.uses(ctx, &out)
}

// inWords is a purpose in the register's words; one that is not registered any more
// keeps its key.
func inWords(p consent.Purpose, registered []config.Processing) Named {
	n := Named{Purpose: p, Name: map[string]string{"de": string(p), "en": string(p)}, Data: []string{}, Recipients: []string{}}
	for i, r := range registered {
		if i == 0 {
			n.Name, n.DPV = r.Name, r.DPV
		}
		n.Data, n.Recipients = append(n.Data, r.DataCategories...), append(n.Recipients, r.Recipients...)
	}
	slices.Sort(n.Data)
	slices.Sort(n.Recipients)
	n.Data, n.Recipients = slices.Compact(n.Data), slices.Compact(n.Recipients)
	return n
}

// uses lists decisions about the subject while the record stood, oldest first.
func (f *Flow) uses(ctx context.Context, out *ConsentProof) error {
	if out.Sealed {
		return nil
	}
	q := DecisionQuery{Subject: out.Proof.Record.Subject, From: out.Proof.Record.Event.Time, To: out.Until, Limit: 500}
	for len(out.Uses) < usesMost {
		page, cursor, err := f.host.SearchDecisions(ctx, q)
		if err != nil {
			return unavailable("searching decisions", err)
		}
		for _, r := range page {
			out.Uses = append(out.Uses, use(r))
		}
		if q.Cursor = cursor; cursor == "" {
			break
		}
	}
	slices.Reverse(out.Uses)
	return nil
}

func use(r decide.Record) Use {
	return Use{r.ID, r.Time.UTC(), r.Action, append([]string{}, r.Rules...)}
}

// keepNotice keeps the text of a notice under its digest before the first record
// names it: the configuration may change, what was shown may not (L7).
func (f *Flow) keepNotice(ctx context.Context, a act) error {
	text := a.notice.Languages[a.Notice.Language]
	if text == "" {
		return nil
	}
	if err := f.keep(ctx, digested(text), func() ([]byte, error) { return []byte(text), nil }); err != nil {
		return unavailable("keeping a notice", err)
	}
	return nil
}

// NoteClaim writes down, before it is done, that somebody opens a sealed proof and
// why (RGT-05: what is restricted is used for nothing else).
func (f *Flow) NoteClaim(ctx context.Context, claim, leaf, by string) error {
	r, err := f.staffRecord(f.now(), decide.ActionRights, by, map[string]any{"opens": "sealed_proof", "claim": claim, "leaf": leaf}, map[string]any{"opened": true})
	if err != nil {
		return err
	}
	r.Rules = []string{"RGT-05"}
	return f.decided(ctx, &r)
}
