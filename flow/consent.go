package flow

import (
	"time"

	"github.com/handschlag/handschlag/consent"
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
	PagePath      string                   `json:"page_path,omitempty"`       // without query; dropped if it has one
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
	DeviceRecordID string                              `json:"device_record_id,omitempty"` // if the call was for a device and its account
}

// PurposeStanding is where one purpose stands.
type PurposeStanding struct {
	Status   consent.Status `json:"status"`
	Since    *time.Time     `json:"since,omitempty"`
	Until    *time.Time     `json:"until,omitempty"`
	RecordID string         `json:"record_id,omitempty"`
	Rules    []string       `json:"rules,omitempty"` // that turned a yes into a no
}

// StateCall asks where a device, or an account, stands.
type StateCall struct {
	AnonymousID string `json:"anonymousId,omitempty"`
	UserID      string `json:"userId,omitempty"`
}

// StateAnswer is a subject's state and history. An identifier that was never
// seen has version 0 and no purposes.
type StateAnswer struct {
	Version  uint64                              `json:"version"`
	Purposes map[consent.Purpose]PurposeStanding `json:"purposes"`
	History  []HistoryEntry                      `json:"history"`
}

// HistoryEntry is one record as its subject may read it.
type HistoryEntry struct {
	RecordID string                             `json:"record_id"`
	Version  uint64                             `json:"version"`
	Time     time.Time                          `json:"time"`
	Method   string                             `json:"method"`
	Notice   consent.Notice                     `json:"notice"`
	UI       consent.UI                         `json:"ui"`
	Purposes map[consent.Purpose]consent.Status `json:"purposes"`
	Rules    []string                           `json:"rules,omitempty"`
}

// ProofAnswer holds a record's inclusion proof, or says that no checkpoint
// covers it yet (202).
type ProofAnswer struct {
	Pending  bool   `json:"-"`
	RecordID string `json:"record_id"`
	Status   string `json:"status"` // pending | covered
	Proof    *Proof `json:"proof,omitempty"`
}
