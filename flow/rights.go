package flow

import (
	"context"
	"encoding/json"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
)

// The requests that a person may make (Art. 15 to 21 GDPR).
const (
	RightObjection     = "objection"
	RightRestriction   = "restriction"
	RightErasure       = "erasure"
	RightAccess        = "access"
	RightRectification = "rectification"
	RightPortability   = "portability"
)

// The statuses of a request.
const (
	RightDone       = "done"
	RightInProgress = "in_progress" // an erasure whose last bytes go with the next night
)

// RightsCall is a request about a device, an account or both.
type RightsCall struct {
	AnonymousID string `json:"anonymousId,omitempty"`
	UserID      string `json:"userId,omitempty"`
	Request     string `json:"request"`
	// Scope of an objection: direct_marketing, profiling, tracking, or li:PURPOSE.
	Scope string `json:"scope,omitempty"`
	// Channel puts an objection to direct marketing onto the suppression list, for
	// that channel or all: no later consent lifts it, and it outlives erasure.
	Channel string `json:"channel,omitempty"`
	// On is false to take an objection or a restriction back; left out, it is true.
	On *bool `json:"on,omitempty"`
}

// RightsAnswer is a request as it stands (201, and for whoever asks again).
type RightsAnswer struct {
	RequestID string    `json:"request_id"`
	Request   string    `json:"request"`
	Scope     string    `json:"scope,omitempty"`
	Channel   string    `json:"channel,omitempty"`
	On        bool      `json:"on"`
	Status    string    `json:"status"` // done | in_progress
	Received  time.Time `json:"received_at"`
	Due       string    `json:"due"` // the last day to answer on (RGT-01)
	Erased    []Erasure `json:"erased,omitempty"`
}

// right is a checked request. What it says is also what the record says: no
// identifier.
type right struct {
	Request    string          `json:"request"`
	Scope      string          `json:"scope,omitempty"`
	Channel    string          `json:"channel,omitempty"`
	On         bool            `json:"on"`
	Received   time.Time       `json:"received_at"`
	About      []consent.Scope `json:"about"`      // device, account
	Credential string          `json:"credential"` // that identified the person (RGT-01): server | identity | dpo
	ids        []consent.ID
}

// Rights takes a person's request. Objection, restriction and erasure are carried
// out before it returns and bind the very next decision; nobody's grounds are
// weighed against them here (RGT-03, RGT-07).
func (f *Flow) Rights(ctx context.Context, call RightsCall, c Caller) (RightsAnswer, error) {
	r, err := f.right(call, c)
	if err != nil {
		return RightsAnswer{}, err
	}
	out := RightsAnswer{
		RequestID: newID(r.Received), Request: r.Request, Scope: r.Scope, Channel: r.Channel, On: r.On,
		Status: RightDone, Received: r.Received, Due: consent.RightsDue(r.Received, f.zone).Format(time.DateOnly),
	}
	var subjects []consent.Subject
	for _, id := range r.ids {
		s, erased, err := f.carryOut(ctx, r, id)
		if err != nil {
			return RightsAnswer{}, unavailable("carrying out a request", err)
		}
		subjects = append(subjects, s)
		if r.Request == RightErasure {
			out.erased(erased)
		}
	}
	rec, err := f.rightsRecord(r, out, subjects, c)
	if err == nil {
		err = f.decided(ctx, &rec)
	}
	if err != nil {
		return RightsAnswer{}, unavailable("writing a decision record", err)
	}
	return out, nil
}

// carryOut does what a request asks for one identifier. Only who asks to be
// forgotten needs no pseudonym for it.
func (f *Flow) carryOut(ctx context.Context, r right, id consent.ID) (s consent.Subject, e Erasure, err error) {
	if r.Request == RightErasure {
		if s, err = f.host.Find(ctx, id); err == nil && !s.IsZero() {
			e, err = f.host.Erase(ctx, s, r.Received)
		}
		return s, e, err
	}
	if s, err = f.host.Assign(ctx, id); err != nil {
		return s, e, err
	}
	switch {
	case r.Request == RightRestriction:
		err = f.host.Restrict(ctx, s, r.On, r.Received)
	case r.Channel != "":
		err = f.host.Suppress(ctx, s, r.Channel, r.On, r.Received)
	default:
		err = f.host.Object(ctx, s, r.Scope, r.On, r.Received)
	}
	return s, e, err
}

// erased adds what became of one identifier's data.
func (a *RightsAnswer) erased(e Erasure) {
	for _, s := range e.Stores {
		if !s.Done {
			a.Status = RightInProgress
		}
	}
	if len(e.Stores) > 0 {
		a.Erased = append(a.Erased, e)
	}
}

// rightsRecord is the file of a request. That of an erasure leads to nobody.
func (f *Flow) rightsRecord(r right, out RightsAnswer, subjects []consent.Subject, c Caller) (decide.Record, error) {
	rec, err := f.staffRecord(r.Received, decide.ActionRights, "", r, out)
	rec.ID, rec.Rules = out.RequestID, rulesOf(r)
	if c.Staff != nil {
		rec.Actor = c.Staff.actor()
	}
	if r.Request != RightErasure {
		rec.Subject = subjects[len(subjects)-1]
	}
	return rec, err
}

func rulesOf(r right) []string {
	switch {
	case r.Request == RightErasure:
		return []string{"RGT-01", "RGT-05"}
	case r.Scope == consent.DirectMarketing:
		return []string{"EXP-03", "RGT-01"}
	}
	return []string{"RGT-01", "RGT-07"}
}

// right checks a request: every fault names its field.
func (f *Flow) right(call RightsCall, c Caller) (right, error) {
	r := right{Request: call.Request, Scope: call.Scope, Channel: call.Channel, On: call.On == nil || *call.On, Received: f.now()}
	if err := r.identified(call, c); err != nil {
		return r, err
	}
	switch r.Request {
	case RightObjection:
		return r, r.objection()
	case RightRestriction, RightErasure:
		if r.Scope+r.Channel != "" {
			return r, invalid("scope", "only an objection has a scope or a channel")
		}
		if r.Request == RightErasure && !r.On {
			return r, invalid("on", "what was erased does not come back")
		}
		return r, nil
	case RightAccess, RightRectification, RightPortability:
		return r, &Fault{Status: 422, Code: "request_not_yet", Detail: "request: " + r.Request + " comes with the rights work; ask the contact below"}
	}
	return r, invalid("request", "want objection, restriction or erasure")
}

// identified settles whom a request is about. Who proves control of the device id
// or the account is identified for it; nothing more is asked (RGT-01).
func (r *right) identified(call RightsCall, c Caller) error {
	d, err := device(call.AnonymousID)
	if err != nil {
		return err
	}
	switch _, e := c.staff(RoleDPO); {
	case e == nil:
		r.Credential, c.Server = RoleDPO, true // on behalf of the person who wrote in
	case c.Server:
		r.Credential = "server"
	case !c.Account.IsZero():
		r.Credential = "identity"
	default:
		return forbidden("rights_credential", "credential: a request needs the server key, an identity token or the DPO")
	}
	a, err := c.account(call.UserID)
	if err != nil {
		return err
	}
	for _, id := range []consent.ID{d, a} {
		if !id.IsZero() {
			r.ids, r.About = append(r.ids, id), append(r.About, id.Scope)
		}
	}
	if len(r.ids) == 0 {
		return invalid("anonymousId", "missing, and so is userId")
	}
	return nil
}

func (r *right) objection() error {
	if r.Channel != "" && r.Scope == "" {
		r.Scope = consent.DirectMarketing
	}
	switch {
	case !consent.ObjectionScope(r.Scope):
		return invalid("scope", "want direct_marketing, profiling, tracking, or li: and a purpose that rests on a legitimate interest")
	case r.Channel != "" && r.Scope != consent.DirectMarketing:
		return invalid("channel", "only direct marketing has channels")
	case r.Channel != "" && !consent.SuppressedChannel(r.Channel):
		return invalid("channel", "want email, sms, push, phone, post, ads or all")
	}
	return nil
}

// RightsRequest says where a request stands. Whoever holds its id may ask: the id
// has 74 random bits and was told to the requester alone.
func (f *Flow) RightsRequest(ctx context.Context, id string, _ Caller) (RightsAnswer, error) {
	r, err := f.host.Decision(ctx, id)
	if err != nil {
		return RightsAnswer{}, found("request", "request_unknown", err)
	}
	var out RightsAnswer
	if r.Action != decide.ActionRights {
		return out, missing("request_unknown", "request: there is none with this id")
	}
	if r.Erased != "" {
		return out, missing("request_erased", "request: what it said was erased with the person's data")
	}
	if err := json.Unmarshal(r.Result, &out); err != nil {
		return out, unavailable("reading a request", err)
	}
	pub, err := f.publication(ctx)
	if err != nil {
		return out, err
	}
	if out.Status == RightInProgress && pub.AsOf.After(out.Received) {
		out.Status = RightDone
	}
	return out, nil
}
