package policy

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// cpu is what this process has used so far: on a busy machine the clock says little.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func perCPU(b *testing.B, began time.Duration) {
	b.ReportMetric(float64(b.N)/(cpu(b)-began).Seconds(), "decisions/cpu-s")
}

// A case of a stored event, judged before: what a replay of events mostly does.
func BenchmarkReplayCase(b *testing.B) {
	r, ctx := loaded(b, EntryEvent), context.Background()
	c := EventCase{Kind: event.ProductViewed, Purpose: consent.Analytics, State: StateGiven, Stamp: StampYes, Tag: TagNone, Age: "adult"}
	body, err := c.MarshalJSON()
	if err != nil {
		b.Fatal(err)
	}
	began := cpu(b)
	for b.Loop() {
		c, err := ParseCase(body)
		if err != nil {
			b.Fatal(err)
		}
		if v, err := r.Event(ctx, c); err != nil || !v.Allowed {
			b.Fatal(v, err)
		}
	}
	perCPU(b, began)
}

// A decision whose input came before.
func BenchmarkReplayKnownInput(b *testing.B) {
	r, ctx := loaded(b, EntryEscalate), context.Background()
	in := lost()
	_, input := facts(&in)
	began := cpu(b)
	for b.Loop() {
		if _, err := r.Replay(ctx, EntryEscalate, input); err != nil {
			b.Fatal(err)
		}
	}
	perCPU(b, began)
}

// A decision whose input never came before: reading it, one evaluation by OPA, and
// writing the verdict. OPA takes most of it.
func BenchmarkReplayNewInput(b *testing.B) {
	r, ctx := loaded(b, EntryEscalate), context.Background()
	in := lost()
	_, input := facts(&in)
	known := fmt.Sprintf(`"value":%d`, in.Value)
	began := cpu(b)
	for n := 0; b.Loop(); n++ {
		fresh := []byte(strings.Replace(string(input), known, fmt.Sprintf(`"value":%d`, n+1000), 1))
		if _, err := r.Replay(ctx, EntryEscalate, fresh); err != nil {
			b.Fatal(err)
		}
	}
	perCPU(b, began)
}

// The whole table of cases: what a DPO waits for.
func BenchmarkTable(b *testing.B) {
	r := loaded(b, EntryEvent)
	for b.Loop() {
		t := table(b, r)
		if _, err := t.Proof(); err != nil {
			b.Fatal(err)
		}
	}
}
