package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

type consentProofCmd struct {
	place
	Record  string          `help:"record_id; not with the others."`
	Subject string          `help:"Pseudonym."`
	Purpose consent.Purpose `help:"Only records that decide on this purpose."`
	From    moment          `placeholder:"TIME" help:"Records from this time on, RFC 3339."`
	To      moment          `placeholder:"TIME" help:"Records before this time, RFC 3339."`
	Lang    string          `enum:"de,en" default:"de" help:"Language of the text: de or en; German unless told."`
	Format  string          `enum:"text,json" default:"text" help:"text, or json: JSON-LD in the ISO/IEC TS 27560 profile of DPV, one object per line."`
	Claim   string          `help:"Opens the sealed proof of an erased person's --record: the claim to be defended, which is logged."`
}

// proofsCall asks for proofs.
type proofsCall struct {
	Record  string          `json:"record,omitempty"`
	Subject consent.Subject `json:"subject,omitempty"`
	Purpose consent.Purpose `json:"purpose,omitempty"`
	From    time.Time       `json:"from"`
	To      time.Time       `json:"to"`
	Claim   string          `json:"claim,omitempty"`
}

// call checks the flags.
func (c consentProofCmd) call() (proofsCall, error) {
	in := proofsCall{Record: c.Record, Purpose: c.Purpose, From: c.From.Time, To: c.To.Time, Claim: c.Claim}
	switch {
	case c.Record == "" && c.Subject == "" && c.Purpose == "" && c.From.IsZero() && c.To.IsZero():
		return in, errors.New("say whose proof: --record, --subject, --purpose, --from or --to")
	case c.Record != "" && (c.Subject != "" || c.Purpose != "" || !c.From.IsZero() || !c.To.IsZero()):
		return in, errors.New("--record names one record: leave the others out")
	case c.Claim != "" && c.Record == "":
		return in, errors.New("--claim opens one sealed proof: name its --record")
	case c.Purpose != "" && !c.Purpose.Known():
		return in, fmt.Errorf("--purpose: there is no purpose %q", c.Purpose)
	case !c.From.IsZero() && !c.To.IsZero() && !c.From.Before(c.To.Time):
		return in, errors.New("--from must be before --to")
	}
	if c.Subject != "" {
		s, err := consent.ParseSubject(c.Subject)
		if err != nil || s.IsZero() {
			return in, fmt.Errorf("--subject: want the 32 hex digits of a pseudonym, got %q", c.Subject)
		}
		in.Subject = s
	}
	return in, nil
}

// Run prints proofs as they come; none at all is an error.
func (c consentProofCmd) Run(ctx context.Context, s streams) error {
	in, err := c.call()
	if err != nil {
		return err
	}
	return c.within(ctx, s, func(r *reached) error {
		n := 0
		err := r.proofs(ctx, in, func(p flow.ConsentProof) error {
			n++
			if c.Format == "json" {
				ld, err := p.LD()
				s.printf("%s\n", ld)
				return err
			}
			if n > 1 {
				s.printf("\n")
			}
			s.printf("%s", p.Text(c.Lang))
			return nil
		})
		if err == nil && n == 0 {
			err = errors.New("there is no such consent record")
		}
		return err
	})
}

// proofLine is a line of the answer: a proof, or why there is none.
type proofLine struct {
	Proof *flow.ConsentProof `json:"proof,omitempty"`
	Wrong string             `json:"wrong,omitempty"`
}

func (r *reached) proofs(ctx context.Context, in proofsCall, each func(flow.ConsentProof) error) error {
	b, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("writing the call: %w", err)
	}
	res, err := r.request(ctx, "POST", "/admin/proofs", "", bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	return lines(res.Body, func(l proofLine) error {
		if l.Proof == nil {
			return errors.New(l.Wrong)
		}
		return each(*l.Proof)
	})
}

// proofs writes the proofs asked for, a line each.
func (sh *shop) proofs(w http.ResponseWriter, r *http.Request) {
	enc := json.NewEncoder(w)
	var in proofsCall
	err := json.NewDecoder(r.Body).Decode(&in)
	give := func(p flow.ConsentProof) error { return enc.Encode(proofLine{Proof: &p}) }
	if err == nil {
		err = sh.host.Sequence(r.Context())
	}
	switch {
	case err != nil:
	case in.Claim != "":
		err = sh.sealedProof(r.Context(), in, give)
	default:
		err = sh.openProofs(r.Context(), in, give)
	}
	if err != nil {
		_ = enc.Encode(proofLine{Wrong: oneLine(err)}) // a writer that fails is noticed by the reader
	}
}

// proofsAtOnce bounds the records that one look through the decisions serves.
const proofsAtOnce = 1000

// openProofs gives the proofs of records in the book.
func (sh *shop) openProofs(ctx context.Context, in proofsCall, give func(flow.ConsentProof) error) error {
	if in.Record != "" {
		r, err := sh.host.Record(ctx, in.Record)
		if errors.Is(err, flow.ErrNotFound) {
			return fmt.Errorf("there is no consent record %s: of an erased person, --claim may open a sealed proof", in.Record)
		}
		if err != nil {
			return err
		}
		in.Subject = r.Subject
	}
	var held []flow.Proof
	err := sh.host.ScanRecords(ctx, in.Subject, func(r consent.Record) error {
		if !in.wants(r) {
			return nil
		}
		p, err := sh.host.Proof(ctx, r.RecordID)
		if errors.Is(err, flow.ErrNotFound) { // erased meanwhile
			return nil
		}
		if err != nil {
			return fmt.Errorf("proving record %s: %w", r.RecordID, err)
		}
		if held = append(held, p); len(held) < proofsAtOnce {
			return nil
		}
		full := held
		held = nil
		return sh.give(ctx, full, false, give)
	})
	if err != nil || len(held) == 0 {
		return err
	}
	return sh.give(ctx, held, false, give)
}

// wants reports whether a record is asked for.
func (in proofsCall) wants(r consent.Record) bool {
	at := r.Event.Time
	return (in.Record == "" || r.RecordID == in.Record) && (in.From.IsZero() || !at.Before(in.From)) && (in.To.IsZero() || at.Before(in.To)) &&
		(in.Purpose == "" || slices.ContainsFunc(r.Purposes, func(c consent.Choice) bool { return c.Purpose == in.Purpose }))
}

func (sh *shop) give(ctx context.Context, ps []flow.Proof, sealed bool, give func(flow.ConsentProof) error) error {
	out, err := sh.flow.ConsentProofs(ctx, ps, sealed)
	if err != nil {
		return err
	}
	for _, p := range out {
		p.Verifier = sh.host.Verifier()
		if err := give(p); err != nil {
			return err
		}
	}
	return nil
}

// sealedProof opens the proof of an erased person's consent. The claim is in the
// decision log before anything is shown.
func (sh *shop) sealedProof(ctx context.Context, in proofsCall, give func(flow.ConsentProof) error) error {
	p, err := sh.host.SealedProof(ctx, in.Record)
	if errors.Is(err, flow.ErrNotFound) {
		return fmt.Errorf("there is no sealed proof of record %s", in.Record)
	}
	if err != nil {
		return err
	}
	if err := sh.flow.NoteClaim(ctx, in.Claim, p.Leaf, "dpo/owner"); err != nil {
		return fmt.Errorf("logging who opens a sealed proof: %w", err)
	}
	return sh.give(ctx, []flow.Proof{p}, true, give)
}
