package start

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/functions/gateway"
	"github.com/handschlag/handschlag/host/hosttest"
	"github.com/handschlag/handschlag/policy"
)

// shelved is a host in memory with a shelf of bundles.
type shelved struct {
	*hosttest.Memory
	files map[int64][]byte
	fails error
	looks int
}

func (s *shelved) Bundles(context.Context) (out []int64, _ error) {
	s.looks++
	for n := range s.files {
		out = append(out, n)
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, s.fails
}

func (s *shelved) Bundle(_ context.Context, n int64) ([]byte, error) { return s.files[n], s.fails }

// pair is a key pair that bundles are signed with.
type pair struct{ private, public []byte }

func newPair(t *testing.T) pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(key)
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	return pair{
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	}
}

// bundle signs the program's rules with one more comment: the same judgement under another digest.
func (p pair) bundle(t *testing.T, tenant string, revision int64, from time.Time, more string) []byte {
	t.Helper()
	files, err := policy.Files(nil)
	if err != nil {
		t.Fatal(err)
	}
	const name = "personalise/personalise.rego"
	cfg, err := config.Parse(config.DefaultYAML())
	if err != nil {
		t.Fatal(err)
	}
	b, err := policy.NewBundle(fstest.MapFS{name: {Data: []byte(files[name] + more)}}, tenant, revision, cfg.PolicySettings(), policy.Release{EffectiveAt: from})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Sign(p.private, p.public)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// court is the variant function over a shelf, at a time that the test sets.
type court struct {
	*shelved
	t    *testing.T
	h    gateway.Handler
	law  *law
	said bytes.Buffer
	now  time.Time
	keys pair
	tnt  string
}

func newCourt(t *testing.T) *court {
	t.Helper()
	surround(t)
	c := &court{t: t, shelved: &shelved{Memory: hosttest.NewMemory(), files: map[int64][]byte{}}, now: time.Now().UTC(), keys: newPair(t)}
	t.Setenv("HANDSCHLAG_POLICY_KEY", string(c.keys.public))
	cfg, err := config.Parse(config.DefaultYAML())
	if err != nil {
		t.Fatal(err)
	}
	c.tnt = cfg.Tenant
	return c
}

// start opens the function.
func (c *court) start() error {
	h, _, err := open(context.Background(), api.GroupVariant, "test", slog.New(slog.NewJSONHandler(&c.said, nil)), in(c.shelved))
	if err == nil {
		c.h, c.law = h, h.HTTP.(*law)
		c.law.now = func() time.Time { return c.now }
	}
	return err
}

// judged gives the digest of the policy that a call was judged by.
func (c *court) judged() string {
	c.t.Helper()
	res := invoke(c.t, c.h, post("/v1/variant", `{"anonymousId":"`+device+`","slot":"home_hero"}`))
	var a flow.VariantAnswer
	if err := json.Unmarshal([]byte(res.Body), &a); err != nil || a.DecisionID == "" {
		c.t.Fatalf("variant: %d %s", res.StatusCode, res.Body)
	}
	r, err := c.Decision(context.Background(), a.DecisionID)
	if err != nil {
		c.t.Fatal(err)
	}
	return r.Digests.Policy
}

func (c *court) alarms() int { return strings.Count(c.said.String(), `"msg":"policy refused"`) }

func TestAWarmFunctionTakesUpAPolicyWithin30Seconds(t *testing.T) {
	c := newCourt(t)
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	own := c.judged()
	c.files[policy.Revision()+1] = c.keys.bundle(t, c.tnt, policy.Revision()+1, c.now.Add(-time.Hour), "# one\n")
	if c.judged() != own || c.looks != 1 {
		t.Errorf("a call that comes at once looks again (%d looks)", c.looks)
	}
	c.now = c.now.Add(30 * time.Second)
	first := c.judged()
	if first == own {
		t.Error("after 30 s the old policy still judges")
	}
	for range 3 {
		c.judged()
	}
	if c.looks != 2 {
		t.Errorf("want one look in 30 s, got %d", c.looks-1)
	}
	if c.alarms() != 0 || !strings.Contains(c.said.String(), "policy taken up") {
		t.Errorf("the log says %s", &c.said)
	}
	if err := c.start(); err != nil { // a cold start knows it at once
		t.Fatal(err)
	}
	if c.judged() != first {
		t.Error("a cold start judges by another policy")
	}
}

func TestAPolicyWaitsForItsHour(t *testing.T) {
	c := newCourt(t)
	n := policy.Revision()
	c.files[n+1] = c.keys.bundle(t, c.tnt, n+1, c.now.Add(-time.Hour), "# one\n")
	c.files[n+2] = c.keys.bundle(t, c.tnt, n+2, c.now.Add(10*time.Second), "# two\n")
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	first := c.judged()
	c.now = c.now.Add(9 * time.Second)
	if c.judged() != first {
		t.Error("it judges before its hour")
	}
	c.now = c.now.Add(time.Second)
	if c.judged() == first {
		t.Error("it does not judge at its hour")
	}
}

func TestABadBundleLeavesTheLastGoodPolicyAndOneAlarm(t *testing.T) {
	stranger := newPair(t)
	n := policy.Revision()
	for name, bad := range map[string]func(*court) []byte{
		"signed by somebody else": func(c *court) []byte { return stranger.bundle(t, c.tnt, n+2, c.now, "# two\n") },
		"for another tenant":      func(c *court) []byte { return c.keys.bundle(t, "another", n+2, c.now, "# two\n") },
		"of another revision":     func(c *court) []byte { return c.keys.bundle(t, c.tnt, n+3, c.now, "# two\n") },
		"cut off":                 func(c *court) []byte { b := c.keys.bundle(t, c.tnt, n+2, c.now, "# two\n"); return b[:len(b)/2] },
		"that does not compile":   func(c *court) []byte { return c.keys.bundle(t, c.tnt, n+2, c.now, "x := http.send({})\n") },
		"empty":                   func(*court) []byte { return nil },
	} {
		c := newCourt(t)
		c.files[n+1] = c.keys.bundle(t, c.tnt, n+1, c.now.Add(-time.Hour), "# one\n")
		if err := c.start(); err != nil {
			t.Fatal(err)
		}
		good := c.judged()
		c.files[n+2] = bad(c)
		for range 3 {
			c.now = c.now.Add(30 * time.Second)
			if c.judged() != good {
				t.Errorf("%s: it judges", name)
			}
		}
		if c.alarms() != 1 {
			t.Errorf("%s: want one alarm, got %d: %s", name, c.alarms(), &c.said)
		}
	}
}

// Nobody can find out what is law: a warm function goes on, a cold one does not start.
func TestAnUnreadableShelfKeepsThePolicyAndStopsAColdStart(t *testing.T) {
	c := newCourt(t)
	n := policy.Revision()
	c.files[n+1] = c.keys.bundle(t, c.tnt, n+1, c.now.Add(-time.Hour), "# one\n")
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	good := c.judged()
	c.fails = errors.New("no answer")
	c.now = c.now.Add(30 * time.Second)
	looks := c.looks
	for range 2 {
		if c.judged() != good {
			t.Error("the last policy does not judge any more")
		}
	}
	if c.looks != looks+1 {
		t.Errorf("want one look, got %d", c.looks-looks)
	}
	if c.alarms() != 0 || !strings.Contains(c.said.String(), "looking for policies") {
		t.Errorf("the log says %s", &c.said)
	}
	if err := c.start(); err == nil || !strings.Contains(err.Error(), "which policy is law") {
		t.Errorf("a cold start goes on: %v", err)
	}
}

// Without a key that bundles must be signed with, no bundle is looked at.
func TestWithoutAKeyOnlyTheProgramsRulesJudge(t *testing.T) {
	c := newCourt(t)
	t.Setenv("HANDSCHLAG_POLICY_KEY", "")
	c.files[policy.Revision()+1] = c.keys.bundle(t, c.tnt, policy.Revision()+1, c.now.Add(-time.Hour), "# one\n")
	if err := c.start(); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(time.Hour)
	c.judged()
	if c.looks != 0 {
		t.Errorf("looked %d times", c.looks)
	}
}
