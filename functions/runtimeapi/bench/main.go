// Command bench prints what each Lambda weighs, costs to start, and takes to answer:
// the figures of docs/performance.md. It runs the bootstraps that ship on this
// machine, on a ground that stands in for an account (tools/aws-ground installs it).
//
// Process figures: they say nothing about microVMs or the download of code.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

func main() {
	starts := flag.Int("starts", 15, "starts of each function")
	calls := flag.Int("calls", 600, "warm calls of each kind; 0: none")
	only := flag.String("only", "", "warm calls whose name begins with this, and nothing else")
	latency := flag.Duration("latency", 5*time.Millisecond, "of every AWS call, for warm calls")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *starts, *calls, *latency, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, starts, calls int, latency time.Duration, only string) error {
	dir, err := os.MkdirTemp("", "handschlag-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	g, err := awslocal.Open("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = g.Close() }()
	b := &bench{ctx: ctx, dir: dir, ground: g, only: only, out: tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)}
	for _, f := range api.Functions() {
		b.names = append(b.names, f.Name)
	}
	if err := b.prepare(); err != nil {
		return err
	}
	fmt.Printf("%s, %d CPUs, %s, %s\n\n", runtime.GOARCH, runtime.NumCPU(), runtime.Version(), time.Now().UTC().Format(time.DateOnly))
	if err := b.open(); err != nil {
		return err
	}
	if only == "" {
		if err := b.weigh(filepath.Join(dir, "arm64")); err != nil {
			return err
		}
		if err := b.starts(starts); err != nil {
			return err
		}
	}
	if calls == 0 {
		return nil
	}
	return b.warm(calls, latency)
}
