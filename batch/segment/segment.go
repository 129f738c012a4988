package segment

import (
	"context"
	"errors"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// Inputs is all that a night depends on.
type Inputs struct {
	Snapshot string    // folder that the host's Snapshot wrote
	State    string    // folder of the night's own state: daily aggregates, keys, spill
	Out      string    // folder of the dated exports
	AsOf     time.Time // events of ingest days before it count
	Config   *config.Config
	Rules    *policy.Rules

	// Fresh writes standings.parquet and subjects.parquet as they are now into
	// dir. It is called once, right before publication; nil keeps the snapshot's.
	Fresh func(ctx context.Context, dir string) error
	// Commit makes the records of the export row sets durable before their files
	// become visible; nil leaves that to the caller.
	Commit func(ctx context.Context, records []decide.Record) error
	// ExportsOff is the kill switch "exports": every row is refused by SWITCH.
	ExportsOff bool

	Progress func(step string, done, total int64)
	Binary   string // version written into decision records
	MemoryMB int    // default 1024
	Threads  int    // default: the number of CPUs
}

// Result is what a night hands back.
type Result struct {
	Publication flow.Publication
	Members     map[consent.Subject]profile.Membership
	Report      Report
	Records     []decide.Record // one per export row set, in the order of the manifest
}

// Report is the content of report.json.
type Report struct{}

// Run does one night. An error means that nothing was published.
func Run(ctx context.Context, in Inputs) (Result, error) {
	return Result{}, errors.New("not built yet")
}
