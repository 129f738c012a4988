//go:build awslocal

package aws_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

func rowsOf(n, size int) []event.Row {
	out := make([]event.Row, n)
	for i := range out {
		out[i] = event.Row{ReceivedMS: noon.UnixMilli() + int64(i), Fields: event.Fields{Product: fmt.Sprint("B", i) + strings.Repeat("x", size)}}
		out[i].MessageKey = [16]byte{byte(i >> 16), byte(i >> 8), byte(i)}
	}
	return out
}

// More than one record, and more than one call, can take.
func TestABatchOfAnySizeIsDeliveredInOrder(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	h := opened(t, g.Fresh(t))
	rows := rowsOf(2500, 4000)
	ok(t, h.AppendEvents(ctx, rows))
	g.Flush()
	got, err := h.ReadEvents(ctx)
	ok(t, err)
	if len(got) != len(rows) {
		t.Fatalf("%d of %d rows", len(got), len(rows))
	}
	for i := range got {
		if got[i].Fields.Product != rows[i].Fields.Product {
			t.Fatalf("row %d is %.20s", i, got[i].Fields.Product)
		}
	}
}

// Of a call that failed in part only the failed records are sent again, and no call
// is tried more than three times.
func TestOnlyWhatFailedIsSentAgain(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Account = g.Account("delivering")
	h := opened(t, o)
	g.Forget("delivering")
	g.Inject("delivering", awslocal.Faults{Seed: 3, Partial: 1000})
	kept, failed := 0, 0
	for range 12 {
		if err := h.AppendEvents(ctx, rowsOf(300, 12_000)); err != nil {
			if !strings.Contains(err.Error(), "PutRecordBatch on stream ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("said: %v", err)
			}
			failed++
			continue
		}
		kept++
	}
	seen := g.Seen("delivering")
	g.Inject("delivering", awslocal.Faults{})
	g.Flush()
	got, err := h.ReadEvents(ctx)
	ok(t, err)
	if seen.Requests > 3*2*12 || kept == 0 || failed == 0 {
		t.Errorf("%d requests, %d batches kept, %d failed", seen.Requests, kept, failed)
	}
	if len(got) < 300*kept || len(got) > 300*12 {
		t.Errorf("%d rows of %d acknowledged batches", len(got), kept)
	}
}

func TestAStreamThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Account = g.Account("streamless")
	h := opened(t, o)
	g.Refuse("streamless", "absent")
	defer g.Refuse("streamless", "")
	begun := time.Now()
	err := h.AppendEvents(ctx, rowsOf(1, 0))
	if err == nil || !strings.Contains(err.Error(), "firehose:PutRecordBatch on stream "+o.Prefix+"-events: it does not exist") || time.Since(begun) > time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}
