package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// incident runs audit incident at a moment.
func incident(t *testing.T, now string, args ...string) (out, failed string, code int) {
	t.Helper()
	clock := filepath.Join(t.TempDir(), "clock")
	if err := os.WriteFile(clock, []byte(now+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HANDSCHLAG_CLOCK", "@"+clock)
	var o, e bytes.Buffer
	code = run(context.Background(), append([]string{"audit", "incident"}, args...), streams{strings.NewReader(""), &o, &e})
	return o.String(), e.String(), code
}

// OPS-05: aware Friday 18:00, due Monday 18:00.
func TestOPS05AllowAReportWithin72HoursOverAWeekend(t *testing.T) {
	friday := time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)
	if due := notifyBy(friday); due.Weekday() != time.Monday || due.Hour() != 18 || due.Sub(friday) != 72*time.Hour {
		t.Errorf("aware on %s, due on %s", friday, due)
	}
	out, _, code := incident(t, "2026-11-21T18:00:00Z", "--aware", "2026-11-20T18:00:00Z", "--kind", "leaked_key", "--lang", "en")
	if code != 0 || !strings.Contains(out, "2026-11-23T18:00:00Z, 48 h 00 min left") || !strings.Contains(out, "a key has leaked") {
		t.Errorf("code %d: %s", code, out)
	}
}

// OPS-05: the clock does not wait until the cause is known.
func TestOPS05DenyWaitingForTheRootCause(t *testing.T) {
	out, _, code := incident(t, "2026-11-23T19:00:00Z", "--aware", "2026-11-20T18:00:00Z", "--kind", "other", "--lang", "de")
	if code != 0 || !strings.Contains(out, "seit 1 h 00 min überfällig") {
		t.Errorf("code %d: %s", code, out)
	}
	if _, failed, code := incident(t, "2026-11-20T17:00:00Z", "--aware", "2026-11-20T18:00:00Z", "--kind", "other"); code == 0 || !strings.Contains(failed, "in the future") {
		t.Errorf("code %d: %s", code, failed)
	}
}
