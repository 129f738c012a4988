package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
)

// splitNight are the flags of a night that is done in parts.
type splitNight struct {
	SnapshotOnly string   `name:"snapshot-only" placeholder:"DIR" help:"Take the night's snapshot into DIR and stop."`
	Snapshot     string   `placeholder:"DIR" help:"The snapshot that --buckets or --merge works from."`
	Range        string   `name:"buckets" placeholder:"A-B" help:"Build one part into --out: the days of the subjects in buckets A to B, of 0 to 4095."`
	Out          string   `placeholder:"DIR" help:"The folder of the part that --buckets builds."`
	Merge        []string `placeholder:"DIR,DIR" help:"Take the days from these parts, which hold every bucket once, and go on to publish."`
}

// Help tells how a night is done in parts.
func (nightlyCmd) Help() string {
	return `A night whose days are too many for one machine is done in parts. Subjects fall into 4,096 buckets; each part builds the days of some:

  handschlag nightly --as-of 2026-11-22 --snapshot-only tonight
  handschlag nightly --as-of 2026-11-22 --snapshot tonight --buckets 0-2047 --out part-1
  handschlag nightly --as-of 2026-11-22 --snapshot tonight --buckets 2048-4095 --out part-2
  handschlag nightly --as-of 2026-11-22 --snapshot tonight --merge part-1,part-2

Parts may run at once, and elsewhere: they ask no shop, only DIR, the data folder's night/ and the files of events have to be seen under the same
paths. Any cut will do; what is published is the same, byte for byte, as in one piece. A part or a merge refuses to begin more than an hour after
the snapshot (BAT-05): then take another. Snapshot and parts hold pseudonyms. The merge removes them once it has published; after a night that is
given up, remove them yourself. Keep them out of the data folder's night/.`
}

// Validate says which flags do not go together.
func (c splitNight) Validate() error {
	switch {
	case c.SnapshotOnly != "" && (c.Snapshot != "" || c.Range != "" || c.Merge != nil), c.Range != "" && c.Merge != nil:
		return errors.New("--snapshot-only, --buckets and --merge are three runs: give one")
	case (c.Range != "" || c.Merge != nil) && c.Snapshot == "":
		return errors.New("--buckets and --merge work from a snapshot: give --snapshot with the folder that --snapshot-only made")
	case c.Range == "" && c.Merge == nil && c.Snapshot != "":
		return errors.New("--snapshot is for --buckets and --merge: give one of them")
	case (c.Range != "") != (c.Out != ""):
		return errors.New("--buckets and --out need each other")
	}
	return nil
}

// takenFile stands in the folder of a snapshot for parts.
const takenFile = "night.json"

// taken says of which shop a snapshot was taken, and when.
type taken struct {
	AsOf  time.Time   `json:"as_of"`
	Shop  nightAnswer `json:"shop"`
	Began time.Time   `json:"began"` // by the clock of the machine that took it
	Key   string      `json:"ledger_key"`

	dir string
}

// now is the shop's clock, which may not be this process's.
func (t taken) now() time.Time { return t.Shop.Now.Add(time.Since(t.Began)) }

// take has the shop write a snapshot.
func (n night) take(ctx context.Context, dir, key string, again bool) (taken, error) {
	t := taken{AsOf: n.asOf, Began: time.Now(), Key: key, dir: dir}
	var err error
	t.Shop, err = n.begin(ctx, dir, again)
	return t, err
}

// taken gives the snapshot that the night works from, a new one unless it merges,
// and what removes it: one of its own always, another once it is of no more use.
func (n night) taken(ctx context.Context, c nightlyCmd, state, key string) (taken, func(published bool), error) {
	if c.Merge == nil {
		dir := filepath.Join(state, "snapshot") // it holds pseudonyms; nothing reads it later
		t, err := n.take(ctx, dir, key, c.Again)
		return t, func(bool) { _ = os.RemoveAll(dir) }, err
	}
	t, err := readTaken(c.Snapshot, n.asOf)
	return t, func(published bool) {
		for _, dir := range append([]string{t.dir}, c.Merge...) {
			if published {
				_ = os.RemoveAll(dir)
			}
		}
	}, err
}

func readTaken(dir string, asOf time.Time) (t taken, err error) {
	body, err := os.ReadFile(filepath.Join(dir, takenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return t, fmt.Errorf("%s is no snapshot for parts: handschlag nightly --snapshot-only makes one", dir)
	}
	if err == nil {
		err = json.Unmarshal(body, &t)
	}
	if err != nil {
		return t, fmt.Errorf("reading the snapshot: %w", err)
	}
	if !t.AsOf.Equal(asOf) {
		return t, fmt.Errorf("the snapshot %s is as of %s, not %s", dir, t.AsOf.Format(time.DateOnly), asOf.Format(time.DateOnly))
	}
	t.dir, err = filepath.Abs(dir)
	return t, err
}

// snapshotOnly takes a snapshot for parts: what they need of the shop lies in it.
func (n night) snapshotOnly(ctx context.Context, s streams, c nightlyCmd) error {
	dir, err := filepath.Abs(c.SnapshotOnly)
	if err == nil {
		err = vacantFor(dir, takenFile)
	}
	if err != nil {
		return fmt.Errorf("--snapshot-only: %w", err)
	}
	unlock, err := alone(n.state())
	if err != nil {
		return err
	}
	defer unlock()
	key, err := n.shop.verify(ctx, n.out)
	if err != nil {
		return err
	}
	t, err := n.take(ctx, dir, key, c.Again)
	if err == nil {
		err = errors.Join(c.keepPolicies(ctx, t), t.write())
	}
	n.out.end()
	if err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	s.printf("snapshot %s as of %s: build parts of it within the hour, and merge them\n", c.SnapshotOnly, t.AsOf.Format(time.DateOnly))
	return nil
}

// write is last: a folder without it is no snapshot.
func (t taken) write() error {
	body, err := json.MarshalIndent(t, "", "  ")
	if err == nil {
		err = replaceFile(filepath.Join(t.dir, takenFile), append(body, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", takenFile, err)
	}
	return nil
}

// vacantFor refuses a folder that holds something else than what a file shows it to be.
func vacantFor(dir, file string) error {
	if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("%s is there already, and not for this", dir), err)
}

// keepPolicies copies what the shop keeps of policies, so that parts judge by the
// same rules.
func (c nightlyCmd) keepPolicies(ctx context.Context, t taken) error {
	cfg, err := config.Parse(t.Shop.Config)
	if err != nil {
		return fmt.Errorf("reading the shop's configuration: %w", err)
	}
	clock, err := clockFromEnv()
	if err != nil {
		return err
	}
	from, err := whose{Host: c.Host, account: c.AWS}.policies(ctx, c.place, cfg, clock, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	revisions, err := from.Bundles(ctx)
	if err != nil || len(revisions) == 0 {
		return err
	}
	key, err := from.Key(ctx)
	if c.Host == "aws" { // as the account's whole night has it
		key = []byte(os.Getenv("HANDSCHLAG_POLICY_KEY"))
	}
	if err != nil || len(key) == 0 {
		return err
	}
	to := policyFolder(filepath.Join(t.dir, "policy"))
	for _, r := range revisions {
		raw, err := from.Bundle(ctx, r)
		if err == nil {
			err = to.Put(ctx, r, raw, key)
		}
		if err != nil {
			return fmt.Errorf("copying policy revision %d: %w", r, err)
		}
	}
	return nil
}

// part builds the days of some buckets. It asks no shop.
func (n night) part(ctx context.Context, s streams, c nightlyCmd) error {
	b, err := segment.ParseBuckets(c.Range)
	if err != nil {
		return fmt.Errorf("--buckets: %w", err)
	}
	t, err := readTaken(c.Snapshot, n.asOf)
	if err != nil {
		return err
	}
	unlock, err := beside(n.state())
	if err != nil {
		return err
	}
	defer unlock()
	cfg, err := config.Parse(t.Shop.Config)
	if err != nil {
		return fmt.Errorf("reading the shop's configuration: %w", err)
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	rules, err := policyOf(t.dir, cfg.Tenant, log).rules(ctx, t.Shop.Now, cfg.PolicySettings())
	if err != nil {
		return fmt.Errorf("loading the rules: %w", err)
	}
	in := segment.Inputs{
		Snapshot: t.dir, State: n.state(), AsOf: n.asOf, Config: cfg, Rules: rules, Now: t.now, LedgerKey: t.Key,
		Progress: n.out.step, Binary: version, MemoryMB: c.MemoryMB, Threads: c.Threads,
	}
	err = segment.RunPart(ctx, in, b, c.Out)
	n.out.end()
	if err != nil {
		return interrupted(ctx, fmt.Errorf("the part was not built: %w", err), "the part was not built")
	}
	s.printf("part %s: buckets %s\n", c.Out, b)
	return nil
}

// state is the folder of the night's own state.
func (n night) state() string { return filepath.Join(n.dir, "night") }

// beside keeps whole nights of the same folder out, and lets other parts in.
func beside(state string) (unlock func(), err error) { return lock(state, syscall.LOCK_SH) }
