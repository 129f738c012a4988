package policy

import (
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// CaseState is where a purpose stands for one event, with time, switches,
// restriction and links folded in. It is a closed list (CaseStates).
type CaseState string

// The states of a case. The first ones are consent.Status values, seen both at
// event time and now; the rest are circumstances that outrank them, strongest last.
const (
	StateUnknown      CaseState = "unknown"
	StateGiven        CaseState = "given"
	StateRenewed      CaseState = "renewed"
	StateRefused      CaseState = "refused"
	StateWithdrawn    CaseState = "withdrawn"
	StateExpired      CaseState = "expired"
	StateInvalidated  CaseState = "invalidated"
	StateRevoked      CaseState = "revoked"
	StateBeforeGrant  CaseState = "before_grant" // given now, but not yet when the event happened (BAT-01, BAT-02)
	StateUnlinked     CaseState = "unlinked"     // a merge of device and account without consent on both sides (CON-14)
	StateRestricted   CaseState = "restricted"   // Art. 18 (RGT-07)
	StateLate         CaseState = "late"         // more than 7 days late (BAT-04)
	StateAhead        CaseState = "ahead"        // more than 5 minutes in the future (BAT-04)
	StateUnregistered CaseState = "unregistered" // the purpose may not run, whoever said yes (LAW-01)
	StateSwitchedOff  CaseState = "switched_off" // kill switch (SWITCH)
)

// CaseStates lists all states.
var CaseStates = caseStates[:]

var caseStates = [...]CaseState{
	StateUnknown, StateGiven, StateRenewed, StateRefused, StateWithdrawn, StateExpired, StateInvalidated, StateRevoked,
	StateBeforeGrant, StateUnlinked, StateRestricted, StateLate, StateAhead, StateUnregistered, StateSwitchedOff,
}

// Stamp is what the event itself says about a purpose.
type Stamp string

// The stamps.
const (
	StampMissing Stamp = "missing" // no consent object, or an empty one (CON-11)
	StampSilent  Stamp = "silent"  // an object that does not name the purpose (SIG-10)
	StampNo      Stamp = "no"
	StampYes     Stamp = "yes"
	StampTrusted Stamp = "trusted" // none needed: order events with the server key, or events.require_stamp: false
)

// Stamps lists all stamps.
var Stamps = stamps[:]

var stamps = [...]Stamp{StampMissing, StampSilent, StampNo, StampYes, StampTrusted}

// Tag is the class of what the event is about (SPC-01).
type Tag string

// The tag classes.
const (
	TagNone     Tag = "none"
	TagSpecial  Tag = "special"          // a sensitive tag without explicit consent for each of its categories
	TagExplicit Tag = "special_explicit" // a sensitive tag, with explicit consent in force for each
)

// Tags lists all tag classes.
var Tags = tags[:]

var tags = [...]Tag{TagNone, TagSpecial, TagExplicit}

// AgeBands lists the age bands.
var AgeBands = ageBands[:]

var ageBands = [...]string{"unknown", "u16", "16_17", "adult"}

// GatePurposes are the purposes that the event gate decides. An event is stored
// for those that admit it; for nothing else.
var GatePurposes = gatePurposes[:]

var gatePurposes = [...]consent.Purpose{
	consent.EssentialService, consent.Analytics, consent.Experimentation, consent.PersonalisationContent,
	consent.AdviserAssist, consent.AdsThirdParty, consent.ModelTraining,
}

// EventCase is the whole input of the event gate: one purpose seen with one kind
// of event under given circumstances. The input space is the product of the
// closed lists and is enumerable (design.md, 3).
type EventCase struct {
	Kind    event.Kind      `json:"-"`
	Purpose consent.Purpose `json:"purpose"`
	State   CaseState       `json:"state"`
	Stamp   Stamp           `json:"stamp"`
	GPC     bool            `json:"gpc"`
	DNT     bool            `json:"dnt"`
	Tag     Tag             `json:"tag"`
	Age     string          `json:"age"`
}

// Verdict is what the event gate says about a case.
type Verdict struct {
	ID      event.CaseID   // digest of the case; its top bit is clear, so it fits a signed column
	Allowed bool           // false for everything undefined
	Keep    event.FieldSet // fields kept for the purpose
	Rules   []string       // ids of the rules that refused, sorted
	Night   []string       // the same refusal as the night names it: BAT-01, BAT-03
}

// ExportCase is the whole input of the export gate: one row for one channel.
type ExportCase struct {
	Purpose    consent.Purpose `json:"purpose"` // of the channel: marketing_email, …, ads_third_party
	State      CaseState       `json:"state"`   // of the channel's purpose now
	Source     CaseState       `json:"source"`  // of the purpose that the segment was built on, now
	GPC        bool            `json:"gpc"`
	DNT        bool            `json:"dnt"`
	Tag        Tag             `json:"tag"` // class of the segment
	Age        string          `json:"age"`
	Objection  bool            `json:"objection"`  // Art. 21(2) direct marketing
	Suppressed bool            `json:"suppressed"` // suppression list
	Confirmed  bool            `json:"confirmed"`  // the address is the person's own: by the recipient's double opt-in, or by ours (EXP-04)
	Small      bool            `json:"small"`      // the group has fewer members than k (EXP-07)
	Customer   CustomerFact    `json:"customer"`
	Recipient  RecipientFact   `json:"recipient"`
}

// CustomerFact is what the exception for existing customers asks (EXP-02).
type CustomerFact struct {
	Channel       bool `json:"channel"`         // the channel writes to customers without consent
	Ordered       bool `json:"ordered"`         // at this shop, under an account
	Similar       bool `json:"similar"`         // what the channel advertises is of a class that they bought
	NoticeAtOrder bool `json:"notice_at_order"` // of the right to object, when the address was given
	NoticeInMail  bool `json:"notice_in_mail"`  // and in every mail
}

// RecipientFact is what the register says about whom a channel feeds (EXP-08).
type RecipientFact struct {
	Registered   bool   `json:"registered"`
	Role         string `json:"role"` // own | processor | controller | joint
	Contract     bool   `json:"contract"`
	ThirdCountry bool   `json:"third_country"`
	Transfer     string `json:"transfer"` // none | adequacy | dpf | scc
	DPFStands    bool   `json:"dpf_stands"`
	Assessed     bool   `json:"assessed"` // the transfer's risks
	DeletionTerm bool   `json:"deletion_term"`
	Named        bool   `json:"named"` // by the notice that the consent rests on
}

// ExportVerdict is what the export gate says about a row.
type ExportVerdict struct {
	Allowed bool
	Rules   []string
}
