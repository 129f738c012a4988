package decide

import (
	"encoding/json"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// The actions that write a decision record.
const (
	ActionEscalate = "escalate"
	ActionHandover = "handover"
	ActionVariant  = "variant"
	ActionPrice    = "price"
	ActionCard     = "card"
	ActionExport   = "export"
	ActionRights   = "rights"
	ActionSwitch   = "switch"
	ActionConduct  = "conduct"    // recording, and calls
	ActionMove     = "price_move" // a price move beyond the shop's own limits (R48)
)

// Digests name everything that a decision depended on, hex SHA-256.
type Digests struct {
	Policy       string `json:"policy"`
	Capabilities string `json:"capabilities"`
	Config       string `json:"config"`
	Scorecard    string `json:"scorecard,omitempty"`
	Gain         string `json:"gain,omitempty"` // of the scorecard that the expected gain is from
	Weights      string `json:"weights,omitempty"`
}

// Record is one decision (design.md, 6). Input is the canonical, minimised
// input that the policy judged; Result is what it said. PPM is the propensity in
// parts per million, 0 where nothing was drawn.
type Record struct {
	ID      string          `json:"decision_id"` // UUIDv7
	Writer  string          `json:"writer"`
	N       uint64          `json:"n"`    // per writer, from 1; given by the store
	Prev    string          `json:"prev"` // hex SHA-256 of the record before, by the store
	Time    time.Time       `json:"time"`
	Action  string          `json:"action"`
	Subject consent.Subject `json:"subject,omitempty"` // nobody if the id was unknown
	Input   json.RawMessage `json:"input"`
	Digests Digests         `json:"digests"`
	Binary  string          `json:"binary"`
	Rules   []string        `json:"rules"`
	Seed    string          `json:"seed,omitempty"` // what keyed the draw, without the key
	PPM     int64           `json:"propensity_ppm,omitempty"`
	Result  json.RawMessage `json:"result"`
	Need    *Score          `json:"need,omitempty"`
	Actor   string          `json:"actor,omitempty"`  // role and name of staff, for card and switch
	Erased  string          `json:"erased,omitempty"` // hex: the Hash that the record had before its content was erased
}

// Score is a sum of points with its parts.
type Score struct {
	Version string  `json:"version"` // of the scorecard
	Total   int64   `json:"total"`
	Parts   []Point `json:"parts"`
}

// Point is one feature's contribution.
type Point struct {
	Feature string `json:"feature"`
	Value   int64  `json:"value"`
	Points  int64  `json:"points"`
}
