// Command handschlag is the one binary: it serves the API, runs the night, and
// lets the people who answer for it look inside. It is the only program that
// links DuckDB, through batch/segment.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "unversioned"

// commands are the doors of the binary. Each struct is one command with its flags.
type commands struct {
	Demo     demoCmd     `cmd:"" help:"Replay a real clickstream through the API, run the night, print what is stored."`
	Serve    serveCmd    `cmd:"" help:"Serve the API on one data folder until SIGINT or SIGTERM."`
	Nightly  nightlyCmd  `cmd:"" help:"Run the night: segments, checks, exports, and publish back."`
	Consent  consentCmd  `cmd:"" help:"Show, grant, refuse or withdraw a subject's consent."`
	Products productsCmd `cmd:"" help:"Import the product catalogue."`
	Price    priceCmd    `cmd:"" help:"Import price histories; refunds and buyers after a fall."`
	Audit    auditCmd    `cmd:"" help:"Explain decisions."`
	Policy   policyCmd   `cmd:"" help:"Change the policy: signed bundles with tests, replay, opinion and approval."`
	Ledger   ledgerCmd   `cmd:"" help:"Verify the consent ledger, offline."`
	Export   exportCmd   `cmd:"" help:"List, fetch and verify what the nights exported, and record deletions at recipients."`
	Eval     evalCmd     `cmd:"" help:"Judge the night's models on real data with published results, or on your own."`
	Bench    benchCmd    `cmd:"" help:"Measure on made-up data of any size."`
	Config   configCmd   `cmd:"" help:"Write or check handschlag.yaml."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

// Exit codes: 0 done, 1 failed, 2 not a command.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // the next signal ends the process at once
	}()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are where a command reads and writes.
type streams struct {
	in  io.Reader
	out io.Writer
	err io.Writer
}

func (s streams) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.out, format, args...) }

// run parses and runs one command line and gives the exit code. Every failure is
// said in one line; a configuration file's problems get one each.
func run(ctx context.Context, args []string, s streams) int {
	var c commands
	exited := -1
	k, err := kong.New(&c, kong.Name("handschlag"), kong.Writers(s.out, s.err), kong.Exit(func(code int) { exited = code }),
		kong.Description("No decision without consent, no decision without a reason, no policy change without a replay."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(s))
	if err != nil {
		return s.fail(exitFailed, err)
	}
	parsed, err := k.Parse(args)
	if exited >= 0 { // --help was asked for
		return exited
	}
	if err != nil {
		if m := belowZero.FindStringSubmatch(err.Error()); m != nil {
			err = notNegative(m[1], m[2])
		}
		return s.fail(exitUsage, fmt.Errorf("%w (see handschlag --help)", err))
	}
	if err := parsed.Run(); err != nil {
		if !strings.HasPrefix(err.Error(), "interrupted: ") {
			err = interrupted(ctx, err, "the command did not finish")
		}
		return s.fail(exitFailed, err)
	}
	return 0
}

// belowZero is how the parser of flags speaks of a negative number: as of another flag.
var belowZero = regexp.MustCompile(`^(--[a-z-]+): expected \w+ value but got "(-\d+)"`)

func notNegative(flag string, got any) error {
	return fmt.Errorf("%s: want 0 or more, got %v", flag, got)
}

func (s streams) fail(code int, err error) int {
	var many problems
	if errors.As(err, &many) {
		_, _ = fmt.Fprintln(s.err, many)
		return code
	}
	_, _ = fmt.Fprintln(s.err, "handschlag:", oneLine(err))
	return code
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(s streams) error {
	s.printf("handschlag %s\n", version)
	return nil
}
