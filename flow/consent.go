package flow

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/signal"
)

// ConsentCall gives, refuses or withdraws. Purposes not named stay as they are;
// those shown but not named become refused.
type ConsentCall struct {
	AnonymousID   string                   `json:"anonymousId,omitempty"`
	UserID        string                   `json:"userId,omitempty"`
	Purposes      map[consent.Purpose]bool `json:"purposes,omitempty"`
	PurposesShown []consent.Purpose        `json:"purposes_shown,omitempty"`
	Method        string                   `json:"method"`
	Notice        NoticeRef                `json:"notice"`
	UI            UIRef                    `json:"ui"`
	Signals       SignalsSent              `json:"signals,omitzero"`
	Conflict      bool                     `json:"conflict_notice,omitempty"` // the visitor saw that a browser signal says no (SIG-04)
	ClientTime    *time.Time               `json:"client_time,omitempty"`     // only informative
	PagePath      string                   `json:"page_path,omitempty"`       // of it only the page type is kept
	Proof         *consent.Proof           `json:"proof,omitempty"`           // double opt-in or call; of the shop's backend or the account only
	AgeBand       string                   `json:"age_band,omitempty"`        // u16 | 16_17 | adult, as the shop's backend knows; the same
	Parental      *consent.Parental        `json:"parental,omitempty"`        // those who bear parental responsibility agreed; the same
}

// NoticeRef names a configured privacy notice.
type NoticeRef struct {
	Version  string `json:"version"`
	Language string `json:"language"`
}

// UIRef names a configured banner or preference centre.
type UIRef struct {
	Version string `json:"version"`
	Layer   int    `json:"layer,omitempty"`
}

// SignalsSent are consent signals that came with a consent call.
type SignalsSent struct {
	TCString string `json:"tcString,omitempty"`
	GPP      string `json:"gpp,omitempty"`
	GPC      bool   `json:"gpc,omitempty"`
}

// ConsentAnswer is the receipt of a consent call (201).
type ConsentAnswer struct {
	RecordID       string                              `json:"record_id"`
	Version        uint64                              `json:"version"`
	Leaf           string                              `json:"leaf"` // hex
	Time           time.Time                           `json:"time"`
	Purposes       map[consent.Purpose]PurposeStanding `json:"purposes"`
	Rules          []string                            `json:"rules,omitempty"`            // that turned a yes into a no
	DeviceRecordID string                              `json:"device_record_id,omitempty"` // if the call was for an account and its device
	ConsentMode    signal.ConsentMode                  `json:"consent_mode"`               // what Google's tags may be told now (SIG-09)
}

// PurposeStanding is where one purpose stands.
type PurposeStanding struct {
	Status   consent.Status `json:"status"`
	Since    *time.Time     `json:"since,omitempty"`
	Until    *time.Time     `json:"until,omitempty"`
	RecordID string         `json:"record_id,omitempty"`
	Rules    []string       `json:"rules,omitempty"` // that turned a yes into a no
}

// act is a checked consent call.
type act struct {
	ConsentCall
	now             time.Time
	gpc, dnt        bool
	userAgent       string
	notice          config.Notice
	ui              config.UI
	device, account consent.ID
}

// Consent records what a visitor said about consent and gives the receipt. It is
// the only way to a yes; giving, refusing and withdrawing take the same call.
//
// A call that proves an account and names a device speaks for both: the account's
// record is the answer, the device's is named beside it.
func (f *Flow) Consent(ctx context.Context, call ConsentCall, c Caller) (ConsentAnswer, error) {
	a, err := f.act(call, c)
	if err != nil {
		return ConsentAnswer{}, err
	}
	if err := f.odd(ctx, a); err != nil {
		return ConsentAnswer{}, err
	}
	ctx = f.ahead(ctx, func() Ahead { return Ahead{Who: []Who{{Device: a.device}, {Account: a.account}}, Profile: true} })
	if a.account.IsZero() {
		return f.book(ctx, a, a.device)
	}
	var device ConsentAnswer
	if !a.device.IsZero() {
		if device, err = f.book(ctx, a, a.device); err != nil {
			return ConsentAnswer{}, err
		}
	}
	answer, err := f.book(ctx, a, a.account)
	if answer.DeviceRecordID = device.RecordID; device.RecordID != "" {
		answer.ConsentMode = answer.ConsentMode.And(device.ConsentMode)
	}
	return answer, err
}

// book writes the act into the book of one identifier.
func (f *Flow) book(ctx context.Context, a act, id consent.ID) (ConsentAnswer, error) {
	s, err := f.host.Assign(ctx, id)
	if err != nil {
		return ConsentAnswer{}, unavailable("assigning a pseudonym", err)
	}
	var after consent.State
	var felled map[consent.Purpose][]string
	if err := f.keepNotice(ctx, a); err != nil {
		return ConsentAnswer{}, err
	}
	record := newID(a.now)
	receipt, err := f.host.Append(ctx, s, func(before consent.State) (consent.Record, error) {
		before.Subject = s
		r, fell, err := f.recordOf(ctx, a, f.invalid.In(before, a.now), id.Scope, record)
		after, felled = f.invalid.In(before.Apply(r), a.now), fell
		return r, err
	})
	var fault *Fault
	if errors.As(err, &fault) {
		return ConsentAnswer{}, fault
	}
	if err != nil {
		return ConsentAnswer{}, unavailable("writing a consent record", err)
	}
	answer := ConsentAnswer{
		RecordID: receipt.Record.RecordID, Version: receipt.Record.Version, Leaf: hex.EncodeToString(receipt.Leaf[:]),
		Time: receipt.Record.Event.Time, Rules: receipt.Record.Rules, Purposes: map[consent.Purpose]PurposeStanding{},
		ConsentMode: f.consentMode(func(p consent.Purpose) bool { return after.Usable(p, a.now) }, a.gpc),
	}
	for _, choice := range receipt.Record.Purposes {
		p := standingShown(after.At(choice.Purpose, a.now))
		p.Since, p.RecordID, p.Rules = nil, "", felled[choice.Purpose]
		answer.Purposes[choice.Purpose] = p
	}
	return answer, nil
}

// consentMode derives Google Consent Mode from what may be used. Advertising data
// counts as going to a controller unless every configured channel for it is a
// processor's.
func (f *Flow) consentMode(usable func(consent.Purpose) bool, gpc bool) signal.ConsentMode {
	channels, processors := 0, 0
	for _, c := range f.cfg.Exports.Channels {
		if c.Purpose != consent.AdsThirdParty {
			continue
		}
		if channels++; c.Role == "processor" {
			processors++
		}
	}
	return signal.ConsentModeOf(usable, gpc, channels == 0 || processors < channels)
}

func standingShown(s consent.Standing) PurposeStanding {
	p := PurposeStanding{Status: s.Status, RecordID: s.RecordID}
	if !s.Since.IsZero() {
		p.Since = &s.Since
	}
	if !s.Until.IsZero() {
		p.Until = &s.Until
	}
	return p
}

// act checks a consent call: every fault names its field.
func (f *Flow) act(call ConsentCall, c Caller) (act, error) {
	a := act{ConsentCall: call, now: f.now(), gpc: c.gpc() || call.Signals.GPC, dnt: c.dnt(), userAgent: c.UserAgent}
	var err error
	if a.device, err = device(call.AnonymousID); err != nil {
		return a, err
	}
	if a.account, err = c.account(call.UserID); err != nil {
		return a, err
	}
	if a.device.IsZero() && a.account.IsZero() {
		return a, invalid("anonymousId", "missing, and no account is proven")
	}
	for p := range call.Purposes {
		if err := gated("purposes", p); err != nil {
			return a, err
		}
	}
	for _, p := range call.PurposesShown {
		if err := gated("purposes_shown", p); err != nil {
			return a, err
		}
	}
	if len(call.Purposes)+len(call.PurposesShown) == 0 {
		return a, invalid("purposes", "the call neither gives nor refuses anything")
	}
	if err := a.vouched(c); err != nil {
		return a, err
	}
	return a, f.shown(&a)
}

// vouched checks what only the shop's backend, or a proven account, can know: a
// browser's claim to it proves nothing (EXP-04, ESC-08, SPC-05).
func (a *act) vouched(c Caller) error {
	if a.Proof == nil && a.Parental == nil && a.AgeBand == "" {
		return nil
	}
	if !c.Server && c.Account.IsZero() {
		return forbidden("identity_needed", "proof: needs the account's identity token or the server key")
	}
	if p := a.Proof; p != nil {
		for _, t := range []*time.Time{p.DOISent, p.DOIConfirmed} {
			if t != nil && t.After(a.now) {
				return invalid("proof", "its times must have passed")
			}
		}
		for _, s := range []string{p.MailVersion, p.CallID, p.ScriptVersion} {
			if len(s) > 128 {
				return invalid("proof", "a name in it has more than 128 characters")
			}
		}
	}
	if a.AgeBand != "" && !slices.Contains([]string{"u16", "16_17", "adult"}, a.AgeBand) {
		return invalid("age_band", "want u16, 16_17 or adult")
	}
	if p := a.Parental; p != nil && (p.Method == "" || len(p.Method) > 64 || p.Time.IsZero() || p.Time.After(a.now)) {
		return invalid("parental", "needs a method and a time that has passed")
	}
	return nil
}

// gated checks a purpose key of a consent call.
func gated(field string, p consent.Purpose) error {
	key := string(p)
	if len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) {
		key = "(unprintable or too long)"
	}
	switch {
	case !p.Known():
		return invalid(field+"."+key, "unknown purpose")
	case !p.Gated():
		return invalid(field+"."+key, "this purpose does not rest on consent")
	}
	return nil
}

// shown checks what the visitor saw and did.
func (f *Flow) shown(a *act) error {
	if !slices.Contains(consent.Methods, a.Method) {
		return invalid("method", "want one of %v", consent.Methods)
	}
	var ok bool
	if a.notice, ok = f.cfg.Notice(a.Notice.Version); !ok {
		return invalid("notice.version", "not in the configuration")
	}
	if _, ok = a.notice.Languages[a.Notice.Language]; !ok {
		return invalid("notice.language", "this notice has no such language")
	}
	if a.ui, ok = f.cfg.UIVersion(a.UI.Version); !ok {
		return invalid("ui.version", "not in the configuration")
	}
	if a.UI.Layer < 0 || a.UI.Layer > 9 {
		return invalid("ui.layer", "want 0 to 9")
	}
	return nil
}
