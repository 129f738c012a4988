package flow

import (
	"bytes"
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
// and which decisions rest on it.
type ConsentProof struct {
	Proof    Proof     `json:"proof"`
	Notice   string    `json:"notice_text"` // as shown; empty: it was not kept (before its texts were)
	Purposes []Named   `json:"purposes"`    // of the record, as registered when the report is made
	Uses     []Use     `json:"uses"`        // whose input names the record, oldest first
	Cut      bool      `json:"uses_cut"`    // there are more: these are the newest
	Until    time.Time `json:"until"`       // of the uses: when the report was made
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

// Use is a decision that rests on a record, or a call that was noted under it (ESC-08).
type Use struct {
	Decision string    `json:"decision_id,omitempty"`
	Noted    string    `json:"record_id,omitempty"` // of a call: the record that notes it
	Time     time.Time `json:"time"`
	Action   string    `json:"action"`
	Rules    []string  `json:"rules"`
}

// UsesMost bounds the uses of one record in a report; the newest are kept.
const UsesMost = 10_000

// ConsentProofOf makes the report of one record from its proof.
func (f *Flow) ConsentProofOf(ctx context.Context, p Proof) (ConsentProof, error) {
	out, err := f.ConsentProofs(ctx, []Proof{p}, false)
	if err != nil {
		return ConsentProof{}, err
	}
	return out[0], nil
}

// ConsentProofs makes the reports of records from their proofs, with one look through
// the decisions for all of them. Of a sealed proof no use can be found any more.
func (f *Flow) ConsentProofs(ctx context.Context, ps []Proof, sealed bool) ([]ConsentProof, error) {
	out := make([]ConsentProof, len(ps))
	for i, p := range ps {
		text, err := f.host.Document(ctx, p.Record.Notice.TextSHA256)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return nil, unavailable("reading a notice", err)
		}
		out[i] = ConsentProof{Proof: p, Notice: string(text), Uses: []Use{}, Until: f.now(), Sealed: sealed}
		for _, c := range p.Record.Purposes {
			out[i].Purposes = append(out[i].Purposes, inWords(c.Purpose, f.cfg.Processings(c.Purpose)))
		}
	}
	if sealed {
		return out, nil
	}
	return out, f.uses(ctx, out)
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

// uses finds the decisions that name the records, oldest first. It goes through all of
// them and follows no link: a decision bears the pseudonym of the device although it
// rests on the account's record, whether or not the two were ever linked (CON-14).
func (f *Flow) uses(ctx context.Context, of []ConsentProof) error {
	by, from := map[string]*ConsentProof{}, time.Time{}
	for i := range of {
		r := of[i].Proof.Record
		if by[r.RecordID] = &of[i]; i == 0 || r.Event.Time.Before(from) {
			from = r.Event.Time
		}
	}
	for q := (DecisionQuery{From: from, Limit: 500}); ; {
		page, cursor, err := f.host.SearchDecisions(ctx, q)
		if err != nil {
			return unavailable("searching decisions", err)
		}
		for _, r := range page {
			for _, id := range recordsNamed(r.Input) {
				by[id].used(Use{Decision: r.ID, Time: r.Time.UTC(), Action: r.Action, Rules: append([]string{}, r.Rules...)})
			}
		}
		if q.Cursor = cursor; cursor == "" {
			break
		}
	}
	for i := range of {
		slices.Reverse(of[i].Uses)
		if err := f.called(ctx, &of[i]); err != nil {
			return err
		}
	}
	return nil
}

// used adds a use; nobody asked about the record of none.
func (p *ConsentProof) used(u Use) {
	switch {
	case p == nil:
	case len(p.Uses) == UsesMost:
		p.Cut = true
	default:
		p.Uses = append(p.Uses, u)
	}
}

// recordMember ends the name of every member that names a consent record, and begins
// its value: inputs are canonical, without spaces.
var recordMember = []byte(`record_id":"`)

// recordsNamed lists the consent records that an input names, each once.
func recordsNamed(input []byte) (ids []string) {
	for {
		_, rest, found := bytes.Cut(input, recordMember)
		if !found {
			return ids
		}
		id, rest, _ := bytes.Cut(rest, []byte{'"'})
		if input = rest; !slices.Contains(ids, string(id)) {
			ids = append(ids, string(id))
		}
	}
}

// called adds the calls that the subject's file notes under a consent to calls.
func (f *Flow) called(ctx context.Context, p *ConsentProof) error {
	r := p.Proof.Record
	if !slices.ContainsFunc(r.Purposes, func(c consent.Choice) bool { return c.Purpose == consent.MarketingPhone }) {
		return nil
	}
	history, err := f.host.History(ctx, r.Subject)
	if err != nil {
		return unavailable("reading the file of a consent to calls", err)
	}
	for _, h := range history {
		if h.Event.Method == "call" && h.Supersedes == r.RecordID {
			p.used(Use{Noted: h.RecordID, Time: h.Event.Time.UTC(), Action: h.Event.Method, Rules: []string{"ESC-08"}})
		}
	}
	slices.SortStableFunc(p.Uses, func(a, b Use) int { return a.Time.Compare(b.Time) })
	return nil
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
