package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// Whoever stops a command reads that it was stopped, and no false alarm.
func TestAnInterruptedCommandSaysSo(t *testing.T) {
	data := t.TempDir()
	do := func(ctx context.Context, args ...string) (int, string) {
		var e bytes.Buffer
		code := run(ctx, args, streams{strings.NewReader(""), new(bytes.Buffer), &e})
		return code, e.String()
	}
	if code, e := do(context.Background(), "consent", "grant", "--data", data, "v1-device-of-ada-0001", "analytics"); code != 0 {
		t.Fatal(e)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for _, c := range []string{"ledger verify", "audit table", "audit verify", "audit replay", "audit export --opa"} {
		code, e := do(stopped, append(strings.Fields(c), "--data", data)...)
		if code != 1 || e != "handschlag: interrupted: the command did not finish\n" && e != "handschlag: interrupted: no table was printed\n" {
			t.Errorf("%s: code %d: %s", c, code, e)
		}
	}
}
