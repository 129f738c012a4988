//go:build awslocal

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAWSNightInPartsPublishesTheSameBytes does an account's second night in parts,
// which need no account, and then in one piece in an empty folder.
func TestAWSNightInPartsPublishesTheSameBytes(t *testing.T) {
	c := openCloud(t)
	c.feed()
	c.set(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	dir, work := t.TempDir(), t.TempDir()
	run := func(more ...string) string {
		t.Helper()
		said, err := c.night(dir, "2026-11-22", more...)
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		return said
	}
	if said, err := c.night(dir, "2026-11-21"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	tonight := filepath.Join(work, "tonight")
	run("--snapshot-only", tonight)
	var parts []string
	for _, buckets := range []string{"0-1499", "1500-1500", "1501-4095"} {
		out := filepath.Join(work, buckets)
		part := exec.Command("handschlag", "nightly", "--host", "aws", "--data", dir, "--as-of", "2026-11-22", "--snapshot", tonight, "--buckets", buckets, "--out", out)
		part.Env = []string{"PATH=" + os.Getenv("PATH"), "HANDSCHLAG_CLOCK=@" + c.clock}
		if said, err := part.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		parts = append(parts, out)
	}
	if said := run("--snapshot", tonight, "--merge", strings.Join(parts, ",")); !strings.Contains(said, "published 2026-11-22-") {
		t.Fatalf("it said %s", said)
	}
	if left, err := os.ReadDir(work); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	merged := c.exported()
	if len(only(merged, "2026-11-22")) < 5 {
		t.Fatalf("%d files", len(merged))
	}
	dir = t.TempDir()
	run()
	equalBytes(t, c.exported(), merged)
	equalBytes(t, exportsIn(t, dir, "2026-11-22"), only(merged, "2026-11-22"))
}
