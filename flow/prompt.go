package flow

import (
	"context"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/policy"
)

// Prompt says which purposes a banner may ask the visitor for now (CON-12). It
// holds the shop back, never the visitor: a choice of their own counts at once.
type Prompt struct {
	Ask     []consent.Purpose             `json:"ask"`     // in the taxonomy's order
	Later   map[consent.Purpose]time.Time `json:"later"`   // refused lately: not asked before this
	Reasons []policy.Reason               `json:"reasons"` // why the others wait
}

// no is the last act that refused or took back a purpose.
type no struct {
	at     time.Time
	notice string // version of the text that was shown
}

// prompt judges what a banner may ask for: the purposes of the newest notice that
// one click can grant here. Sensitive categories and recordings are asked for by
// themselves, and what only the person can decide is asked of an account.
func (f *Flow) prompt(ctx context.Context, v *visitor, history []consent.Record, now time.Time) (Prompt, error) {
	out := Prompt{Ask: []consent.Purpose{}, Later: map[consent.Purpose]time.Time{}}
	months := f.cfg.Consent.ReaskMonths
	in := policy.PromptInput{Purposes: map[consent.Purpose]policy.PromptFact{}, ReaskMonths: int64(months)}
	noes := lastNoes(history)
	reg, err := f.registered(ctx)
	if err != nil {
		return Prompt{}, err
	}
	for _, p := range f.asked(v) {
		fact := policy.PromptFact{Status: v.said(p, now).Status, MonthsSinceNo: -1}
		if n, said := noes[p]; said {
			fact.MonthsSinceNo, fact.MaterialChange = monthsSince(n.at, now, f.zone), f.changedSince(n.notice)
		}
		if !reg.Runs(p) {
			fact.Status = policy.Unregistered
		}
		in.Purposes[p] = fact
	}
	verdict, err := f.rules.Prompt(ctx, in)
	if err != nil {
		return Prompt{}, unavailable("judging a prompt", err)
	}
	out.Ask = append(out.Ask, inOrder(verdict.Ask)...)
	for p := range verdict.Withheld {
		if n, said := noes[p]; said {
			out.Later[p] = consent.GrantUntil(n.at, months, f.zone)
		}
	}
	out.Reasons = f.words(policy.EntryPrompt, verdict.Rules)
	return out, nil
}

// asked are the purposes that a banner may name to this visitor at all.
func (f *Flow) asked(v *visitor) []consent.Purpose {
	if len(f.cfg.Notices) == 0 {
		return nil
	}
	out := []consent.Purpose{}
	for _, p := range inOrder(f.cfg.Notices[len(f.cfg.Notices)-1].Purposes) {
		personal := p.Reach() == consent.OnAccount && v.account.Subject.IsZero()
		device := p.Reach() == consent.OnDevice && !v.named
		if p.Gated() && !p.Special() && p != consent.RecordingAV && !personal && !device {
			out = append(out, p)
		}
	}
	return out
}

// lastNoes finds, for each purpose, the last record that said no to it.
func lastNoes(history []consent.Record) map[consent.Purpose]no {
	out := map[consent.Purpose]no{}
	for _, r := range history {
		for _, c := range r.Purposes {
			if !c.Status.Valid() && !r.Event.Time.Before(out[c.Purpose].at) {
				out[c.Purpose] = no{r.Event.Time, r.Notice.Version}
			}
		}
	}
	return out
}

// changedSince reports a material change in a notice listed after the version. A
// version that is not configured any more has seen no change: in doubt, no banner.
func (f *Flow) changedSince(version string) bool {
	at := -1
	for i, n := range f.cfg.Notices {
		if n.Version == version {
			at = i
		} else if at >= 0 && n.Material {
			return true
		}
	}
	return false
}

// monthsSince counts whole calendar months, as grants do.
func monthsSince(from, now time.Time, zone *time.Location) int64 {
	n := 0
	for n < maxMonths && !consent.GrantUntil(from, n+1, zone).After(now) {
		n++
	}
	return int64(n)
}

// maxMonths is more than any interval that the configuration allows.
const maxMonths = 48
