//go:build awslocal

package aws_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/profile"
)

// cable is the way to the account: it can be cut after so many requests.
type cable struct {
	*http.Client
	left atomic.Int64 // below zero: never cut
}

// Do sends a request.
func (c *cable) Do(r *http.Request) (*http.Response, error) {
	if n := c.left.Load(); n == 0 {
		return nil, errors.New("the cable is cut")
	} else if n > 0 {
		c.left.Add(-1)
	}
	return c.Client.Do(r)
}

// behind opens a host behind a cable of its own.
func behind(t testing.TB, o aws.Options) (*aws.Host, *cable) {
	t.Helper()
	c := &cable{Client: impatient(5 * time.Second)}
	c.left.Store(-1)
	o.Account.HTTP, o.Account.Attempts, o.Sequence = c, 1, 0
	return opened(t, o), c
}

func opened(t testing.TB, o aws.Options) *aws.Host {
	t.Helper()
	h, err := aws.Open(ctx, o)
	ok(t, err)
	t.Cleanup(func() { ok(t, h.Close()) })
	return h
}

// recordThat is a record that gives or takes back some purposes.
func recordThat(id string, at time.Time, scope consent.Scope, yes bool, purposes ...consent.Purpose) consent.Record {
	r := consent.Record{
		Schema: consent.RecordSchema, RecordID: id, Scope: scope, PurposesShown: purposes,
		Event:    consent.Act{Time: at, Type: "expressed", Method: "save", Actor: "subject"},
		Validity: consent.Validity{From: at, Until: at.AddDate(1, 0, 0)},
	}
	for _, p := range purposes {
		r.Purposes = append(r.Purposes, consent.Choice{Purpose: p, Status: map[bool]consent.Status{true: consent.Given, false: consent.Refused}[yes], Basis: "6-1-a"})
	}
	return r
}

func someone(t testing.TB, h *aws.Host, scope consent.Scope, name string) consent.Subject {
	t.Helper()
	id, err := consent.NewID(scope, name)
	ok(t, err)
	s, err := h.Assign(ctx, id)
	ok(t, err)
	return s
}

func say(t testing.TB, h *aws.Host, s consent.Subject, r consent.Record) flow.Receipt {
	t.Helper()
	out, err := h.Append(ctx, s, func(consent.State) (consent.Record, error) { return r, nil })
	ok(t, err)
	return out
}

// together runs do for 0 to n-1, eight at a time.
func together(n int, do func(i int)) {
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := w; i < n; i += 8 {
				do(i)
			}
		})
	}
	all.Wait()
}

// contents prints every item of a table.
func contents(t testing.TB, o aws.Options, table string) string {
	t.Helper()
	db := dynamodb.New(dynamodb.Options{
		Region: awslocal.Region, Credentials: o.Account.Credentials, BaseEndpoint: sdk.String(o.Account.Endpoints["DYNAMODB"]),
	})
	var out bytes.Buffer
	for pages := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: sdk.String(o.Prefix + "-" + table), ConsistentRead: sdk.Bool(true)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		ok(t, err)
		for _, i := range page.Items {
			b, err := json.Marshal(i)
			ok(t, err)
			fmt.Fprintf(&out, "%s\n%q\n", b, texts(i))
		}
	}
	return out.String()
}

// texts are the bytes of an item's values as they are: JSON would encode them.
func texts[V any](i map[string]V) (out []string) {
	for _, v := range i {
		b, _ := json.Marshal(v)
		var is struct{ Value []byte }
		if json.Unmarshal(b, &is) == nil {
			out = append(out, string(is.Value))
		}
	}
	return out
}

func TestAWithdrawalReachesEveryDeviceOfAnAccount(t *testing.T) {
	t.Parallel()
	h := opened(t, awslocal.Start(t).Fresh(t))
	account := someone(t, h, consent.Account, "ada")
	say(t, h, account, recordThat("grant", noon, consent.Account, true, consent.AdviserAssist))
	devices := make([]consent.Subject, 62) // more than one transaction has room for
	together(len(devices), func(i int) {
		devices[i] = someone(t, h, consent.Device, fmt.Sprintf("device-number-%03d", i))
		ok(t, h.Link(ctx, devices[i], account, noon))
		ok(t, h.UpdateProfile(ctx, devices[i], []flow.StateAt{{Subject: account, Version: 1}}, func(p profile.Profile) profile.Profile {
			p.Sections = map[consent.Purpose]profile.Section{consent.AdviserAssist: {}}
			return p
		}))
	})
	say(t, h, account, recordThat("withdrawal", noon.Add(time.Hour), consent.Account, false, consent.AdviserAssist))
	for i, d := range devices {
		p, err := h.Profile(ctx, d)
		ok(t, err)
		if len(p.Sections) != 0 {
			t.Fatalf("device %d keeps %v", i, p.Sections)
		}
	}
}

func TestADeviceThatIsLinkedMeanwhileIsNotForgotten(t *testing.T) {
	t.Parallel()
	h := opened(t, awslocal.Start(t).Fresh(t))
	account, device := someone(t, h, consent.Account, "ada"), someone(t, h, consent.Device, "the-device-of-ada")
	say(t, h, account, recordThat("grant", noon, consent.Account, true, consent.AdviserAssist))
	built := 0
	_, err := h.Append(ctx, account, func(consent.State) (consent.Record, error) {
		if built++; built == 1 {
			ok(t, h.Link(ctx, device, account, noon))
			ok(t, h.UpdateProfile(ctx, device, []flow.StateAt{{Subject: account, Version: 1}}, func(p profile.Profile) profile.Profile {
				p.Sections = map[consent.Purpose]profile.Section{consent.AdviserAssist: {}}
				return p
			}))
		}
		return recordThat("withdrawal", noon.Add(time.Hour), consent.Account, false, consent.AdviserAssist), nil
	})
	ok(t, err)
	p, err := h.Profile(ctx, device)
	ok(t, err)
	if built != 2 || len(p.Sections) != 0 {
		t.Fatalf("built %d times; the device keeps %v", built, p.Sections)
	}
}

func TestTwoFirstStartersAgreeOnTheKeys(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	id, err := consent.NewID(consent.Account, "ada")
	ok(t, err)
	hosts, errs := make([]*aws.Host, 6), make([]error, 6)
	var all sync.WaitGroup
	for i := range hosts {
		all.Go(func() { hosts[i], errs[i] = aws.Open(context.Background(), o) })
	}
	all.Wait()
	ok(t, errors.Join(errs...))
	s, err := hosts[0].Assign(ctx, id)
	ok(t, err)
	for _, h := range hosts {
		if string(h.Keys().Token) != string(hosts[0].Keys().Token) || string(h.Keys().Draw) == string(h.Keys().Token) {
			t.Error("two starters have two keys")
		}
		if found, err := h.Find(ctx, id); err != nil || found != s {
			t.Errorf("found %s, want %s: %v", found, s, err)
		}
		ok(t, h.Sequence(ctx))
		ok(t, h.Close())
	}
	for _, secret := range []string{string(hosts[0].Keys().Token), "PRIVATE+KEY"} {
		if strings.Contains(contents(t, o, "secret"), secret) {
			t.Error("a key lies there unwrapped")
		}
	}
}

func TestAProcessWithoutARightToAKeyDoesNotOpenIt(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	ok(t, func() error { h, err := aws.Open(ctx, o); return errors.Join(err, h.Close()) }())
	o.Parts, o.Account = []aws.Part{}, g.Account("narrow")
	h := opened(t, o)
	for _, u := range g.Used() {
		if u.Function == "narrow" && strings.HasPrefix(u.Action, "kms:") && strings.HasSuffix(u.Resource, "-identity") {
			t.Errorf("used %+v", u)
		}
	}
	id, err := consent.NewID(consent.Account, "ada")
	ok(t, err)
	if _, err := h.Find(ctx, id); err == nil {
		t.Error("an identifier was looked up without its key")
	}
	if err := h.Sequence(ctx); err == nil {
		t.Error("the ledger grew without its key")
	}
	if _, err := h.Erase(ctx, consent.Subject{1}, noon); err == nil {
		t.Error("somebody was erased without the identity map")
	}
}

func TestWhatAPriceReadsLeadsToNobody(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	h := opened(t, o)
	s := someone(t, h, consent.Account, "ada")
	say(t, h, s, recordThat("the-grant-of-ada", noon, consent.Account, true, consent.PersonalisedPrice))
	ok(t, h.Restrict(ctx, s, true, noon))
	all := contents(t, o, "price-grant")
	if !strings.Contains(all, "g#") || strings.Contains(all, s.String()) || strings.Contains(all, "the-grant-of-ada") {
		t.Fatalf("the table holds %s", all)
	}
	o.Parts, o.Account = []aws.Part{}, g.Account("price")
	price := opened(t, o)
	g.Forget("price")
	p, err := price.PriceStanding(ctx, "the-grant-of-ada")
	ok(t, err)
	if !p.Rests || !p.Since.Equal(noon) {
		t.Fatalf("got %+v", p)
	}
	for _, u := range g.Used() {
		if u.Function == "price" && (strings.HasSuffix(u.Resource, "-book") || strings.HasSuffix(u.Resource, "-identity") || strings.HasSuffix(u.Resource, "-profile")) {
			t.Errorf("used %+v", u)
		}
	}
}

func TestAStateThatMovedStopsAProfileInAnotherProcess(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	one, two := opened(t, o), opened(t, o)
	s := someone(t, one, consent.Device, "the-device-of-ada")
	say(t, one, s, recordThat("grant", noon, consent.Device, true, consent.Analytics))
	if st, err := two.State(ctx, s); err != nil || st.Version != 1 {
		t.Fatalf("got %+v, %v", st, err)
	}
	say(t, one, s, recordThat("withdrawal", noon.Add(time.Hour), consent.Device, false, consent.Analytics))
	err := two.UpdateProfile(ctx, s, []flow.StateAt{{Subject: s, Version: 1}}, func(p profile.Profile) profile.Profile {
		p.Sections = map[consent.Purpose]profile.Section{consent.Analytics: {}}
		return p
	})
	if !errors.Is(err, flow.ErrMoved) {
		t.Fatalf("got %v", err)
	}
}

func TestEntriesThatWereReplacedLongAgoGo(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	o.Retain.ListYears = 3
	h := opened(t, o)
	s := someone(t, h, consent.Account, "ada")
	for i, year := range []int{2020, 2021, 2024} {
		ok(t, h.Object(ctx, s, consent.Profiling, i%2 == 0, time.Date(year, 7, 1, 0, 0, 0, 0, time.UTC)))
	}
	before, err := h.State(ctx, s)
	ok(t, err)
	ok(t, h.RetainLists(ctx, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)))
	left, err := h.Listed(ctx, s)
	ok(t, err)
	after, err := h.State(ctx, s)
	ok(t, err)
	if len(left) != 1 || left[0].Version != 3 || !after.Objected(consent.AdviserAssist) || after.Version != before.Version {
		t.Fatalf("left are %+v, the state is %+v", left, after)
	}
}
