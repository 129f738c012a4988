//go:build awslocal

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/infra"
)

// cloud is a shop in an account, fed through flow, and nights of it as processes.
type cloud struct {
	t     *testing.T
	g     *awslocal.Ground
	o     aws.Options
	host  *aws.Host
	flow  *flow.Flow
	clock string
}

func openCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{t: t, g: awslocal.Start(t), clock: filepath.Join(t.TempDir(), "clock")}
	c.set(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	now, err := newFileClock(c.clock)
	must(t, err)
	cfg := config.Default()
	c.o = c.g.Fresh(t)
	c.o.Tenant, c.o.Clock, c.o.Sequence = cfg.Tenant, now.Now, 300*time.Millisecond
	c.g.Arrivals(c.o.Buckets, now.Now)
	c.g.Allow("night", roleOf(t, "night", c.o))
	c.host, err = aws.Open(context.Background(), c.o)
	must(t, err)
	t.Cleanup(func() { must(t, c.host.Close()) })
	queue, err := desk.NewQueue("https://shop.example/talk")
	must(t, err)
	c.flow, err = flow.New(context.Background(), cfg, c.host, queue, now.Now, "test")
	must(t, err)
	return c
}

// roleOf gives what Terraform lets a role do, for an account of the ground.
func roleOf(t *testing.T, name string, o aws.Options) (out []awslocal.Statement) {
	t.Helper()
	roles, err := infra.Statements(o.Prefix, o.Buckets)
	must(t, err)
	for _, s := range roles[name] {
		for i, r := range s.Resources {
			for _, key := range aws.Keys {
				if strings.HasSuffix(r, ":key/"+key) {
					s.Resources[i] = awslocal.KeyARN("alias/" + o.Prefix + "-" + key)
				}
			}
		}
		out = append(out, awslocal.Statement{Actions: s.Actions, Resources: s.Resources, Condition: s.Condition})
	}
	if len(out) < 10 {
		t.Fatalf("the role %s has %d statements", name, len(out))
	}
	return out
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cloud) set(at time.Time) {
	c.t.Helper()
	must(c.t, os.WriteFile(c.clock, []byte(at.UTC().Format(time.RFC3339)+"\n"), 0o600))
}

var shown = []consent.Purpose{consent.Analytics, consent.PersonalisationContent, consent.MarketingEmail, consent.AdviserAssist}

func (c *cloud) visits(n, views int, at time.Time) {
	c.t.Helper()
	c.set(at)
	device, yes := deviceName(n), map[consent.Purpose]bool{}
	for _, p := range shown {
		yes[p] = true
	}
	_, err := c.flow.Consent(context.Background(), flow.ConsentCall{
		AnonymousID: device, Purposes: yes, PurposesShown: shown, Method: "save", Notice: flow.NoticeRef{Version: "1", Language: "de"}, UI: flow.UIRef{Version: "banner-1"},
	}, flow.Caller{})
	must(c.t, err)
	var all []map[string]any
	for i := range views {
		all = append(all, map[string]any{
			"type": "track", "event": "Product Viewed", "messageId": fmt.Sprint(device, at.Unix(), "-", i), "anonymousId": device,
			"timestamp": at.Add(time.Duration(i) * time.Millisecond).Format(time.RFC3339Nano), "properties": map[string]any{"product_id": "B12"},
			"context": map[string]any{"consent": map[string]any{"categoryPreferences": yes}},
		})
	}
	body, err := json.Marshal(map[string]any{"batch": all})
	must(c.t, err)
	env, err := event.ParseBatch(body)
	must(c.t, err)
	a, err := c.flow.Ingest(context.Background(), env, flow.Caller{})
	must(c.t, err)
	if a.Admitted != views {
		c.t.Fatalf("admitted %d of %d: %+v", a.Admitted, views, a.Results[0])
	}
	_, err = c.flow.Escalate(context.Background(), flow.EscalateCall{AnonymousID: device, Page: flow.PageRef{ProductID: "B12", Type: "product"}}, flow.Caller{})
	must(c.t, err)
}

func deviceName(n int) string { return fmt.Sprintf("v1-device-number-%04d", n) }

// feed has 40 visitors look around on two days; one of them takes everything back.
func (c *cloud) feed() {
	c.t.Helper()
	ctx := context.Background()
	_, err := c.flow.PutProducts(ctx, []event.Product{{ID: "B12", Category: "cameras", Class: "premium", PriceCents: 99900, Stock: 3}}, flow.Caller{Server: true})
	must(c.t, err)
	first := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	for n := range 40 {
		c.visits(n, 6, first)
	}
	for n := range 32 {
		c.visits(n, 6, first.Add(24*time.Hour))
	}
	no := map[consent.Purpose]bool{}
	for _, p := range shown {
		no[p] = false
	}
	_, err = c.flow.Consent(ctx, flow.ConsentCall{
		AnonymousID: deviceName(3), Purposes: no, PurposesShown: shown, Method: "reject", Notice: flow.NoticeRef{Version: "1", Language: "de"}, UI: flow.UIRef{Version: "banner-1"},
	}, flow.Caller{})
	must(c.t, err)
	_, err = c.host.Counts(ctx, first.Add(-time.Hour), first.Add(48*time.Hour), "") // flushes
	must(c.t, err)
	c.g.Flush()
}

// command is a night as a process of its own.
func (c *cloud) command(dir, asOf string, more ...string) *exec.Cmd {
	cmd := exec.Command("handschlag", append([]string{"nightly", "--host", "aws", "--data", dir, "--as-of", asOf, "--threads", "2"}, more...)...)
	cmd.Env = append(append(os.Environ(), c.g.Environment("night")...), "HANDSCHLAG_AWS="+c.o.Prefix, "HANDSCHLAG_AWS_BUCKETS="+c.o.Buckets, "HANDSCHLAG_CLOCK=@"+c.clock)
	return cmd
}

func (c *cloud) night(dir, asOf string, more ...string) (string, error) {
	out, err := c.command(dir, asOf, more...).CombinedOutput()
	return string(out), err
}

// exported is every byte that a night published, by name.
func (c *cloud) exported() map[string]string {
	c.t.Helper()
	out := map[string]string{}
	files := c.host.Exports(context.Background())
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(files, path)
		out[path] = string(body)
		return err
	})
	must(c.t, err)
	return out
}

// folder reads what a night's own folder holds of a date.
func exportsIn(t *testing.T, dir, date string) map[string]string {
	t.Helper()
	out := map[string]string{}
	names, err := filepath.Glob(filepath.Join(dir, "exports", date, "*"))
	must(t, err)
	for _, name := range names {
		body, err := os.ReadFile(name)
		must(t, err)
		out[date+"/"+filepath.Base(name)] = string(body)
	}
	return out
}

func equalBytes(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, body := range want {
		if got[name] != body {
			t.Errorf("%s differs: %d bytes, want %d", name, len(got[name]), len(body))
		}
	}
	for name := range got {
		if _, is := want[name]; !is {
			t.Errorf("%s is more", name)
		}
	}
}

// TestAWSNightGivesTheSameBytesInTheCloudAndOnPremises runs the nights of two shops
// that were fed alike: every night in a container, in an empty folder; and every
// night on a machine that keeps its folder. And a night again, in the other's place.
func TestAWSNightGivesTheSameBytesInTheCloudAndOnPremises(t *testing.T) {
	c := openCloud(t)
	c.feed()
	c.set(time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC).AddDate(0, 0, 1))
	warm := t.TempDir()
	said, err := c.night(warm, "2026-11-21") // on premises: it finds, and keeps, its folder
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	first := c.exported()
	if len(first) < 5 || !strings.Contains(said, "published 2026-11-21-") || !strings.Contains(said, "no record was removed") {
		t.Fatalf("%d files; it said %s", len(first), said)
	}
	equalBytes(t, only(first, "2026-11-21"), exportsIn(t, warm, "2026-11-21"))
	key, err := os.ReadFile(filepath.Join(warm, "exports", "verifier"))
	if must(t, err); first["verifier"] != string(key) || len(key) == 0 {
		t.Errorf("the cloud's key of the manifests is %q, the folder's %q", first["verifier"], key)
	}

	for name, dir := range map[string]string{"container": t.TempDir(), "warm folder": warm} {
		said, err := c.night(dir, "2026-11-21") // the same again publishes nothing new
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, said)
		}
		equalBytes(t, c.exported(), first)
	}
	rows := 0
	for name, body := range first {
		if strings.HasSuffix(name, ".csv") {
			rows += strings.Count(body, "\n") - 1
		}
	}
	t.Logf("%d files, %d rows in CSV files", len(first), rows)

	c.set(time.Date(2026, 11, 22, 3, 30, 0, 0, time.UTC))
	said, err = c.night(t.TempDir(), "2026-11-22") // the next night in a container
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	both := c.exported()
	if said, err = c.night(warm, "2026-11-22"); err != nil { // and where the folder is a night behind
		t.Fatalf("%v: %s", err, said)
	}
	equalBytes(t, c.exported(), both)
	equalBytes(t, exportsIn(t, warm, "2026-11-22"), only(both, "2026-11-22"))
	for name, body := range first {
		if both[name] != body {
			t.Errorf("the night before changed: %s", name)
		}
	}
	m, err := c.host.Membership(context.Background(), c.find(t, 5))
	if err != nil || len(m.Segments) == 0 {
		t.Errorf("the day does not know the night: %+v, %v", m, err)
	}
}

func only(all map[string]string, date string) map[string]string {
	out := map[string]string{}
	for name, body := range all {
		if strings.HasPrefix(name, date+"/") {
			out[name] = body
		}
	}
	return out
}

func (c *cloud) find(t *testing.T, n int) consent.Subject {
	t.Helper()
	id, err := consent.NewID(consent.Device, deviceName(n))
	must(t, err)
	s, err := c.host.Find(context.Background(), id)
	must(t, err)
	return s
}

// TestAWSNightThatIsKilledPublishesAllOrNothing kills nights in the middle of their
// steps. What is published then is what was, or all that the next night publishes.
func TestAWSNightThatIsKilledPublishesAllOrNothing(t *testing.T) {
	c := openCloud(t)
	c.feed()
	c.set(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	if said, err := c.night(t.TempDir(), "2026-11-21"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	before, warm := c.exported(), t.TempDir()
	for _, k := range []struct {
		step string
		how  syscall.Signal
	}{
		{"ledger", syscall.SIGINT}, {"snapshot", syscall.SIGKILL}, {"reading events", syscall.SIGKILL}, {"compacting days", syscall.SIGINT},
		{"gathering decisions", syscall.SIGKILL}, {"building segments", syscall.SIGINT}, {"checking", syscall.SIGKILL}, {"swapping", syscall.SIGKILL}, {"done", syscall.SIGINT},
	} {
		said, err := c.killed(warm, "2026-11-22", k.step, k.how)
		if err == nil {
			t.Logf("the night was done before %s reached it at %q", k.how, k.step)
		} else if k.how == syscall.SIGINT && !strings.Contains(said, "nothing was published") {
			t.Errorf("stopped at %q: %v: %s", k.step, err, said)
		}
		if k.how == syscall.SIGKILL { // the dead night's lease lasts for minutes
			if said, again := c.night(warm, "2026-11-22"); err != nil && (again == nil || !strings.Contains(said, "another night has been running since")) {
				t.Errorf("while a dead night's lease lasts: %v: %s", again, said)
			}
			c.unlock()
		}
		now := c.exported()
		if len(only(now, "2026-11-22")) > 0 {
			t.Logf("what was killed at %q was published", k.step)
			break
		}
		equalBytes(t, now, before)
	}
	if said, err := c.night(warm, "2026-11-22"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	after := c.exported()
	if len(only(after, "2026-11-22")) == 0 {
		t.Error("the night that was not killed published nothing")
	}
	if said, err := c.night(t.TempDir(), "2026-11-22"); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	equalBytes(t, c.exported(), after)
}

// killed runs a night until it says that a step began.
func (c *cloud) killed(dir, asOf, step string, how syscall.Signal) (string, error) {
	c.t.Helper()
	cmd := c.command(dir, asOf)
	out, err := cmd.StdoutPipe()
	must(c.t, err)
	var said, complained bytes.Buffer
	cmd.Stderr = &complained
	must(c.t, cmd.Start())
	reached := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if !reached && strings.HasPrefix(lines.Text(), step) {
			reached = true
			must(c.t, cmd.Process.Signal(how))
		}
	}
	if err = cmd.Wait(); !reached {
		c.t.Fatalf("%q never began: %v: %s%s", step, err, said.String(), complained.String())
	}
	return complained.String(), err
}

// unlock lets a dead night's lease go.
func (c *cloud) unlock() {
	c.t.Helper()
	client := s3.New(s3.Options{Region: awslocal.Region, Credentials: c.o.Account.Credentials, BaseEndpoint: &c.g.URL, UsePathStyle: true})
	_, err := client.DeleteObject(context.Background(), &s3.DeleteObjectInput{Bucket: sdk.String(c.o.Buckets + "-night"), Key: sdk.String("lock.json")})
	must(c.t, err)
}
