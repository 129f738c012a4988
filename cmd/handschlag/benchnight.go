package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/batch/bench"
	"github.com/handschlag/handschlag/batch/segment"
)

// benchNightCmd makes a shop up and measures nights over it.
type benchNightCmd struct {
	Events       amount `default:"5m" help:"About so many events: 5m, 50m, 200m."`
	Subjects     amount `help:"How many subjects; default: one for every 25 events."`
	Days         int    `default:"90" help:"Ingest days."`
	Products     int    `default:"10000" help:"Products of the catalogue."`
	Seed         uint64 `default:"1" help:"The same seed gives the same shop, byte for byte."`
	Keep         string `placeholder:"DIR" help:"Make the shop in this folder and leave it there; a shop that is in it already is taken as it is."`
	Bare         bool   `default:"true" negatable:"" help:"Measure the plain SQL beside it, which takes ten times as long."`
	CheckThreads bool   `help:"Run the night with 1 and 4 threads, too, and compare every byte."`
	JSON         bool   `help:"Print the figures as JSON."`
	benchLimits
}

// Run generates, then runs each measurement as a process of its own.
func (c benchNightCmd) Run(ctx context.Context, s streams) error {
	dir := c.Keep
	if dir == "" {
		tmp, err := os.MkdirTemp("", "handschlag-bench-")
		if err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		defer func() { _ = os.RemoveAll(tmp) }()
		dir = tmp
	}
	r := benchRun{c: c, dir: dir, s: s, out: newProgress(s.err)}
	r.out.patient = true
	for _, do := range []func(context.Context) error{r.generate, r.nights, r.beside, r.threads} {
		if err := do(ctx); err != nil {
			return interrupted(ctx, err, "the benchmark is not complete")
		}
	}
	return r.tell()
}

// benchRun is one run of the benchmark, and what it found.
type benchRun struct {
	c   benchNightCmd
	dir string
	s   streams
	out *progress

	Events   int64       `json:"events"`
	Made     float64     `json:"generated_in_cpu_seconds"` // 0: the shop was there
	Full     bench.Cost  `json:"full"`
	Before   bench.Cost  `json:"night_before"`
	Next     bench.Cost  `json:"increment"`
	Left     int64       `json:"rows_only_in_rescan"`
	Right    int64       `json:"rows_only_in_increment"`
	Floor    bench.Cost  `json:"floor"`
	BareSQL  *bench.Cost `json:"bare_sql,omitempty"`
	SameBits *bool       `json:"same_bytes_with_1_and_4_threads,omitempty"`
}

// generate makes the shop, unless it is there.
func (r *benchRun) generate(ctx context.Context) error {
	m, err := bench.Read(r.dir)
	if errors.Is(err, os.ErrNotExist) {
		_, rules, err := benchRules(ctx)
		if err != nil {
			return err
		}
		before := bench.CPU()
		m, err = bench.Write(ctx, bench.Shop{
			Events: int(r.c.Events), Subjects: int(r.c.Subjects), Days: r.c.Days, Products: r.c.Products, Seed: r.c.Seed, Threads: r.c.Threads,
		}, rules, r.dir, func(done, total int64) { r.out.step("generating", done, total) })
		if err != nil {
			return err
		}
		r.Made = bench.CPU() - before
	} else if err != nil {
		return err
	}
	r.out.end()
	for _, d := range m.Days {
		r.Events += d.Rows
	}
	return nil
}

// nights runs a first night over everything, and one over all but the last day with
// the next one on top.
func (r *benchRun) nights(ctx context.Context) (err error) {
	asOf := bench.AsOf
	for _, n := range []struct {
		into            *bench.Cost
		state, snapshot string
		asOf            time.Time
	}{
		{&r.Full, "full", bench.Snapshot, asOf}, {&r.Before, "stepwise", bench.DayBefore, asOf.AddDate(0, 0, -1)}, {&r.Next, "stepwise", bench.Snapshot, asOf},
	} {
		if n.into != &r.Next {
			if err := os.RemoveAll(filepath.Join(r.dir, n.state)); err != nil {
				return err
			}
		}
		if *n.into, err = r.measure(ctx, "night", n.state, n.snapshot, n.asOf, r.c.Threads); err != nil {
			return err
		}
	}
	r.Left, r.Right, err = segment.Differ(ctx, filepath.Join(r.dir, "full", "state"), filepath.Join(r.dir, "stepwise", "state"))
	return err
}

// beside measures the same files without a night.
func (r *benchRun) beside(ctx context.Context) (err error) {
	if r.Floor, err = r.measure(ctx, "floor", "bare", bench.Snapshot, bench.AsOf, r.c.Threads); err != nil || !r.c.Bare {
		return err
	}
	bare, err := r.measure(ctx, "bare", "bare", bench.Snapshot, bench.AsOf, r.c.Threads)
	r.BareSQL = &bare
	return err
}

// threads runs the night twice more, with the same keys.
func (r *benchRun) threads(ctx context.Context) error {
	if !r.c.CheckThreads {
		return nil
	}
	for _, threads := range []int{1, 4} {
		name := "threads-" + strconv.Itoa(threads)
		if err := os.RemoveAll(filepath.Join(r.dir, name)); err != nil {
			return err
		}
		if err := os.CopyFS(filepath.Join(r.dir, name, "state", "keys"), os.DirFS(filepath.Join(r.dir, "full", "state", "keys"))); err != nil {
			return err
		}
		if _, err := r.measure(ctx, "night", name, bench.Snapshot, bench.AsOf, threads); err != nil {
			return err
		}
	}
	same, err := bench.SameFiles(filepath.Join(r.dir, "threads-1"), filepath.Join(r.dir, "threads-4"))
	r.SameBits = &same
	return err
}

// benchWithin is set for the program that a benchmark runs: a binary that takes no
// commands, as a test's is, would else start itself without end.
const benchWithin = "HANDSCHLAG_BENCH_WITHIN"

// measure runs this program again for one thing.
func (r *benchRun) measure(ctx context.Context, what, state, snapshot string, asOf time.Time, threads int) (c bench.Cost, err error) {
	exe, err := os.Executable()
	if err == nil && os.Getenv(benchWithin) != "" {
		err = errors.New("it was started by a benchmark itself")
	}
	if err != nil {
		return c, fmt.Errorf("finding this binary: %w", err)
	}
	cmd := exec.CommandContext(ctx, exe, "bench", "one-night", "--dir", r.dir, "--state", state, "--what", what, "--snapshot", snapshot,
		"--as-of", asOf.Format(time.DateOnly), "--threads", strconv.Itoa(threads), "--memory-mb", strconv.Itoa(r.c.MemoryMB))
	cmd.Env = append(os.Environ(), benchWithin+"=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, prefixed{what + " " + state + ": ", r.s.err}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Run(); err != nil {
		return c, fmt.Errorf("measuring %s: %w", what, err)
	}
	return c, json.Unmarshal(out.Bytes(), &c)
}
