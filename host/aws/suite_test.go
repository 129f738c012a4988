//go:build awslocal

package aws_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/host/hosttest"
)

var ctx = context.Background()

// noon is a Saturday's noon in Berlin.
var noon = time.Date(2026, 11, 21, 11, 0, 0, 0, time.UTC)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// nightly is a host whose night waits until the streams are delivered.
type nightly struct {
	*aws.Host
	ground *awslocal.Ground
}

// ReadEvents reads what was delivered.
func (n nightly) ReadEvents(ctx context.Context) ([]event.Row, error) {
	n.ground.Flush()
	return n.Host.ReadEvents(ctx)
}

// ReadDecisions reads what was delivered.
func (n nightly) ReadDecisions(ctx context.Context) ([]decide.Record, error) {
	n.ground.Flush()
	return n.Host.ReadDecisions(ctx)
}

func openSuite(t testing.TB, g *awslocal.Ground, o aws.Options) nightly {
	t.Helper()
	o.Clock = func() time.Time { return time.Date(2008, 4, 1, 12, 0, 0, 0, time.UTC) }
	o.Sequence = 100 * time.Millisecond
	h, err := aws.Open(ctx, o)
	ok(t, err)
	return nightly{h, g}
}

func TestAWSKeepsEveryPromise(t *testing.T) {
	g := awslocal.Start(t)
	hosttest.Run(t, func(t *testing.T) flow.Host { return openSuite(t, g, g.Fresh(t)) })
}

func TestAWSKeepsEveryPromiseAcrossRestarts(t *testing.T) {
	g := awslocal.Start(t)
	hosttest.RunReopened(t, hosttest.EachOpening, func(t *testing.T) (flow.Host, func() flow.Host) {
		o := g.Fresh(t)
		h := openSuite(t, g, o)
		return h, func() flow.Host {
			ok(t, h.Close())
			h = openSuite(t, g, o)
			return h
		}
	})
}

// impatient is a line that gives a try up early, so that tests of silence are short.
func impatient(patience time.Duration) *http.Client {
	line := http.DefaultTransport.(*http.Transport).Clone()
	line.Proxy, line.ResponseHeaderTimeout, line.MaxIdleConnsPerHost = nil, patience, 64
	return &http.Client{Transport: line}
}
