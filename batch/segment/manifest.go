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
	Schema     string          `json:"schema"`
	Tenant     string          `json:"tenant"`
	AsOf       time.Time       `json:"as_of"`
	Until      time.Time       `json:"until"`      // downstream systems delete by then (BAT-08)
	Created    time.Time       `json:"created_at"` // by the run's clock: when the ledger was read
	Expires    time.Time       `json:"expires_at"` // no row leaves after it (EXP-06)
	Ledger     Pinned          `json:"ledger"`     // that the night rests on (BAT-05)
	Purpose    string          `json:"purpose"`
	K          int             `json:"k"`
	Digests    decide.Digests  `json:"digests"`
	Checkpoint string          `json:"ledger_checkpoint"`
	Sources    []Source        `json:"sources"`
	Thresholds Thresholds      `json:"rfm_thresholds"`
	Segments   []Segment       `json:"segments"`
	Suppressed []Suppressed    `json:"suppressed"`
	Released   []Released      `json:"released,omitempty"`
	Reaches    []ReleasedReach `json:"released_reaches,omitempty"`
	Base       *Base           `json:"base"` // that deltas and tombstones are against; null: none, take the full files
	Files      []File          `json:"files"`
}

// Source is one ingest day that the host still held.
type Source struct {
	Day        string `json:"day"`
	Rows       int64  `json:"rows"`
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

// Segment is a segment in numbers. A number is withheld (null) if it, or a
// difference that it allows, would be about fewer than k persons.
type Segment struct {
	Name     string            `json:"segment"`
	Title    map[string]string `json:"title,omitempty"`
	Where    string            `json:"where"`
	Members  *int64            `json:"members"`
	Withheld string            `json:"withheld,omitempty"`  // under_k | loss_under_k | difference_under_k | one_sensitive_value | difference_to_last_report
	Last     *Told             `json:"last_told,omitempty"` // where tonight's size is not told, or is this one again
	Channels []Reach           `json:"channels"`
}

// Told is a size that an earlier night told. It is told again, with the losses of then,
// until the segment has moved by k: smaller steps would point at persons (EXP-07).
type Told struct {
	Date    string `json:"date"`
	Members int64  `json:"members"`
}

// Reach is what consent left of a segment on one channel.
type Reach struct {
	Channel   string `json:"channel"`
	Purpose   string `json:"purpose"`
	Recipient string `json:"recipient"`
	Role      string `json:"role,omitempty"`
	Published bool   `json:"published"`
	Rows      *int64 `json:"rows"`         // as told: how many a recipient gets is in Files, exact
	Loss      *int64 `json:"consent_loss"` // members whom the export gate refused; null with Rows

	Last *ToldReach `json:"last_told,omitempty"` // where tonight's are not told, or are these again
}

// ToldReach is what an earlier night told of a segment on a channel. It is told again until
// size, rows and loss have each moved by k, or stayed: one more who agrees to mail would show
// in a smaller step (EXP-07).
type ToldReach struct {
	Date string `json:"date"`
	Rows int64  `json:"rows"`
	Loss int64  `json:"consent_loss"`
}

// Suppressed is a group that stays inside because it is under k.
type Suppressed struct {
	Segment string `json:"segment"`
	Channel string `json:"channel"`
}

// ReleasedReach is what an earlier run of this date told of a segment on a channel.
type ReleasedReach struct {
	Segment string `json:"segment"`
	Channel string `json:"channel"`
	Rows    int64  `json:"rows"`
	Loss    int64  `json:"consent_loss"`
}

// Released is a size that an earlier run of this date told, and that tonight's is
// not: readers know both (EXP-07).
type Released struct {
	Segment string `json:"segment"`
	Members int64  `json:"members"`
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
