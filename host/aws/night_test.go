//go:build awslocal

package aws_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/host/snapshot"
	"github.com/handschlag/handschlag/profile"
)

const aDay = 24 * time.Hour

// account is a shop of its own whose clock the test moves, and a night's folder.
type account struct {
	*aws.Host
	t   *testing.T
	g   *awslocal.Ground
	o   aws.Options
	now atomic.Int64
	dir string
	s3  *s3.Client
}

func newAccount(t *testing.T, change ...func(*aws.Options)) *account {
	t.Helper()
	g := awslocal.Start(t)
	a := &account{t: t, g: g, o: g.Fresh(t), dir: t.TempDir()}
	a.set(noon)
	a.o.Clock = func() time.Time { return time.UnixMilli(a.now.Load()).UTC() }
	for _, c := range change {
		c(&a.o)
	}
	g.Arrivals(a.o.Buckets, a.o.Clock)
	a.Host = opened(t, a.o)
	a.s3 = s3.New(s3.Options{Region: awslocal.Region, Credentials: a.o.Account.Credentials, BaseEndpoint: &g.URL, UsePathStyle: true})
	return a
}

func (a *account) set(at time.Time) { a.now.Store(at.UnixMilli()) }

// person gives analytics and adviser_assist.
func (a *account) person(name string) consent.Subject {
	a.t.Helper()
	s := someone(a.t, a.Host, consent.Device, "the-one-device-of-"+name)
	say(a.t, a.Host, s, recordThat("yes-of-"+name, a.o.Clock(), consent.Device, true, consent.Analytics, consent.AdviserAssist))
	return s
}

func saw(who consent.Subject, n byte, received time.Time) event.Row {
	return event.Row{
		Bucket: int32(who.Bucket()), Subject: who, MessageKey: [16]byte{n}, Kind: int32(event.ProductViewed),
		OccurredMS: received.UnixMilli() - 10, ReceivedMS: received.UnixMilli(), Policy: "p1",
		Purposes: int64(consent.SetOf(consent.Analytics, consent.AdviserAssist)), Cases: []int64{-1, 2},
		Keeps:  []int64{1 << event.FieldProduct, 1 << event.FieldPrice},
		Fields: event.Fields{Product: fmt.Sprintf("B%d", n), PriceCents: 100 + int64(n)},
	}
}

// takes admits rows and has them delivered.
func (a *account) takes(rows ...event.Row) {
	a.t.Helper()
	ok(a.t, a.AppendEvents(ctx, rows))
	byHour := map[int64]int64{}
	for _, r := range rows {
		byHour[r.ReceivedMS]++
	}
	for ms, n := range byHour {
		ok(a.t, a.Count(ctx, time.UnixMilli(ms), map[string]int64{flow.Admitted: n}))
	}
	_, err := a.Counts(ctx, a.o.Clock().Add(-time.Hour), a.o.Clock(), "") // flushes
	ok(a.t, err)
	a.g.Flush()
}

// night takes a snapshot in a folder and reads its manifest.
func (a *account) night(through time.Time) snapshot.Manifest {
	a.t.Helper()
	m, err := a.tryNight(through, aws.NightOptions{})
	ok(a.t, err)
	return m
}

func (a *account) tryNight(through time.Time, o aws.NightOptions) (m snapshot.Manifest, err error) {
	a.t.Helper()
	n, ctx, err := a.BeginNight(context.Background(), a.dir, o)
	ok(a.t, err)
	defer func() { ok(a.t, n.Close()) }()
	dir := filepath.Join(n.StateDir(), "snapshot")
	if err := n.Snapshot(ctx, through, dir); err != nil {
		return m, err
	}
	b, err := os.ReadFile(filepath.Join(dir, snapshot.ManifestFile))
	ok(a.t, err)
	ok(a.t, json.Unmarshal(b, &m))
	as, err := a.Published(ctx)
	ok(a.t, err)
	p := flow.Publication{AsOf: through, Run: fmt.Sprint(dayOf(through), "-", len(m.Days)), Weights: as.Weights}
	a.finished(n, p)
	return m, n.Publish(ctx, p, profile.MembersOf(map[consent.Subject]profile.Membership{}))
}

func dayOf(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func (a *account) rows(d snapshot.ManifestDay) []event.Row {
	a.t.Helper()
	rows, err := parquet.ReadFile[event.Row](d.Path)
	ok(a.t, err)
	if int64(len(rows)) != d.Rows {
		a.t.Fatalf("%s has %d rows, the manifest says %d", d.Day, len(rows), d.Rows)
	}
	return rows
}

// keys lists a bucket.
func (a *account) keys(bucket, prefix string) (out []string) {
	a.t.Helper()
	for pages := s3.NewListObjectsV2Paginator(a.s3, &s3.ListObjectsV2Input{Bucket: sdk.String(a.o.Buckets + "-" + bucket), Prefix: &prefix}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		ok(a.t, err)
		for _, o := range page.Contents {
			out = append(out, *o.Key)
		}
	}
	return out
}

func (a *account) object(bucket, key string) []byte {
	a.t.Helper()
	out, err := a.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: sdk.String(a.o.Buckets + "-" + bucket), Key: &key})
	ok(a.t, err)
	b, err := io.ReadAll(out.Body)
	ok(a.t, err)
	return b
}

func (a *account) put(bucket, key string, body []byte) {
	a.t.Helper()
	_, err := a.s3.PutObject(ctx, &s3.PutObjectInput{Bucket: sdk.String(a.o.Buckets + "-" + bucket), Key: &key, Body: bytes.NewReader(body)})
	ok(a.t, err)
}

func same(t *testing.T, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	ok(t, err)
	w, err := json.Marshal(want)
	ok(t, err)
	if !bytes.Equal(g, w) {
		t.Fatalf("got  %s\nwant %s", g, w)
	}
}

var midnight = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

func TestClosedDaysBecomeParquetAndLeaveWhatWasDelivered(t *testing.T) {
	a := newAccount(t)
	ada, bob := a.person("ada"), a.person("bob")
	var want []event.Row
	for n := range byte(40) {
		r := saw(ada, n, noon.Add(time.Duration(40-n)*time.Minute))
		want = append(want, r)
		a.takes(r, saw(bob, n, noon.Add(aDay)))
	}
	ok(t, a.AppendEvents(ctx, want[:3])) // Firehose may deliver twice
	a.set(midnight.Add(3 * time.Hour))
	a.takes(saw(ada, 99, a.o.Clock()))
	m := a.night(midnight)
	if len(m.Days) != 1 || m.Days[0].Day != "2026-11-21" || m.Days[0].Generation != 1 || m.Days[0].Rows != 40 {
		t.Fatalf("days %+v", m.Days)
	}
	slices.Reverse(want)
	same(t, a.rows(m.Days[0]), want)
	if got := a.keys("events", "days/"); !slices.Equal(got, []string{"days/2026-11-21/day.json", "days/2026-11-21/g1.parquet"}) {
		t.Errorf("kept: %v", got)
	}
	if len(a.keys("events", "raw/events/")) == 0 {
		t.Error("rows of the open day are gone")
	}
	again := a.night(midnight)
	same(t, again.Days, m.Days)

	a.set(midnight.Add(aDay + time.Hour))
	m = a.night(midnight.Add(aDay))
	if len(m.Days) != 2 || m.Days[0].Generation != 1 || m.Days[1].Rows != 41 {
		t.Fatalf("days %+v", m.Days)
	}
	if left := a.keys("events", "raw/events/"); len(left) != 0 {
		t.Errorf("delivered objects stay: %v", left)
	}
}

func TestWhatComesLateMakesANewGeneration(t *testing.T) {
	a := newAccount(t)
	ada := a.person("ada")
	a.takes(saw(ada, 1, noon.Add(time.Hour)))
	a.set(midnight.Add(time.Hour))
	a.night(midnight)
	a.takes(saw(ada, 2, noon.Add(2*time.Hour)), saw(ada, 1, noon.Add(3*time.Hour)))
	m := a.night(midnight)
	if len(m.Days) != 1 || m.Days[0].Generation != 2 {
		t.Fatalf("days %+v", m.Days)
	}
	same(t, a.rows(m.Days[0]), []event.Row{saw(ada, 1, noon.Add(time.Hour)), saw(ada, 2, noon.Add(2*time.Hour))})
	if got := a.keys("events", "days/2026-11-21/"); !slices.Equal(got, []string{"days/2026-11-21/day.json", "days/2026-11-21/g2.parquet"}) {
		t.Errorf("kept: %v", got)
	}
}

func TestWhatIsTakenBackLeavesTheDays(t *testing.T) {
	a := newAccount(t)
	ada, bob := a.person("ada"), a.person("bob")
	a.takes(saw(ada, 1, noon.Add(time.Hour)), saw(bob, 2, noon.Add(time.Hour)))
	a.set(midnight.Add(time.Hour))
	a.night(midnight)
	say(t, a.Host, ada, recordThat("no-of-ada", a.o.Clock(), consent.Device, false, consent.Analytics))
	m := a.night(midnight)
	for _, r := range a.rows(m.Days[0]) {
		if r.Subject == ada && (r.Purposes != int64(consent.SetOf(consent.AdviserAssist)) || r.Fields.Product != "") || r.Subject == bob && r.Fields.Product == "" {
			t.Errorf("%+v", r)
		}
	}
	if m.Days[0].Generation != 2 {
		t.Errorf("days %+v", m.Days)
	}
	if again := a.night(midnight); again.Days[0].Generation != 2 {
		t.Errorf("a day without news was written again: %+v", again.Days)
	}
}

func TestEventsPastTheirTimeGo(t *testing.T) {
	a := newAccount(t, func(o *aws.Options) { o.Retain.EventDays, o.Retain.DecisionDays = 30, 30 })
	ada := a.person("ada")
	a.takes(saw(ada, 1, noon.Add(time.Hour)))
	ok(t, a.AppendDecision(ctx, decided(ada, "first", noon)))
	a.g.Flush()
	a.set(midnight.Add(time.Hour))
	a.night(midnight)
	if got := a.keys("events", "decisions/"); len(got) != 2 {
		t.Errorf("decisions: %v", got)
	}
	later := midnight.AddDate(0, 0, 40)
	a.set(later.Add(time.Hour))
	if m := a.night(later); len(m.Days) != 1 {
		t.Errorf("the night did not see the day that goes: %+v", m.Days)
	}
	if got := append(a.keys("events", "days/"), a.keys("events", "decisions/2026-11-21")...); len(got) != 0 {
		t.Errorf("still there: %v", got)
	}
	ok(t, a.Sequence(ctx))
	if r := a.audit(); r.Broken != 0 {
		t.Errorf("the chain does not hold after retention: %+v", r)
	}
}

func decided(s consent.Subject, id string, at time.Time) *decide.Record {
	return &decide.Record{ID: id, Time: at, Action: decide.ActionEscalate, Subject: s, Binary: "test", Rules: []string{"ESC-01"},
		Input: json.RawMessage(`{"page":"canary-` + id + `"}`), Result: json.RawMessage(`{"offer":"none"}`), Seed: "canary-" + id,
		Digests: decide.Digests{Policy: strings.Repeat("a", 64), Capabilities: strings.Repeat("b", 64), Config: strings.Repeat("c", 64)}}
}

// audit walks the chains of what is compacted.
func (a *account) audit() snapshot.ChainReport {
	a.t.Helper()
	n, ctx, err := a.BeginNight(context.Background(), a.dir, aws.NightOptions{})
	ok(a.t, err)
	defer func() { ok(a.t, n.Close()) }()
	r, err := n.VerifyDecisions(ctx)
	ok(a.t, err)
	return r
}

func (a *account) seal() snapshot.ChainReport {
	a.t.Helper()
	n, ctx, err := a.BeginNight(context.Background(), a.dir, aws.NightOptions{})
	ok(a.t, err)
	defer func() { ok(a.t, n.Close()) }()
	r, err := n.SealDecisions(ctx)
	ok(a.t, err)
	return r
}

// TestErasureIsPhysicalAfterTheNextNight looks for a pseudonym, and for what was
// decided about it, in every byte of every object and item.
func TestErasureIsPhysicalAfterTheNextNight(t *testing.T) {
	a := newAccount(t)
	ada, bob := a.person("ada"), a.person("bob")
	a.takes(saw(ada, 1, noon.Add(time.Hour)), saw(bob, 2, noon.Add(time.Hour)))
	ok(t, a.AppendDecision(ctx, decided(ada, "first", noon.Add(time.Hour))))
	ok(t, a.AppendDecision(ctx, decided(bob, "of-bob", noon.Add(time.Hour))))
	a.set(midnight.Add(time.Hour))
	a.g.Flush()
	a.night(midnight)
	a.takes(saw(ada, 3, a.o.Clock()), saw(bob, 4, a.o.Clock())) // of a day that stays open
	ok(t, a.AppendDecision(ctx, decided(ada, "second", a.o.Clock())))
	a.g.Flush()
	if r := a.seal(); r.Broken != 0 || r.Sealed == 0 {
		t.Fatalf("%+v", r)
	}
	if len(a.traces(ada, "canary-first", "canary-second")) == 0 {
		t.Fatal("the search finds nothing where there is something")
	}
	_, err := a.Erase(ctx, ada, a.o.Clock())
	ok(t, err)
	ok(t, a.AppendDecision(ctx, decided(ada, "late", a.o.Clock()))) // it was on its way
	a.takes(saw(ada, 5, a.o.Clock()))
	m := a.night(midnight)
	if m.Days[0].Generation != 2 || m.Days[0].Rows != 1 {
		t.Errorf("days %+v", m.Days)
	}
	a.set(midnight.Add(aDay + time.Hour))
	a.night(midnight.Add(aDay))
	for _, hit := range a.traces(ada, "canary-first", "canary-second", "canary-late") {
		t.Error("after the night:", hit)
	}
	if len(a.traces(bob, "canary-of-bob")) == 0 {
		t.Error("somebody else went too")
	}
	ok(t, a.Sequence(ctx))
	if r := a.audit(); r.Broken != 0 {
		t.Errorf("an erasure looks like a forgery: %+v", *r.Breaks[0])
	}
}

// traces looks for a subject and for words in every object, unpacked, and item.
func (a *account) traces(s consent.Subject, words ...string) (hits []string) {
	a.t.Helper()
	needles := map[string][]byte{"pseudonym": s[:], "pseudonym in hex": []byte(s.String()), "pseudonym in base64": []byte(base64.StdEncoding.EncodeToString(s[:])[:21])}
	numbers, err := json.Marshal([16]byte(s))
	ok(a.t, err)
	needles["pseudonym in numbers"] = numbers
	for _, w := range words {
		needles[w], needles[w+" in hex"] = []byte(w), []byte(hex.EncodeToString([]byte(w)))
	}
	look := func(where string, b []byte) {
		for name, needle := range needles {
			if bytes.Contains(b, needle) {
				hits = append(hits, name+" in "+where)
			}
		}
	}
	for _, b := range aws.Buckets {
		for _, key := range a.keys(b.Name, "") {
			body := a.object(b.Name, key)
			look(b.Name+" "+key, body)
			if z, err := gzip.NewReader(bytes.NewReader(body)); err == nil {
				plain, err := io.ReadAll(z)
				ok(a.t, err)
				look(b.Name+" "+key+" unpacked", plain)
			}
			if strings.HasSuffix(key, ".parquet") && strings.HasPrefix(key, "days/") { // pages are compressed
				rows, err := parquet.Read[event.Row](bytes.NewReader(body), int64(len(body)))
				ok(a.t, err)
				for _, r := range rows {
					look(b.Name+" "+key+" rows", r.Subject[:])
				}
			}
		}
	}
	for _, table := range aws.Tables {
		if !strings.Contains(table.Name, "ledger") {
			look("table "+table.Name, []byte(contents(a.t, a.o, table.Name)))
		}
	}
	return hits
}

func TestFewerEventsThanWereAdmittedStopANight(t *testing.T) {
	a := newAccount(t)
	ada := a.person("ada")
	a.takes(saw(ada, 1, noon.Add(time.Hour)))
	ok(t, a.Count(ctx, noon.Add(time.Hour), map[string]int64{flow.Admitted: 2})) // two that are on their way
	ok(t, a.Count(ctx, noon.Add(-aDay), map[string]int64{flow.Admitted: 1}))     // and a day of which nothing came
	_, err := a.Counts(ctx, noon, noon.Add(time.Hour), "")
	ok(t, err)
	a.set(midnight.Add(time.Hour))
	_, err = a.tryNight(midnight, aws.NightOptions{})
	if err == nil || !strings.Contains(err.Error(), "1 of 1 events that were admitted on 2026-11-20 were not delivered") || strings.Contains(err.Error(), "\n") {
		t.Fatalf("%v", err)
	}
	_, err = a.tryNight(midnight, aws.NightOptions{Missing: 1})
	if err == nil || !strings.Contains(err.Error(), "2 of 3 events that were admitted on 2026-11-21 were not delivered") {
		t.Fatalf("%v", err)
	}
	if m, err := a.tryNight(midnight, aws.NightOptions{Missing: 2}); err != nil || len(m.Days) != 2 {
		t.Fatalf("%+v, %v", m.Days, err)
	}
	a.night(midnight) // what somebody went on without is known from then on
}

func TestADamagedObjectIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		damage func([]byte) []byte
		why    string
	}{
		"truncated":  {func(b []byte) []byte { return b[:len(b)-9] }, "unexpected EOF"},
		"no row":     {func([]byte) []byte { return zipped("{\"b\":\n") }, "line 1: unreadable event"},
		"half a row": {func([]byte) []byte { return zipped("{}") }, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			a.takes(saw(a.person("ada"), 1, noon.Add(time.Hour)))
			key := a.keys("events", "raw/events/")[0]
			a.put("events", key, c.damage(a.object("events", key)))
			a.set(midnight.Add(time.Hour))
			_, err := a.tryNight(midnight, aws.NightOptions{})
			if err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v", err)
			}
			if got := a.keys("exports", ""); len(got) != 0 {
				t.Errorf("published all the same: %v", got)
			}
		})
	}
	a := newAccount(t)
	a.takes(saw(a.person("ada"), 1, noon.Add(time.Hour)))
	a.set(midnight.Add(time.Hour))
	a.night(midnight)
	a.dir = t.TempDir()
	a.put("events", "days/2026-11-21/g1.parquet", []byte("something else"))
	if _, err := a.tryNight(midnight, aws.NightOptions{}); err == nil || !strings.Contains(err.Error(), "damaged object days/2026-11-21/g1.parquet") {
		t.Errorf("%v", err)
	}
}

func zipped(text string) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return out.Bytes()
}

func TestOfTwoNightsAtOnceOneLoses(t *testing.T) {
	a := newAccount(t)
	first, _, err := a.BeginNight(ctx, a.dir, aws.NightOptions{})
	ok(t, err)
	if _, _, err := a.BeginNight(ctx, t.TempDir(), aws.NightOptions{}); err == nil || !strings.Contains(err.Error(), "another night has been running since") {
		t.Errorf("%v", err)
	}
	ok(t, first.Close())
	second, _, err := a.BeginNight(ctx, t.TempDir(), aws.NightOptions{})
	ok(t, err)
	ok(t, second.Close())
	if got := a.keys("night", "lock"); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestALeaseThatRanOutIsTakenOver(t *testing.T) {
	a := newAccount(t)
	body, err := json.Marshal(map[string]any{"holder": "dead", "since": time.Now().Add(-time.Hour), "until": time.Now().Add(-time.Minute)})
	ok(t, err)
	a.put("night", "lock.json", body)
	n, ctx, err := a.BeginNight(ctx, a.dir, aws.NightOptions{})
	ok(t, err)
	ok(t, ctx.Err())
	ok(t, n.Close())
}

// TestAPublicationMayStopAnywhere cuts the cable after every number of requests.
// Readers see one run's files or another's, never some of both; and once the next
// night has begun, the day knows the run that is shown.
func TestAPublicationMayStopAnywhere(t *testing.T) {
	a := newAccount(t)
	ada := a.person("ada")
	a.set(midnight.Add(time.Hour))
	h, cable := behind(t, a.o)
	swapped := false
	for cut, done := 1, false; !done; cut++ {
		n, within, err := h.BeginNight(ctx, a.dir, aws.NightOptions{})
		ok(t, err)
		p := flow.Publication{AsOf: midnight, Run: fmt.Sprintf("2026-11-22-%03d", cut)}
		a.finished(n, p)
		cable.left.Store(int64(cut))
		err = n.Publish(within, p, profile.MembersOf(map[consent.Subject]profile.Membership{ada: {Segments: []string{p.Run}, AsOf: midnight, Until: midnight.AddDate(0, 0, 30)}}))
		cable.left.Store(-1)
		done = err == nil && cut > 60
		shown := a.shownRun()
		if (shown == p.Run) != (err == nil || errors.Is(err, aws.ErrShown)) {
			t.Fatalf("after %d requests: %q is shown, %v", cut, shown, err)
		}
		swapped = swapped || errors.Is(err, aws.ErrShown)
		ok(t, n.Close())
		next, _, err := a.BeginNight(ctx, t.TempDir(), aws.NightOptions{})
		ok(t, err)
		ok(t, next.Close())
		day, err := a.Published(ctx)
		ok(t, err)
		m, err := a.Membership(ctx, ada)
		ok(t, err)
		if day.Run != shown || shown != "" && !slices.Equal(m.Segments, []string{shown}) {
			t.Fatalf("after %d requests: %q is shown, the day knows %q, and %v", cut, shown, day.Run, m.Segments)
		}
		if left := a.keys("night", "publish/"); len(left) != 0 {
			t.Errorf("after %d requests: left %v", cut, left)
		}
		if cut > 300 {
			t.Fatal("it never comes to an end")
		}
	}
	if !swapped {
		t.Error("no cut came between the pointer and the day")
	}
}

// TestANightUnderFaultsIsDoneOrNot: with throttles, 500s, silence and answers that
// were lost, a night fails in one line or is done, and in the end nothing is missing.
func TestANightUnderFaultsIsDoneOrNot(t *testing.T) {
	a := newAccount(t)
	ada, bob := a.person("ada"), a.person("bob")
	for n := range byte(30) {
		at := noon.Add(time.Duration(n+1) * time.Minute)
		a.takes(saw(ada, n, at), saw(bob, n, at))
		ok(t, a.AppendDecision(ctx, decided(ada, fmt.Sprint("d", n), noon.Add(time.Duration(n)*time.Second))))
	}
	a.g.Flush()
	a.set(midnight.Add(time.Hour))
	ok(t, a.Sequence(ctx))
	o := a.o
	o.Account, o.Parts = a.g.Account("stormynight"), []aws.Part{}
	o.Account.HTTP = impatient(400 * time.Millisecond)
	h := opened(t, o)
	sound := a.Host
	defer a.g.Inject("stormynight", awslocal.Faults{})
	failed := 0
	for seed, done := uint64(1), false; !done; seed++ {
		before := a.shownRun()
		a.g.Inject("stormynight", awslocal.Faults{Seed: seed, Throttled: 50, Broken: 40, Unheard: 10, Unanswered: 50})
		n, within, err := h.BeginNight(ctx, a.dir, aws.NightOptions{})
		p := flow.Publication{AsOf: midnight, Run: fmt.Sprintf("2026-11-22-%03d", seed)}
		if err == nil {
			err = n.Snapshot(within, midnight, filepath.Join(n.StateDir(), "snapshot"))
			if err == nil {
				a.finished(n, p)
				err = n.Publish(within, p, nil)
			}
			_ = n.Close()
		}
		a.g.Inject("stormynight", awslocal.Faults{})
		shown := a.shownRun()
		half := errors.Is(err, aws.ErrShown) || errors.Is(err, aws.ErrUnsure)
		if done = err == nil; done && shown != p.Run || !done && !half && shown != before {
			t.Fatalf("seed %d: %q is shown, before %q: %v", seed, shown, before, err)
		}
		if !done {
			failed++
			_, err = a.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: sdk.String(a.o.Buckets + "-night"), Key: sdk.String("lock.json")})
			ok(t, err)
		}
		if seed > 60 {
			t.Fatal("no night comes through")
		}
	}
	t.Logf("%d nights failed before one was done", failed)
	a.Host = sound
	m := a.night(midnight)
	if len(m.Days) != 1 || m.Days[0].Rows != 60 {
		t.Errorf("days %+v", m.Days)
	}
	if r := a.seal(); r.Broken != 0 || len(r.Chains) == 0 {
		t.Errorf("%+v", r)
	}
}

// finished lays the files of a run where the night finds them.
func (a *account) finished(n *aws.Night, p flow.Publication) {
	a.t.Helper()
	out := filepath.Join(n.ExportsDir(), dayOf(p.AsOf))
	ok(a.t, os.MkdirAll(out, 0o700))
	for _, name := range []string{"manifest.json", "manifest.json.sig", "report.json"} {
		ok(a.t, os.WriteFile(filepath.Join(out, name), []byte(name+p.Run), 0o600))
	}
	ok(a.t, os.WriteFile(filepath.Join(n.ExportsDir(), "verifier"), []byte("key"), 0o600))
}

// shownRun reads every file that is shown: they must be of one run.
func (a *account) shownRun() (run string) {
	a.t.Helper()
	files := a.Exports(ctx)
	names, err := fs.Glob(files, "*/*")
	ok(a.t, err)
	for _, name := range names {
		body, err := fs.ReadFile(files, name)
		ok(a.t, err)
		is := strings.TrimPrefix(string(body), filepath.Base(name))
		if run != "" && run != is {
			a.t.Errorf("%s is of %s, others of %s", name, is, run)
		}
		run = is
	}
	return run
}

// TestChainsOfManyWritersHold: each process is a writer; what one of them wrote is
// followed, sealed, and missed when it is gone.
func TestChainsOfManyWritersHold(t *testing.T) {
	a := newAccount(t)
	ada := a.person("ada")
	for w := range 3 {
		h := opened(t, a.o)
		for n := range 4 {
			ok(t, h.AppendDecision(ctx, decided(ada, fmt.Sprint("d-", w, "-", n), noon.Add(time.Duration(n)*time.Second))))
		}
	}
	a.g.Flush()
	a.set(midnight.Add(time.Hour))
	a.night(midnight)
	r := a.seal()
	if r.Broken != 0 || len(r.Chains) != 3 || r.Sealed != 12 || r.Seals != 3 {
		t.Fatalf("%+v", r)
	}
	if again := a.seal(); again.Seals != 3 {
		t.Errorf("the same heads are sealed twice: %+v", again)
	}
	for name, c := range map[string]struct {
		forge func([][]byte) [][]byte
		why   string
	}{
		"a removed record": {func(l [][]byte) [][]byte { return slices.Delete(l, 4, 5) }, "are missing, from"},
		"a cut end":        {func(l [][]byte) [][]byte { return l[:9] }, "the log ends here, but record 4 was written"},
		"an edited record": {func(l [][]byte) [][]byte {
			l[4] = bytes.Replace(l[4], []byte("none"), []byte("hint"), 1)
			return l
		}, "does not commit to record"},
	} {
		t.Run(name, func(t *testing.T) {
			key := "decisions/2026-11-21/g1.ndjson.gz"
			index := a.object("events", "decisions/2026-11-21/day.json")
			was := a.object("events", key)
			z, err := gzip.NewReader(bytes.NewReader(was))
			ok(t, err)
			plain, err := io.ReadAll(z)
			ok(t, err)
			lines := c.forge(bytes.Split(bytes.TrimSuffix(plain, []byte("\n")), []byte("\n")))
			forged := zipped(string(bytes.Join(lines, []byte("\n"))) + "\n")
			a.put("events", key, forged)
			a.put("events", "decisions/2026-11-21/day.json", reindexed(t, index, forged))
			a.dir = t.TempDir()
			r := a.audit()
			if r.Broken == 0 || !slices.ContainsFunc(r.Breaks, func(b *decide.Break) bool { return strings.Contains(b.Error(), c.why) }) {
				t.Errorf("found %+v", r)
			}
			a.put("events", key, was)
			a.put("events", "decisions/2026-11-21/day.json", index)
		})
	}
}

// reindexed is a day.json that says what a forger would have it say.
func reindexed(t *testing.T, index, body []byte) []byte {
	t.Helper()
	var d map[string]any
	ok(t, json.Unmarshal(index, &d))
	d["sha256"] = hexOf(body)
	out, err := json.Marshal(d)
	ok(t, err)
	return out
}

func hexOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
