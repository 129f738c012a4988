package segment

import (
	"time"

	"github.com/handschlag/handschlag/decide"
)

// manifestSchema is the version of Manifest's fields.
const manifestSchema = "handschlag-export/1"

// Manifest is manifest.json: what a night published and what it rests on. Its times
// are those of the snapshot; nothing else in it depends on when or where the night ran.
type Manifest struct {
	Schema     string         `json:"schema"`
	Tenant     string         `json:"tenant"`
	AsOf       time.Time      `json:"as_of"`
	Until      time.Time      `json:"until"`      // downstream systems delete by then (BAT-08)
	Created    time.Time      `json:"created_at"` // by the run's clock: when the ledger was read
	Expires    time.Time      `json:"expires_at"` // no row leaves after it (EXP-06)
	Ledger     Pinned         `json:"ledger"`     // that the night rests on (BAT-05)
	Purpose    string         `json:"purpose"`
	K          int            `json:"k"`
	Digests    decide.Digests `json:"digests"`
	Checkpoint string         `json:"ledger_checkpoint"`
	Sources    []Source       `json:"sources"`
	Thresholds Thresholds     `json:"rfm_thresholds"`
	Segments   []Segment      `json:"segments"`
	Suppressed []Suppressed   `json:"suppressed"`
	Base       *Base          `json:"base"` // that deltas and tombstones are against; null: none, take the full files
	Files      []File         `json:"files"`
}

// Source is one ingest day that the host still held. How many events it had is not said: it
// falls when somebody is erased (EXP-07), and the digest is enough to find the file by.
type Source struct {
	Day        string `json:"day"`
	SHA256     string `json:"sha256"`
	Generation int64  `json:"generation"`
}

// Thresholds are the cuts between the five classes of recency, frequency and
// money; none if fewer than k persons bought.
type Thresholds struct {
	RecencyDays     []int64 `json:"recency_days"`
	FrequencyOrders []int64 `json:"frequency_orders"`
	MonetaryCents   []int64 `json:"monetary_cents"`
}

// Segment is a segment in numbers, which are told as those of the report are: in steps of k,
// null where they are under k, or lately were.
type Segment struct {
	Name     string            `json:"segment"`
	Title    map[string]string `json:"title,omitempty"`
	Where    string            `json:"where"`
	Members  *int64            `json:"members"`
	Withheld string            `json:"withheld,omitempty"` // under_k | one_sensitive_value
	Channels []Reach           `json:"channels"`
}

// Reach is what consent left of a segment on one channel.
type Reach struct {
	Channel   string `json:"channel"`
	Purpose   string `json:"purpose"`
	Recipient string `json:"recipient"`
	Role      string `json:"role,omitempty"`
	Published bool   `json:"published"`
	Rows      *int64 `json:"rows"`         // null: not published. How many a recipient gets is in Files, exact
	Loss      *int64 `json:"consent_loss"` // members whom the export gate refused
}

// Suppressed is a group that stays inside because it is under k.
type Suppressed struct {
	Segment string `json:"segment"`
	Channel string `json:"channel"`
}

// File is a published file.
type File struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"` // segment | delta | tombstones | revocations | deliveries | aggregates | report | lineage
	Segment   string   `json:"segment,omitempty"`
	Channel   string   `json:"channel,omitempty"`
	Recipient string   `json:"recipient,omitempty"`
	Purpose   string   `json:"purpose,omitempty"`
	Rows      int64    `json:"rows"`
	Bytes     int64    `json:"bytes"`
	SHA256    string   `json:"sha256"`
	Label     string   `json:"label,omitempty"`  // pseudonymous | anonymous: the latter only with a passed test (BAT-07)
	Rules     []string `json:"rules,omitempty"`  // that kept rows of this segment from this channel
	Columns   []string `json:"schema,omitempty"` // "name type"
}
