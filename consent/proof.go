package consent

import "time"

// Proof is what the shop's backend knows about how a yes came about, beside the
// act itself: the double opt-in of an address (EXP-04), or the call in which a yes
// was given (ESC-08).
type Proof struct {
	DOISent       *time.Time `json:"doi_sent,omitempty"`
	DOIConfirmed  *time.Time `json:"doi_confirmed,omitempty"`
	MailVersion   string     `json:"mail_version,omitempty"`
	CallID        string     `json:"call_id,omitempty"`
	ScriptVersion string     `json:"script_version,omitempty"`
}

// Parental is the authorisation of those who bear parental responsibility (SPC-05).
type Parental struct {
	Method string    `json:"method"`
	Time   time.Time `json:"time"`
}

// doiDays is how long an unconfirmed address waits (EXP-04); then it has to be asked again.
const doiDays = 14

// Confirmed reports a whole double opt-in: asked for with a known text, and
// confirmed after that, in time.
func (p *Proof) Confirmed() bool {
	return p != nil && p.DOISent != nil && p.DOIConfirmed != nil && !p.DOIConfirmed.Before(*p.DOISent) &&
		!p.DOIConfirmed.After(p.DOISent.AddDate(0, 0, doiDays)) && p.MailVersion != ""
}

// Spoken reports a yes of a call that can be found again, by a known script.
func (p *Proof) Spoken() bool { return p != nil && p.CallID != "" && p.ScriptVersion != "" }

// utc is the proof with its times in UTC, for the canonical form.
func (p *Proof) utc() *Proof {
	if p == nil {
		return nil
	}
	out := *p
	for _, t := range []**time.Time{&out.DOISent, &out.DOIConfirmed} {
		if *t != nil {
			at := (*t).UTC()
			*t = &at
		}
	}
	return &out
}
