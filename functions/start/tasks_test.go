package start

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/gateway"
	"github.com/handschlag/handschlag/host/hosttest"
)

// growing is a host in memory that notes when its ledger is to grow.
type growing struct {
	*hosttest.Memory
	times int
	fails error
}

func (g *growing) Sequence(context.Context) error { g.times++; return g.fails }

func TestOnlyConsentGrowsTheLedgerAndOnlyWhenToldSo(t *testing.T) {
	surround(t)
	for name, g := range names {
		host := &growing{Memory: hosttest.NewMemory()}
		h, _, err := open(t.Context(), g, "test", slog.New(slog.DiscardHandler), in(host))
		if err != nil {
			t.Fatal(err)
		}
		for payload, known := range map[string]bool{
			`{"handschlag":"sequence"}`:                     true,
			` { "handschlag" : "sequence" } `:               true,
			`{"handschlag":"erase"}`:                        false,
			`{"handschlag":"sequence","canary":1}`:          false,
			`{"handschlag":"sequence"}{}`:                   false,
			`{"source":"aws.events","detail":{"canary":1}}`: false,
			`"sequence"`: false,
			`null`:       false,
			``:           false,
		} {
			host.times = 0
			_, err := h.Invoke(t.Context(), []byte(payload))
			switch grows := known && g == api.GroupConsent; {
			case grows && (err != nil || host.times != 1):
				t.Errorf("%s: %s: want the ledger to grow, got %d times, %v", name, payload, host.times, err)
			case !grows && (!errors.Is(err, gateway.ErrPayload) || host.times != 0 || strings.Contains(err.Error(), "canary")):
				t.Errorf("%s: %s: want a refusal, got %d times, %v", name, payload, host.times, err)
			}
		}
	}
}

// The scheduler comes again; whoever looks finds out why.
func TestALedgerThatCannotGrowSaysSo(t *testing.T) {
	surround(t)
	var said bytes.Buffer
	host := &growing{Memory: hosttest.NewMemory(), fails: errors.New("s3:PutObject on bucket ledger: denied")}
	h, _, err := open(t.Context(), api.GroupConsent, "test", slog.New(slog.NewJSONHandler(&said, nil)), in(host))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Invoke(t.Context(), []byte(`{"handschlag":"sequence"}`)); err == nil {
		t.Error("a ledger that did not grow is reported as grown")
	}
	if strings.Count(said.String(), "\n") != 1 || !strings.Contains(said.String(), "s3:PutObject on bucket ledger") {
		t.Errorf("want one line, got %s", &said)
	}
}
