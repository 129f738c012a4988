package segment

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
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

	// Fresh writes standings.parquet and subjects.parquet as they are now into dir,
	// and says where the kill switch "exports" stands now. It is called once,
	// before anything is learnt or exported; nil keeps what the snapshot and ExportsOff say.
	Fresh func(ctx context.Context, dir string) (exportsOff bool, err error)
	// Commit makes the records of the export row sets durable before their files
	// become visible; nil leaves that to the caller.
	Commit func(ctx context.Context, records []decide.Record) error
	// ExportsOff is the kill switch "exports" at the snapshot: every row is refused by SWITCH.
	ExportsOff bool

	// Parts are folders that RunPart wrote over the same snapshot, one for every
	// bucket: their days are taken instead of built. Nil: everything is built here.
	Parts []string

	// CRM is joined to the admitted rows, on the shop's own ground; nil: it is not.
	CRM *CRM

	// Now is the caller's clock. nil: no time passes after the snapshot, so nothing grows stale.
	Now func() time.Time
	// LedgerKey verifies the snapshot's checkpoint (BAT-05). "" takes the snapshot's word.
	LedgerKey string

	Progress func(step string, done, total int64)
	// Made is told each table when it is made, with its rows, and each step when it
	// ends, with -1: whoever measures reads the clock then.
	Made     func(name string, rows int64)
	Warn     func(text string) // is told what is odd and stops nothing; nil: nobody is
	Binary   string            // version written into decision records
	MemoryMB int               // default 1024
	Threads  int               // default: the number of CPUs
}

// Result is what a night hands back.
type Result struct {
	Publication flow.Publication
	Members     *profile.Members // in the order of subjects
	Report      Report
	Records     []decide.Record // one per export row set, in the order of the manifest
}

// night is one run.
type night struct {
	in   Inputs
	db   *warehouse
	date string    // of AsOf: the name of the export folder
	till time.Time // when segments and files expire (BAT-08)

	k           int
	featureDays int
	code        string
	snap        snapshot
	pinned      Pinned
	papers      flow.Register // what the register lets run (LAW-01)
	read        time.Time     // when consent was read last
	lineage     Lineage
	micro       []microGroup     // of buyers, tonight
	former      []config.Channel // of the last night, and not of tonight's configuration
	was, is     state
	cases       map[int64]policy.EventCase
	exportCases map[int32]policy.ExportCase
	keys        *rowKeys

	part    *Buckets          // whose days are built here; nil: everybody's
	rows    string            // folder of the daily rows that are built here
	signed  string            // file of signatures that is not yet part of the state; "" for none
	door    *door             // while days are built
	changed []change          // whose consent changed, once it was asked
	moved   []consent.Subject // whose open session the patch before changed
	tags    tagsNow
	prev    dayBefore
	events  int64  // rows that the last day's walk read
	parts   []part // whose days are taken, in the order of their buckets
	joined  bool   // the state that counts was made of these parts already

	log decisionLog
	learned
	weights  decide.Weights
	manifest Manifest
	report   Report
	records  []decide.Record
	members  *profile.Members
}

// Run does one night. An error means that nothing was published and yesterday's
// exports stay. Running it again on the same snapshot gives the same bytes.
func Run(ctx context.Context, in Inputs) (Result, error) {
	n, err := begin(ctx, in)
	if err != nil {
		return Result{}, err
	}
	defer n.end()
	for i, s := range steps {
		if err := ctx.Err(); err != nil {
			return Result{}, fmt.Errorf("%s: %w", s.name, err)
		}
		n.progress(s.name, int64(i), int64(len(steps)))
		if err := s.do(n, ctx); err != nil {
			return Result{}, fmt.Errorf("%s: %w", s.name, err)
		}
		if in.Made != nil {
			in.Made(s.name, -1)
		}
	}
	n.progress("done", int64(len(steps)), int64(len(steps)))
	return n.result(), nil
}

// step is one act of the night.
type step struct {
	name string
	do   func(*night, context.Context) error
}

// steps is the order of the night: write, audit, publish.
var steps = []step{
	{"checking segments", (*night).prepare},
	{"reading snapshot", (*night).load},
	{"building days", (*night).accumulate},
	{"summing windows", (*night).sum},
	{"reading consent again", (*night).reread},
	{"reading what came of decisions", (*night).trials},
	{"learning value", (*night).learnValue},
	{"grouping buyers", (*night).groupBuyers},
	{"building segments", (*night).segments},
	{"learning what offers change", (*night).learnOffers},
	{"learning need", (*night).learnNeed},
	{"weighing variants", (*night).weigh},
	{"deciding exports", (*night).gateExports},
	{"reporting", (*night).write},
	{"checking", (*night).check},
	{"listing refunds", (*night).writeLists},
	{"joining the CRM", (*night).joinCRM},
	{"publishing", (*night).publish},
}

// begin checks what can be checked before work starts, and opens the night.
func begin(ctx context.Context, in Inputs) (*night, error) {
	if err := Sweep(in.State, in.Out); err != nil {
		return nil, fmt.Errorf("starting the night: %w", err)
	}
	n, err := start(in)
	if err != nil {
		return nil, err
	}
	if err := n.folders(); err != nil {
		return nil, err
	}
	if err := n.ahead(); err != nil {
		return nil, fmt.Errorf("starting the night: %w", err)
	}
	if err := n.openParts(); err != nil {
		return nil, fmt.Errorf("merging parts: %w", err)
	}
	if n.keys, err = openKeys(filepath.Join(in.State, "keys")); err != nil {
		return nil, err
	}
	if n.db, err = openWarehouse(ctx, filepath.Join(in.State, "spill"), in.MemoryMB, in.Threads); err == nil {
		n.db.made = in.Made
	}
	return n, err
}

// start reads what a night, or a part of one, goes on from.
func start(in Inputs) (*night, error) {
	if in.Config == nil || in.Rules == nil || in.AsOf.IsZero() {
		return nil, errors.New("starting the night: it needs a configuration, rules and a date")
	}
	in.AsOf = in.AsOf.UTC()
	n := &night{
		in: in, date: in.AsOf.Format(time.DateOnly), k: in.Config.Exports.K, featureDays: in.Config.Retention.FeatureDays,
		till: in.AsOf.AddDate(0, 0, in.Config.Retention.SegmentDays), rows: in.State,
	}
	if err := n.lookAtCRM(); err != nil {
		return nil, err
	}
	if n.k < leastK {
		return nil, fmt.Errorf("starting the night: exports.k is %d, less than %d", n.k, leastK)
	}
	if n.featureDays < 1 || in.Config.Retention.SegmentDays < 1 {
		return nil, errors.New("starting the night: retention.feature_days and retention.segment_days must be at least 1")
	}
	var err error
	if n.code, err = codeDigest(); err != nil {
		return nil, err
	}
	if n.was, err = readState(in.State); err != nil {
		return nil, err
	}
	if n.snap, err = readSnapshot(in.Snapshot, in.AsOf); err != nil {
		return nil, err
	}
	if err := n.pin(); err != nil {
		return nil, fmt.Errorf("starting the night: %w", err)
	}
	n.read = n.snap.Taken
	return n, nil
}

// leastK is the smallest group that a configuration may allow (EXP-07).
const leastK = 10

func (n *night) progress(step string, done, total int64) {
	if n.in.Progress != nil {
		n.in.Progress(step, done, total)
	}
}

// prepare makes every table from nothing, which shows their shapes, and holds the
// segments against them.
func (n *night) prepare(ctx context.Context) error {
	if err := n.shape(ctx); err != nil {
		return err
	}
	odd, err := n.validate(ctx)
	for _, o := range odd {
		n.warn(o.String())
	}
	return err
}

// warn tells what is odd and stops nothing.
func (n *night) warn(text string) {
	if n.in.Warn != nil {
		n.in.Warn(text)
	}
}

func (n *night) shape(ctx context.Context) error {
	if err := n.closedLists(ctx); err != nil {
		return err
	}
	if err := n.db.set(ctx, "day", "date '1970-01-01'"); err != nil {
		return err
	}
	for _, t := range []string{"nothing", "product_tags", "own_standings", "standings_now", "subjects_now", "persons", "signatures", "objectors", "gate"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	if err := n.eventViews(ctx); err != nil {
		return err
	}
	if err := n.db.exec(ctx, emptyDaily); err != nil {
		return fmt.Errorf("making table daily: %w", err)
	}
	if err := n.db.exec(ctx, "create or replace view daily_rows as select * from daily"); err != nil {
		return fmt.Errorf("making view daily_rows: %w", err)
	}
	return n.features(ctx)
}

// features makes windows and features of table daily, by the clear SQL.
func (n *night) features(ctx context.Context) error {
	if err := n.plain(ctx, "windows"); err != nil {
		return err
	}
	for _, t := range []string{"thresholds", "features"} {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	return nil
}
