// Command handschlag-verify checks a consent ledger offline, with nothing but its
// public key: whole folders, two checkpoints, or the proof of one consent. It is
// small on purpose, so that whoever does not trust the shop can read all of it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const usage = `handschlag-verify checks a consent ledger offline.

  handschlag-verify folder   [-key KEY] [-witness CHECKPOINT]... [-book FILE] DIR
  handschlag-verify growth   [-key KEY] [-folder DIR | -proof FILE] OLDER NEWER
  handschlag-verify proof    [-key KEY] [-checkpoint FILE] FILE

folder: every byte of a ledger folder is what its signed checkpoint says, and it
begins with all that each witnessed checkpoint covers. With -book (what "handschlag
ledger book" prints) every leaf is accounted for: open, erased, sealed or missing.
growth: the newer checkpoint's log begins with all of the older one's.
proof: FILE is the answer of GET /v1/consent/{record}/proof, or what "handschlag
consent proof --format json" prints: the record is in the log that the checkpoint
signs, and the readable part around it says what the record says. What the record
does not hold (decisions, the register's words) is listed as unproven.

KEY is the public key, or a file that holds it; default: the file verifier in the
folder. A key that lies beside the ledger proves only that the folder agrees with itself.

Exit codes: 0 it verifies, 1 it does not, 2 the question makes no sense.
`

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// errUsage is a question that makes no sense.
var errUsage = errors.New("see handschlag-verify help")

// run does one command line and gives the exit code.
func run(args []string, in io.Reader, out, complain io.Writer) int {
	commands := map[string]func([]string, io.Reader) (any, error){"folder": folder, "growth": growth, "proof": proof}
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(out, usage)
		return 0
	}
	do, known := commands[args[0]]
	if !known {
		fmt.Fprintf(complain, "handschlag-verify: there is no %q: %v\n", args[0], errUsage)
		return 2
	}
	report, err := do(args[1:], in)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(out, usage)
		return 0
	case err != nil:
		fmt.Fprintln(complain, "handschlag-verify:", err)
		if errors.Is(err, errUsage) {
			return 2
		}
		return 1
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	if err := enc.Encode(report); err != nil {
		fmt.Fprintln(complain, "handschlag-verify:", err)
		return 1
	}
	return 0
}

// flags reads a command's flags; n is how many names follow them.
func flags(name string, args []string, n int, define func(*flag.FlagSet)) ([]string, error) {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	define(f)
	var names []string // options may come before, between and after them
	for {
		if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w: %w", name, err, errUsage)
		}
		if f.NArg() == 0 {
			break
		}
		names, args = append(names, f.Arg(0)), f.Args()[1:]
	}
	if len(names) != n {
		return nil, fmt.Errorf("%s wants %d names, got %d: %w", name, n, len(names), errUsage)
	}
	return names, nil
}
