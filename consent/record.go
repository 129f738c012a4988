package consent

import (
	"encoding/json"
	"fmt"
	"time"
)

// RecordSchema is the version of Record's fields (law.md 2.3).
const RecordSchema = "consent-record/1"

// Status is a DPV ConsentStatus in lower case (law.md 2.2). Empty means unknown.
type Status string

// The statuses. Only Given and Renewed are valid for processing.
const (
	Unknown         Status = "unknown"
	Requested       Status = "requested"
	RequestDeferred Status = "request_deferred"
	Refused         Status = "refused"
	Given           Status = "given"
	Renewed         Status = "renewed"
	Expired         Status = "expired"
	Invalidated     Status = "invalidated"
	Revoked         Status = "revoked"
	Withdrawn       Status = "withdrawn"
)

// Valid reports whether processing may rest on the status.
func (s Status) Valid() bool { return s == Given || s == Renewed }

// Methods are Fides' ConsentMethod values (law.md 2.2). Whether one may produce
// a grant is for policy to judge (CON-04).
var Methods = []string{"accept", "reject", "save", "individual_notice", "gpc", "script", "dismiss", "acknowledge", "external_provider"}

// Record is one act of a visitor about consent: what law.md 2.3 asks for. It
// holds pseudonyms only. Records are appended, never changed.
type Record struct {
	Schema        string     `json:"schema"`
	RecordID      string     `json:"record_id"` // UUIDv7
	Version       uint64     `json:"version"`   // per subject, from 1
	Subject       Subject    `json:"subject_ref"`
	Scope         Scope      `json:"scope"`
	Controller    Controller `json:"controller"`
	Purposes      []Choice   `json:"purposes"` // in the order of Purposes
	PurposesShown []Purpose  `json:"purposes_shown"`
	DefaultState  string     `json:"default_state"` // off | on
	Notice        Notice     `json:"notice"`
	UI            UI         `json:"ui"`
	Event         Act        `json:"event"`
	Validity      Validity   `json:"validity"`
	Jurisdiction  string     `json:"jurisdiction"`
	Law           string     `json:"law"`
	Storage       Storage    `json:"storage"`
	Withdrawal    Withdrawal `json:"withdrawal"`
	RightsURL     string     `json:"rights_url,omitempty"`
	Authority     string     `json:"authority,omitempty"`
	Signals       Signals    `json:"signals"`
	Source        Source     `json:"source"`
	Supersedes    string     `json:"supersedes,omitempty"`
	Conflict      bool       `json:"conflict_notice"`
	Proof         *Proof     `json:"proof,omitempty"`    // of the shop's backend only
	Parental      *Parental  `json:"parental,omitempty"` // for children under 16
	AgeBand       string     `json:"age_band,omitempty"` // u16 | 16_17 | adult, as the shop's backend knows; "" says nothing (SPC-05)
	Rules         []string   `json:"rules,omitempty"`    // rule ids that turned a yes of this call into a no
}

// Controller is the party named in the notice.
type Controller struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	Contact string `json:"contact,omitempty"`
}

// Choice is the decision about one purpose.
type Choice struct {
	Purpose  Purpose `json:"key"`
	Status   Status  `json:"status"`
	Basis    string  `json:"basis"` // 6-1-a | 9-2-a
	Explicit bool    `json:"explicit"`
}

// Notice names the text that was shown.
type Notice struct {
	Version    string `json:"version"`
	Language   string `json:"language"`
	TextSHA256 string `json:"text_sha256,omitempty"`
}

// UI names the control that was used.
type UI struct {
	Version     string `json:"version"`
	Component   string `json:"component,omitempty"`
	Layer       int    `json:"layer,omitempty"`
	RejectEqual bool   `json:"reject_equal"`
}

// Act is the visitor's act. Time is the server's; ClientTime is only informative (L9).
type Act struct {
	Time       time.Time  `json:"time"`
	ClientTime *time.Time `json:"client_time,omitempty"`
	Type       string     `json:"type"` // expressed
	Method     string     `json:"method"`
	Actor      string     `json:"actor"` // subject
}

// Validity is half-open: From inclusive, Until exclusive (CON-12).
type Validity struct {
	From  time.Time `json:"from"`
	Until time.Time `json:"until"`
}

// Storage says where and how long the record is kept.
type Storage struct {
	Locations []string `json:"locations"`
	Retention string   `json:"retention"`
}

// Withdrawal says how to take it back.
type Withdrawal struct {
	How     string `json:"how"`
	URLPath string `json:"url_path,omitempty"`
}

// Signals are what the browser and the banner sent with the act. Strings are
// kept as digests only.
type Signals struct {
	SecGPC    bool   `json:"sec_gpc"`
	DNT       bool   `json:"dnt"`
	TCFSHA256 string `json:"tcf_sha256,omitempty"`
	GPPSHA256 string `json:"gpp_sha256,omitempty"`
}

// Source is how the call reached us, coarsened (LAW-06).
type Source struct {
	SDK      string `json:"sdk,omitempty"`
	UAFamily string `json:"ua_family,omitempty"`
	PagePath string `json:"page_path,omitempty"` // its page type only: a path can name a person or an illness
}

// Canonical is the record's one byte form: the leaf's content. Struct order is
// fixed, times are UTC; equal records give equal bytes, and what parses from them
// prints back the same.
func (r Record) Canonical() ([]byte, error) {
	r.Event.Time = r.Event.Time.UTC()
	if c := r.Event.ClientTime; c != nil {
		utc := c.UTC()
		r.Event.ClientTime = &utc
	}
	r.Proof = r.Proof.utc()
	if p := r.Parental; p != nil {
		r.Parental = &Parental{Method: p.Method, Time: p.Time.UTC()}
	}
	r.Validity.From, r.Validity.Until = r.Validity.From.UTC(), r.Validity.Until.UTC()
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("writing consent record: %w", err)
	}
	return b, nil
}
