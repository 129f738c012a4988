package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are what the command line says.
type options struct {
	only     string
	rounds   int
	round    time.Duration
	conns    int
	devices  int
	events   int
	profiles string
	root     string // a folder on disk for data
}

func main() {
	if role := os.Getenv(roleVar); role != "" {
		if err := child(role, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "bench "+role+":", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// part is one of the three measurements.
type part struct {
	name string
	do   func(context.Context, options, *table) error
}

var parts = []part{{"ingest", benchIngest}, {"escalate", benchEscalate}, {"night", benchNight}}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.root, err = os.MkdirTemp(o.root, "bench-"); err != nil {
		return fmt.Errorf("making a data folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(o.root) }()
	t := &table{out: out}
	t.begin()
	for _, p := range parts {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), p.name) {
			continue
		}
		start := time.Now()
		fmt.Fprintf(os.Stderr, "measuring %s …\n", p.name)
		if err := p.do(ctx, o, t); err != nil {
			return fmt.Errorf("measuring %s: %w", p.name, err)
		}
		fmt.Fprintf(os.Stderr, "measured %s in %s\n", p.name, time.Since(start).Round(time.Second))
	}
	t.end()
	return nil
}

func parse(args []string) (options, error) {
	o := options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.only, "only", "", "measure only these `parts`: ingest, escalate, night, separated by commas")
	f.IntVar(&o.rounds, "rounds", 4, "rounds of each ingest and escalate measurement")
	f.DurationVar(&o.round, "round", 1500*time.Millisecond, "length of an ingest round")
	f.IntVar(&o.conns, "conns", 32, "connections of the ingest load")
	f.IntVar(&o.devices, "devices", 20_000, "consented devices that send events")
	f.IntVar(&o.events, "events", 5_000_000, "events of the night")
	f.StringVar(&o.profiles, "profiles", "", "keep CPU profiles in this `folder`")
	f.StringVar(&o.root, "tmp", "", "`folder` on a disk for data folders; the system's for temporary files if none")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if min(o.rounds, o.conns, o.devices) < 1 || f.NArg() > 0 {
		return o, errors.New("want at least one round, connection and device, and no arguments")
	}
	if o.profiles == "" {
		return o, nil
	}
	dir, err := filepath.Abs(o.profiles)
	if err == nil {
		o.profiles, err = dir, os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		return o, fmt.Errorf("making the folder of profiles: %w", err)
	}
	return o, nil
}
