package flow

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/signal"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// recordOf makes the record of an act upon the state before it, with every
// mandatory field of law.md 2.3, and says which yeses fell and why.
func (f *Flow) recordOf(ctx context.Context, a act, before consent.State, scope consent.Scope, id string) (consent.Record, map[consent.Purpose][]string, error) {
	v := visitor{device: before}
	v.device.AgeBand = cmp.Or(a.AgeBand, before.AgeBand)
	reg, err := f.registered(ctx)
	if err != nil {
		return consent.Record{}, nil, err
	}
	verdict, err := f.rules.Consent(ctx, f.consentInput(a, scope, v.age(f.cfg.ChildShop), reg))
	if err != nil {
		return consent.Record{}, nil, unavailable("judging a consent call", err)
	}
	text := sha256.Sum256([]byte(a.notice.Languages[a.Notice.Language]))
	r := consent.Record{
		Schema: consent.RecordSchema, RecordID: id, Subject: before.Subject, Version: before.Version + 1, Scope: scope,
		Controller: f.cfg.Controller, PurposesShown: inOrder(a.PurposesShown), DefaultState: a.ui.Default,
		Notice:       consent.Notice{Version: a.notice.Version, Language: a.Notice.Language, TextSHA256: hex.EncodeToString(text[:])},
		UI:           consent.UI{Version: a.ui.Version, Component: a.ui.Component, Layer: a.UI.Layer, RejectEqual: sound(a.ui, a.now)},
		Event:        consent.Act{Time: a.now, ClientTime: a.ClientTime, Type: "expressed", Method: a.Method, Actor: "subject"},
		Validity:     consent.Validity{From: a.now, Until: consent.GrantUntil(a.now, f.grantMonths(), f.zone)},
		Jurisdiction: f.cfg.Country, Law: "GDPR, TDDDG",
		Storage:    consent.Storage{Locations: []string{f.cfg.Country}, Retention: "life of the consent and 3 years, to the year's end"},
		Withdrawal: consent.Withdrawal{How: "same control, same effort", URLPath: "/v1/consent"},
		RightsURL:  "/v1/rights", Authority: "data protection authority of " + f.cfg.Country,
		Signals:  consent.Signals{SecGPC: a.gpc, DNT: a.dnt, TCFSHA256: digested(a.Signals.TCString), GPPSHA256: digested(a.Signals.GPP)},
		Source:   consent.Source{SDK: "http", UAFamily: event.UAFamily(a.userAgent), PagePath: event.PageType(a.PagePath)},
		Conflict: a.Conflict, Rules: verdict.Rules, Proof: a.Proof, Parental: a.Parental, AgeBand: a.AgeBand,
	}
	r.Purposes = choices(a, before, verdict)
	r.Supersedes = superseded(before, r.Purposes)
	return r, verdict.Refused, nil
}

// sound reports that refusing was as easy as accepting, and that nobody has found
// otherwise since (CON-06).
func sound(u config.UI, now time.Time) bool {
	from, fell := u.InvalidFrom()
	return u.RejectEqual && (!fell || now.Before(from))
}

func (f *Flow) consentInput(a act, scope consent.Scope, age string, reg Register) policy.ConsentInput {
	in := policy.ConsentInput{
		Method: a.Method, DefaultState: a.ui.Default, Asked: a.Purposes, Scope: scope,
		PurposesShown:  named(a.PurposesShown, a.notice.Purposes),
		NoticeComplete: strings.TrimSpace(a.notice.Languages[a.Notice.Language]) != "",
		NoticeElements: a.notice.Elements, RejectEqual: sound(a.ui, a.now), RejectFirst: a.ui.RejectFirst, Equal: a.ui.Equal,
		AcceptClicks: int64(a.ui.AcceptClicks), RejectClicks: int64(a.ui.RejectClicks), WithdrawClicks: int64(a.ui.WithdrawClicks),
		GPC: a.gpc, ConflictShown: a.Conflict, Age: age, Parental: a.Parental != nil,
		TCF: map[consent.Purpose]string{}, GPP: map[consent.Purpose]string{},
	}
	if in.Asked == nil {
		in.Asked = map[consent.Purpose]bool{}
	}
	for p := range in.Asked {
		if !reg.Runs(p) {
			in.Unregistered = append(in.Unregistered, p)
		}
	}
	slices.Sort(in.Unregistered)
	if a.Signals.TCString != "" {
		in.TCF = signal.TCFPurposes(a.Signals.TCString, f.cfg.TCF.VendorID, a.now)
	}
	if a.Signals.GPP != "" {
		in.GPP = signal.GPPPurposes(a.Signals.GPP, f.cfg.TCF.VendorID, a.now)
	}
	return in
}

// odd counts strings that claim legitimate interest where TCF knows none: they
// grant nothing by it, and somebody should look at the banner (SIG-07).
func (f *Flow) odd(ctx context.Context, a act) error {
	if !signal.OddInterests(a.Signals.TCString, a.Signals.GPP) {
		return nil
	}
	return f.count(ctx, a.now, "signal/SIG-07")
}

// named keeps the purposes that the notice names: what the notice is silent
// about was not shown (CON-05, CON-09).
func named(shown, notice []consent.Purpose) []consent.Purpose {
	out := []consent.Purpose{}
	for _, p := range inOrder(shown) {
		if len(notice) == 0 || slices.Contains(notice, p) {
			out = append(out, p)
		}
	}
	return out
}

// inOrder sorts purposes into the taxonomy's order, each once.
func inOrder(ps []consent.Purpose) []consent.Purpose { return consent.SetOf(ps...).List() }

// choices are the decisions of an act, purpose by purpose in the taxonomy's
// order: a yes that stands, else a no for everything named or shown.
func choices(a act, before consent.State, v policy.ConsentVerdict) []consent.Choice {
	touched := consent.SetOf(a.PurposesShown...)
	for p := range a.Purposes {
		touched = touched.With(p)
	}
	out := make([]consent.Choice, 0, touched.Len())
	for _, p := range touched.List() {
		was := before.At(p, a.now).Status
		c := consent.Choice{Purpose: p, Status: consent.Refused, Basis: "6-1-a"}
		if p.Special() {
			c.Basis = "9-2-a"
		}
		switch yes := slices.Contains(v.Given, p) && a.Purposes[p]; {
		case yes && was.Valid():
			c.Status, c.Explicit = consent.Renewed, p.Special()
		case yes:
			c.Status, c.Explicit = consent.Given, p.Special()
		case was.Valid():
			c.Status = consent.Withdrawn
		}
		out = append(out, c)
	}
	return out
}

// superseded is the latest record that the choices replace, "" if none.
func superseded(before consent.State, cs []consent.Choice) (id string) {
	for _, c := range cs {
		id = max(id, before.Standings[c.Purpose].RecordID) // UUIDv7: the latest sorts last
	}
	return id
}

func (f *Flow) grantMonths() int {
	if n := f.cfg.Consent.GrantMonths; n > 0 {
		return n
	}
	return 12
}

// digested is the hex SHA-256 of a signal string, "" of none: the strings
// themselves are personal data and are not kept.
func digested(s string) string {
	if s == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
