//go:build awslocal

package aws_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// tapped is a line on which a test answers some calls itself.
type tapped struct {
	*http.Client
	calls  atomic.Int64
	answer func(op string, body []byte, pass func() (*http.Response, error)) (*http.Response, error)
}

func (l *tapped) Do(r *http.Request) (*http.Response, error) {
	l.calls.Add(1)
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	_, op, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return l.answer(op, body, func() (*http.Response, error) { return l.Client.Do(r) })
}

func tap(t testing.TB, o aws.Options, answer func(op string, body []byte, pass func() (*http.Response, error)) (*http.Response, error)) (*aws.Host, *tapped) {
	l := &tapped{Client: impatient(2e9)}
	l.answer = func(_ string, _ []byte, pass func() (*http.Response, error)) (*http.Response, error) { return pass() }
	o.Account.HTTP = l
	h := opened(t, o)
	l.answer = answer
	l.calls.Store(0)
	return h, l
}

// The very first catalogue has no one before it to be told from: a try that was done
// and not answered must not take its own catalogue for somebody else's.
func TestTheFirstCatalogueSurvivesALostAnswer(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	h, _ := tap(t, awslocal.Start(t).Fresh(t), func(op string, body []byte, pass func() (*http.Response, error)) (*http.Response, error) {
		if op != "PutItem" || !bytes.Contains(body, []byte("products/")) || lost.Swap(true) {
			return pass()
		}
		if answer, err := pass(); err == nil {
			_ = answer.Body.Close()
		}
		return nil, errors.New("connection reset")
	})
	ok(t, h.PutProducts(ctx, []event.Product{{ID: "tea"}}))
	ok(t, h.PutProducts(ctx, []event.Product{{ID: "pot"}}))
	if all := must(h.AllProducts(ctx))(t); len(all) != 2 || !lost.Load() {
		t.Errorf("%v, answer lost: %v", all, lost.Load())
	}
}

// DynamoDB says that it has no room for a transaction by cancelling it, which the SDK
// does not repeat.
func TestATransactionThatIsThrottledIsTriedThreeTimes(t *testing.T) {
	t.Parallel()
	var tries atomic.Int64
	for _, code := range []string{"ThrottlingError", "ProvisionedThroughputExceeded"} {
		tries.Store(0)
		h, _ := tap(t, awslocal.Start(t).Fresh(t), func(op string, _ []byte, pass func() (*http.Response, error)) (*http.Response, error) {
			if op != "TransactWriteItems" {
				return pass()
			}
			tries.Add(1)
			body := `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled","CancellationReasons":[{"Code":"None"},{"Code":"` + code + `"}]}`
			return &http.Response{
				StatusCode: http.StatusBadRequest, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}}, Body: io.NopCloser(strings.NewReader(body)),
			}, nil
		})
		id, err := consent.NewID(consent.Device, "device-of-a-visitor")
		ok(t, err)
		_, err = h.Assign(ctx, id)
		if err == nil || tries.Load() != 3 || !strings.Contains(err.Error(), "throttled, and still after the last try") {
			t.Errorf("%s: %d tries: %v", code, tries.Load(), err)
		}
	}
}

// A pointer at an object that somebody removed is an error, not a reason to ask
// until the time is up.
func TestAPointerAtNothingIsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	h := opened(t, o)
	ok(t, h.PutProducts(ctx, []event.Product{{ID: "tea"}}))
	ok(t, h.Publish(ctx, flow.Publication{Run: "one", AsOf: noon}, nil))
	bucket := o.Buckets + "-shop"
	for _, prefix := range []string{"products/", "publications/"} {
		for _, key := range objects(t, o, "shop", prefix) {
			_, err := bucketsOf(o).DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
			ok(t, err)
		}
	}
	other, line := tap(t, o, func(_ string, _ []byte, pass func() (*http.Response, error)) (*http.Response, error) { return pass() })
	if _, err := other.AllProducts(ctx); err == nil {
		t.Error("a catalogue that is gone was read")
	}
	if _, err := other.Published(other.Ahead(ctx, flow.Ahead{Control: 4})); err == nil {
		t.Error("a publication that is gone was read")
	}
	if n := line.calls.Load(); n > 8 {
		t.Errorf("%d requests", n)
	}
}

// A book that cannot be read says nothing about what is in it; one that is not what
// its records make of it ends all reliance on consent.
func TestOnlyABookThatIsWrongIsDistrusted(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	s := a.person("ada")
	var deaf atomic.Bool
	h, _ := tap(t, a.o, func(op string, _ []byte, pass func() (*http.Response, error)) (*http.Response, error) {
		if op == "Scan" && deaf.Load() {
			return nil, errors.New("connection reset")
		}
		return pass()
	})
	n, ctx, err := h.BeginNight(ctx, t.TempDir(), aws.NightOptions{})
	ok(t, err)
	defer func() { ok(t, n.Close()) }()
	deaf.Store(true)
	if _, err := n.ReplayBook(ctx); err == nil || errors.Is(err, aws.ErrDistrusted) {
		t.Errorf("the book was not to be read: %v", err)
	}
	must(opened(t, a.o).State(ctx, s))(t)
	deaf.Store(false)
	if b := must(n.ReplayBook(ctx))(t); b.Records != 1 {
		t.Errorf("%+v", b)
	}
	at := a.o.Account.Endpoints["DYNAMODB"]
	db := dynamodb.New(dynamodb.Options{Region: a.o.Account.Region, Credentials: a.o.Account.Credentials, BaseEndpoint: &at})
	_, err = db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: sdk.String(a.o.Prefix + "-book"), UpdateExpression: sdk.String("SET b = :b"),
		Key: map[string]types.AttributeValue{
			"s": &types.AttributeValueMemberS{Value: fmt.Sprintf("%03x#%s", s.Bucket(), s)}, "r": &types.AttributeValueMemberS{Value: "state"},
		},
		ExpressionAttributeValues: map[string]types.AttributeValue{":b": &types.AttributeValueMemberB{Value: []byte(`{"version":1}`)}},
	})
	ok(t, err)
	if _, err := n.ReplayBook(ctx); err == nil {
		t.Error("a state that somebody changed was replayed")
	}
	if _, err := opened(t, a.o).State(ctx, s); !errors.Is(err, aws.ErrDistrusted) {
		t.Errorf("want distrust, got %v", err)
	}
}

// An object that was delivered around midnight stays until both of its days are
// closed: that it was looked through must not hide what the kept day holds.
func TestErasureReachesADayWhoseObjectIsStillThere(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	ada := a.person("ada")
	a.set(midnight.Add(time.Minute))
	ok(t, a.AppendDecision(ctx, decided(ada, "before", midnight.Add(-time.Minute))))
	ok(t, a.AppendDecision(ctx, decided(ada, "after", midnight.Add(time.Minute))))
	a.g.Flush()
	if m := a.night(midnight); m.Decided != midnight.Add(-time.Minute).Format(time.DateOnly) {
		t.Errorf("the oldest decision is of %q", m.Decided)
	}
	if len(a.keys("events", "raw/decisions/")) != 1 || len(a.keys("events", "decisions/")) == 0 {
		t.Fatal("want one object of two days, and one day kept")
	}
	_, err := a.Erase(ctx, ada, a.o.Clock())
	ok(t, err)
	a.set(midnight.Add(aDay + time.Hour))
	a.night(midnight.Add(aDay))
	for _, hit := range a.traces(ada, "canary-before", "canary-after") {
		t.Error("after the night:", hit)
	}
}
