package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/handschlag/handschlag/policy"
)

// auditRecordCmd makes policy/law/gotests.json: make record runs it.
type auditRecordCmd struct {
	Revision string `required:"" help:"Of the code that was tested."`
	Date     string `required:"" help:"When, RFC 3339."`
}

// ofTheLaw are the names of Go tests that bear a rule's id.
var ofTheLaw = regexp.MustCompile(`^Test(CON|SIG|LAW|SPC|ESC|PRI|VAR|EXP|BAT|RGT|ADM|OPS)[0-9]{2}`)

// Run reads what go test -json prints and writes the results of the tests that
// bear a rule's id.
func (c auditRecordCmd) Run(_ context.Context, s streams) error {
	run := policy.GoRun{Revision: c.Revision, Date: c.Date, Tests: map[string]string{}}
	lines := bufio.NewScanner(s.in)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var e struct{ Action, Package, Test string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("reading results: want the output of go test -json: %w", err)
		}
		if (e.Action == "pass" || e.Action == "fail") && ofTheLaw.MatchString(e.Test) && !strings.Contains(e.Test, "/") {
			run.Tests[strings.TrimPrefix(e.Package, "github.com/handschlag/handschlag/")+"."+e.Test] = e.Action
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading results: %w", err)
	}
	if len(run.Tests) == 0 {
		return fmt.Errorf("no test in these results bears the id of a rule")
	}
	return printJSON(s, run)
}
