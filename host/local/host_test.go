package local

import (
	"context"
	"testing"
	"time"

	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
)

var ctx = context.Background()

var noon = time.Date(2008, 4, 1, 12, 0, 0, 0, time.UTC)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func options() Options {
	return Options{Tenant: "test", Clock: func() time.Time { return noon }}
}

func openAt(t testing.TB, dir string, o Options) *Host {
	t.Helper()
	h, err := Open(ctx, dir, o)
	ok(t, err)
	return h
}

func TestLocalKeepsEveryPromise(t *testing.T) {
	hosttest.Run(t, func(t *testing.T) flow.Host { return openAt(t, t.TempDir(), options()) })
}

func TestLocalKeepsEveryPromiseAcrossRestarts(t *testing.T) {
	hosttest.RunReopened(t, hosttest.EachHost, func(t *testing.T) (flow.Host, func() flow.Host) {
		dir := t.TempDir()
		h := openAt(t, dir, options())
		return h, func() flow.Host {
			ok(t, h.Close())
			h = openAt(t, dir, options())
			return h
		}
	})
}
