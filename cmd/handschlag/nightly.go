package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
)

type nightlyCmd struct {
	place
	AsOf     string `name:"as-of" required:"" placeholder:"DATE" help:"Ingest days before this date (UTC) count."`
	Again    bool   `help:"Let an earlier date replace the publication of a later one."`
	MemoryMB int    `default:"1024" help:"Memory for DuckDB, beyond which it spills into the data folder."`
	Patient  bool   `hidden:"" help:"Say nothing of steps that take less than a second."`
	Threads  int    `help:"Threads for DuckDB; default: the number of CPUs."`
}

// Run does one night. Whatever fails, yesterday's exports and publication stay.
func (c nightlyCmd) Run(ctx context.Context, s streams) error {
	asOf, err := time.Parse(time.DateOnly, c.AsOf)
	if err != nil {
		return fmt.Errorf("--as-of: want a date like 2026-11-21, got %q", c.AsOf)
	}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return fmt.Errorf("finding data folder: %w", err)
	}
	return c.within(ctx, s, func(r *reached) error {
		n := night{dir: dir, asOf: asOf, shop: r, out: newProgress(s.out)}
		n.out.patient = c.Patient
		res, err := n.run(ctx, c)
		if err != nil {
			return interrupted(ctx, fmt.Errorf("the night failed, nothing was published: %w", err), "nothing was published")
		}
		s.printf("published %s: %s, %d subjects\n", res.Publication.Run, filepath.Join(c.Data, "exports", res.Publication.Manifest), len(res.Members))
		return n.seal(ctx, s)
	})
}

// seal has the book replayed (L12) and the head of the decision chain sealed into
// the ledger (OPS-01), and says what came out.
func (n night) seal(ctx context.Context, s streams) error {
	var a sealAnswer
	if err := n.shop.call(ctx, "POST", "/admin/seal", struct{}{}, &a); err != nil {
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
	shop *reached
	out  *progress
}

func (n night) run(ctx context.Context, c nightlyCmd) (segment.Result, error) {
	state := filepath.Join(n.dir, "night")
	unlock, err := alone(state)
	if err != nil {
		return segment.Result{}, err
	}
	defer unlock()
	if err := n.verifyLedger(ctx); err != nil {
		return segment.Result{}, err
	}
	snapshot := filepath.Join(state, "snapshot")
	began := time.Now()
	answer, err := n.begin(ctx, snapshot, c.Again)
	if err != nil {
		return segment.Result{}, err
	}
	defer func() { _ = os.RemoveAll(snapshot) }() // it holds pseudonyms; nothing reads it later
	in, err := n.inputs(ctx, answer)
	if err != nil {
		return segment.Result{}, err
	}
	in.Snapshot, in.State, in.Out, in.AsOf = snapshot, state, filepath.Join(n.dir, "exports"), n.asOf
	if in.LedgerKey, err = (folder{Data: n.dir}).key(); err != nil {
		return segment.Result{}, err
	}
	in.Now = func() time.Time { return answer.Now.Add(time.Since(began)) } // the shop's clock, which may not be this process's
	in.Fresh, in.Commit, in.Progress, in.MemoryMB, in.Threads = n.fresh, n.commit, n.out.step, c.MemoryMB, c.Threads
	res, err := segment.Run(ctx, in)
	n.out.end()
	if err != nil {
		return res, err
	}
	return res, n.publish(ctx, res)
}

// verifyLedger refuses to build on consent records that are not what was signed. A
// ledger that a busy server changes faster than it can be read is said, not refused.
func (n night) verifyLedger(ctx context.Context) error {
	n.out.step("ledger", 0, 1)
	f := folder{Data: n.dir}
	key, err := f.key()
	if err != nil {
		return err
	}
	_, err = ledger.Verify(os.DirFS(f.dir()), key)
	switch {
	case errors.Is(err, ledger.ErrChanging):
		n.out.say("the ledger was not verified: " + err.Error())
	case err != nil: // OPS-06: from now on no consent is relied on
		err = fmt.Errorf("the ledger does not verify: %w", err)
		return errors.Join(err, n.shop.call(ctx, "POST", "/admin/trust", trustCall{Broken: oneLine(err)}, &struct{}{}))
	}
	n.out.step("ledger", 1, 1)
	return nil
}

// inputs reads the configuration that the shop decides by, and the rules that are
// live now.
func (n night) inputs(ctx context.Context, a nightAnswer) (segment.Inputs, error) {
	cfg, err := config.Parse(a.Config)
	if err != nil {
		return segment.Inputs{}, fmt.Errorf("reading the shop's configuration: %w", err)
	}
	log := slog.New(slog.NewTextHandler(n.out.out, &slog.HandlerOptions{Level: slog.LevelError}))
	rules, err := policyOf(n.dir, cfg.Tenant, log).rules(ctx, a.Now, cfg.PolicySettings())
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
	var a nightAnswer
	if err := n.shop.call(ctx, "POST", "/admin/night", nightCall{Through: n.asOf, Dir: snapshot, Again: again}, &a); err != nil {
		return a, err
	}
	n.out.step("snapshot", 1, 1)
	return a, nil
}

func (n night) fresh(ctx context.Context, dir string) (exportsOff bool, err error) {
	var a standingsAnswer
	err = n.shop.call(ctx, "POST", "/admin/standings", nightCall{Through: n.asOf, Dir: dir}, &a)
	return a.ExportsOff, err
}

func (n night) commit(ctx context.Context, records []decide.Record) error {
	return n.shop.sendLines(ctx, "/admin/decisions", func(enc *json.Encoder) error {
		for i := range records {
			if err := enc.Encode(&records[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish hands the day what it reads, members in the order of their pseudonyms.
func (n night) publish(ctx context.Context, res segment.Result) error {
	subjects := make([]consent.Subject, 0, len(res.Members))
	for s := range res.Members {
		subjects = append(subjects, s)
	}
	slices.SortFunc(subjects, func(a, b consent.Subject) int { return bytes.Compare(a[:], b[:]) })
	return n.shop.sendLines(ctx, "/admin/publish", func(enc *json.Encoder) error {
		if err := enc.Encode(member{Publication: &res.Publication}); err != nil {
			return err
		}
		for _, s := range subjects {
			if err := enc.Encode(member{Subject: s, Membership: res.Members[s]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// sendLines streams one JSON value per line.
func (r *reached) sendLines(ctx context.Context, path string, write func(*json.Encoder) error) error {
	body, to := io.Pipe()
	go func() { _ = to.CloseWithError(write(json.NewEncoder(to))) }()
	err := r.send(ctx, "POST", path, "", body, &struct{}{})
	_ = body.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // lets the writer go if nobody read to the end
	return err
}

// alone keeps a second night of the same folder out.
func alone(state string) (unlock func(), err error) {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, fmt.Errorf("making the night's folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(state, "LOCK"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the night's folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, errors.New("another night runs on this folder")
	}
	return func() { _ = f.Close() }, nil
}
