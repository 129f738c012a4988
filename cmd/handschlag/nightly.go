package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/policy"
)

type nightlyCmd struct {
	place
	AsOf     string  `name:"as-of" required:"" placeholder:"DATE" help:"Ingest days before this date (UTC) count; today: all that are over."`
	Again    bool    `help:"Let an earlier date replace the publication of a later one."`
	Host     string  `enum:"local,aws" default:"local" help:"Whose night it is: local, of the data folder, or aws, of the account in HANDSCHLAG_AWS; the data folder is then where the night works."`
	AWS      account `embed:"" prefix:"aws-"`
	Missing  int64   `placeholder:"N" help:"With --host aws: go on although up to N admitted events of a day were not delivered."`
	CRM      string  `placeholder:"FILE" help:"CSV or Parquet with customer_number (the userId) and a column of addresses for each channel, named like it: joined here to the admitted rows, into a folder crm beside them that nothing publishes. With --host local only."`
	MemoryMB int     `default:"1024" help:"Memory for DuckDB, beyond which it spills into the data folder."`
	Patient  bool    `hidden:"" help:"Say nothing of steps that take less than a second."`
	Threads  int     `help:"Threads for DuckDB; default: the number of CPUs."`
	splitNight
}

// nightShop is what a night asks of a shop. There are two kinds: a data folder,
// served or opened here, and an account on AWS.
type nightShop interface {
	// verify refuses consent records that are not what was signed, and gives the key
	// that they were signed with.
	verify(ctx context.Context, out *progress) (key string, err error)
	// begin writes a snapshot into an empty folder. Before it returns, the folders of
	// the night's state and of the exports hold what the last night left.
	begin(ctx context.Context, in nightCall) (nightAnswer, error)
	// rules are those that are live at a moment.
	rules(ctx context.Context, cfg *config.Config, now time.Time) (*policy.Rules, error)
	// fresh writes consent as it is now, and says where the exports switch stands.
	fresh(ctx context.Context, in nightCall) (exportsOff bool, err error)
	// commit makes the decisions about exports durable, before their files are seen.
	commit(ctx context.Context, records []decide.Record) error
	// publish shows the exports that lie finished in their folder, and hands the day
	// what it reads.
	publish(ctx context.Context, res segment.Result) error
	// seal has the book replayed (L12) and the chains of decisions walked and sealed
	// into the ledger (OPS-01).
	seal(ctx context.Context) (sealAnswer, error)
}

// Run does one night. Whatever fails, yesterday's exports and publication stay.
func (c nightlyCmd) Run(ctx context.Context, s streams) error {
	asOf, err := c.asOf()
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return fmt.Errorf("finding data folder: %w", err)
	}
	if err := c.crmAllowed(); err != nil {
		return err
	}
	n := night{dir: dir, asOf: asOf, out: newProgress(s.out)}
	n.out.patient = c.Patient
	if c.Range != "" {
		return n.part(ctx, s, c)
	}
	return c.with(ctx, s, &n, func(ctx context.Context) error {
		if c.SnapshotOnly != "" {
			return n.snapshotOnly(ctx, s, c)
		}
		res, err := n.run(ctx, c)
		if errors.Is(err, aws.ErrShown) || errors.Is(err, aws.ErrUnsure) {
			return err
		}
		if err != nil {
			return interrupted(ctx, fmt.Errorf("the night failed, nothing was published: %w", err), "nothing was published")
		}
		s.printf("published %s: %s, %d subjects\n", res.Publication.Run, filepath.Join(c.Data, "exports", res.Publication.Manifest), res.Members.Len())
		return n.seal(ctx, s)
	})
}

// asOf reads the date.
func (c nightlyCmd) asOf() (time.Time, error) {
	if c.AsOf == "today" {
		clock, err := clockFromEnv()
		if err != nil {
			return time.Time{}, err
		}
		return clock.Now().UTC().Truncate(24 * time.Hour), nil
	}
	at, err := time.Parse(time.DateOnly, c.AsOf)
	if err != nil {
		err = fmt.Errorf("--as-of: want a date like 2026-11-21, or today, got %q", c.AsOf)
	}
	return at, err
}

// with finds the shop, lets the night do its work, and lets go of the shop.
func (c nightlyCmd) with(ctx context.Context, s streams, n *night, do func(context.Context) error) error {
	if c.Host == "aws" {
		return c.withAccount(ctx, s, n, do)
	}
	return c.within(ctx, s, func(r *reached) error {
		n.shop = folderNight{n.dir, r, n.out}
		return do(ctx)
	})
}

// seal says what came out of the shop's book and chains.
func (n night) seal(ctx context.Context, s streams) error {
	a, err := n.shop.seal(ctx)
	if err != nil {
		return fmt.Errorf("the night is published, but the book cannot be relied on: %w", err)
	}
	s.printf("book: %d subjects, %d records, %d list entries replayed to state %.16s\n", a.Book.Subjects, a.Book.Records, a.Book.Entries, a.Book.Hash)
	return s.chain(a.Chain, "en")
}

// night is one run. Judgement and DuckDB are in this process; the shop makes the
// snapshot and takes the publication.
type night struct {
	dir  string
	asOf time.Time
	shop nightShop
	out  *progress
}

func (n night) run(ctx context.Context, c nightlyCmd) (segment.Result, error) {
	state := n.state()
	unlock, err := alone(state)
	if err != nil {
		return segment.Result{}, err
	}
	defer unlock()
	exports := filepath.Join(n.dir, "exports")
	if err := segment.Sweep(state, exports); err != nil { // before the shop can refuse this one
		return segment.Result{}, err
	}
	n.out.step("ledger", 0, 1)
	key, err := n.shop.verify(ctx, n.out)
	if err != nil {
		return segment.Result{}, err
	}
	n.out.step("ledger", 1, 1)
	t, remove, err := n.taken(ctx, c, state, key)
	published := false
	defer func() { remove(published) }()
	if err != nil {
		return segment.Result{}, err
	}
	in, err := n.inputs(ctx, t.Shop)
	if err != nil {
		return segment.Result{}, err
	}
	in.Snapshot, in.State, in.Out, in.AsOf, in.LedgerKey = t.dir, state, exports, n.asOf, key
	in.Now, in.Parts = t.now, c.Merge
	in.Fresh, in.Commit, in.Progress, in.MemoryMB, in.Threads = n.fresh, n.shop.commit, n.out.step, c.MemoryMB, c.Threads
	in.Warn = n.out.warn
	if c.CRM != "" {
		in.CRM = &segment.CRM{Path: c.CRM, Subjects: n.shop.(folderNight).accounts}
	}
	res, err := segment.Run(ctx, in)
	n.out.end()
	if err != nil {
		return res, err
	}
	err = n.shop.publish(ctx, res)
	published = err == nil
	return res, err
}

// inputs reads the configuration that the shop decides by, and the rules that are
// live now.
func (n night) inputs(ctx context.Context, a nightAnswer) (segment.Inputs, error) {
	cfg, err := config.Parse(a.Config)
	if err != nil {
		return segment.Inputs{}, fmt.Errorf("reading the shop's configuration: %w", err)
	}
	rules, err := n.shop.rules(ctx, cfg, a.Now)
	if err != nil {
		return segment.Inputs{}, fmt.Errorf("loading the rules: %w", err)
	}
	return segment.Inputs{Config: cfg, Rules: rules, ExportsOff: a.ExportsOff, Binary: version}, nil
}

// begin has the shop write a snapshot into an empty folder.
func (n night) begin(ctx context.Context, snapshot string, again bool) (nightAnswer, error) {
	n.out.step("snapshot", 0, 1)
	if err := os.RemoveAll(snapshot); err != nil {
		return nightAnswer{}, fmt.Errorf("clearing the snapshot folder: %w", err)
	}
	if err := os.MkdirAll(snapshot, 0o700); err != nil {
		return nightAnswer{}, fmt.Errorf("making the snapshot folder: %w", err)
	}
	a, err := n.shop.begin(ctx, nightCall{Through: n.asOf, Dir: snapshot, Again: again})
	if err == nil {
		n.out.step("snapshot", 1, 1)
	}
	return a, err
}

func (n night) fresh(ctx context.Context, dir string) (exportsOff bool, err error) {
	return n.shop.fresh(ctx, nightCall{Through: n.asOf, Dir: dir})
}

// alone keeps a second night of the same folder out.
func alone(state string) (unlock func(), err error) { return lock(state, syscall.LOCK_EX) }

func lock(state string, how int) (unlock func(), err error) {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, fmt.Errorf("making the night's folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(state, "LOCK"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the night's folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errors.New("another night runs on this folder")
	}
	return func() { _ = f.Close() }, nil
}
