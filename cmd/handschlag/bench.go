package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/batch/bench"
	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/policy"
)

// benchCmd measures on made-up data of any size.
type benchCmd struct {
	Night    benchNightCmd `cmd:"" help:"Make up a shop and run the whole night over it: rows, CPU and memory of every model, beside the bare SQL, the increment and the rescan."`
	OneNight oneNightCmd   `cmd:"" hidden:"" help:"One measurement over a shop that bench night made; prints JSON."`
}

// amount is a number such as 50m, 5M, 200k or 1234.
type amount int

// UnmarshalText reads it.
func (a *amount) UnmarshalText(text []byte) error {
	digits, factor := strings.ToLower(string(text)), 1
	for suffix, f := range map[string]int{"k": 1_000, "m": 1_000_000} {
		if rest, found := strings.CutSuffix(digits, suffix); found {
			digits, factor = rest, f
		}
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || n > 2_000_000_000/factor {
		return fmt.Errorf("want a number such as 50m, 200k or 1234, got %q", text)
	}
	*a = amount(n * factor)
	return nil
}

type benchLimits struct {
	MemoryMB int `default:"1024" help:"Memory for DuckDB, beyond which it spills."`
	Threads  int `default:"2" help:"Threads."`
}

// oneNightCmd is the child of bench night: a process of its own, so that memory and
// CPU are those of one thing alone.
type oneNightCmd struct {
	Dir      string `required:"" help:"Folder of the shop."`
	State    string `required:"" help:"Folder to work in, within it."`
	What     string `enum:"night,bare,floor" default:"night"`
	Snapshot string `default:"snapshot"`
	AsOf     string `name:"as-of" required:""`
	benchLimits
}

// Run measures.
func (c oneNightCmd) Run(ctx context.Context, s streams) error {
	cfg, rules, err := benchRules(ctx)
	if err != nil {
		return err
	}
	asOf, err := time.Parse(time.DateOnly, c.AsOf)
	if err != nil {
		return err
	}
	key, err := bench.LedgerKey(c.Dir)
	if err != nil {
		return err
	}
	at, p := filepath.Join(c.Dir, c.State), newProgress(s.err)
	in := segment.Inputs{
		Snapshot: filepath.Join(c.Dir, c.Snapshot), State: filepath.Join(at, "state"), Out: filepath.Join(at, "exports"), AsOf: asOf,
		Config: cfg, Rules: rules, Progress: p.step, Binary: "bench", MemoryMB: c.MemoryMB, Threads: c.Threads,
		Fresh: bench.Fresh(c.Dir, c.Snapshot), LedgerKey: key,
	}
	measure := map[string]func(context.Context, segment.Inputs) (bench.Cost, error){"night": bench.Night, "bare": bench.Bare, "floor": bench.Floor}
	cost, err := measure[c.What](ctx, in)
	p.end()
	if err != nil {
		return err
	}
	return json.NewEncoder(s.out).Encode(cost)
}

// benchRules are the default configuration and its rules.
func benchRules(ctx context.Context) (*config.Config, *policy.Rules, error) {
	cfg := config.Default()
	rules, err := policy.Load(ctx, cfg.PolicySettings())
	if err != nil {
		return nil, nil, fmt.Errorf("loading rules: %w", err)
	}
	return cfg, rules, nil
}
