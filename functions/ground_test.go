//go:build awslocal

package functions_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/runtimeapi"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// The secrets of callers, as they lie in Secrets Manager.
const (
	writeKey       = "write-key-of-the-test"
	serverKey      = "server-key-of-the-test"
	identitySecret = "identity-secret-of-the-test-32-bytes"
)

// built are the bootstraps as they ship, once for all tests.
var built = struct {
	sync.Once
	dir string
	err error
}{}

func bootstraps(t testing.TB) string {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "handschlag-functions-"); built.err != nil {
			return
		}
		var names []string
		for _, f := range api.Functions() {
			names = append(names, f.Name)
		}
		built.err = runtimeapi.Build(context.Background(), "..", built.dir, "", names...)
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.dir
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// shop is an account with every function running in it, behind one front.
type shop struct {
	t         testing.TB
	ground    *awslocal.Ground
	options   aws.Options
	functions map[string]*runtimeapi.Function
	front     http.Handler
	issuer    string
	key       *rsa.PrivateKey
	said      *said
}

// said is all that the functions printed.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// openShop starts every function. Consent is the first: it makes the shop's keys.
func openShop(t testing.TB, env ...string) *shop {
	t.Helper()
	s := newShop(t)
	s.open(env...)
	return s
}

func ground(t testing.TB) *awslocal.Ground { return awslocal.Start(t) }

// newShop is an account with secrets, and no function yet.
func newShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{t: t, ground: ground(t), said: &said{}, functions: map[string]*runtimeapi.Function{}}
	s.options = s.ground.Fresh(t)
	s.issuer, s.key = provider(t)
	s.keepSecrets()
	s.hold()
	return s
}

// open starts every function, consent first.
func (s *shop) open(env ...string) {
	s.t.Helper()
	s.start("consent", env...)
	for _, f := range api.Functions() {
		if f.Name != "consent" {
			s.start(f.Name, env...)
		}
	}
	s.front = runtimeapi.Front(s.functions)
}

// environment is what infra/terraform gives a function.
func (s *shop) environment(function string, more ...string) []string {
	env := append(s.ground.Environment(function), "HANDSCHLAG_AWS="+s.options.Prefix, "HANDSCHLAG_AWS_BUCKETS="+s.options.Buckets, "HANDSCHLAG_SECRETS="+s.options.Prefix)
	if function == "staff" || function == "rights" {
		env = append(env, "HANDSCHLAG_OIDC_ISSUER="+s.issuer, "HANDSCHLAG_OIDC_AUDIENCE=handschlag")
	}
	return append(env, more...)
}

// run starts a function and does not wait for it.
func (s *shop) run(name string, env ...string) *runtimeapi.Function {
	s.t.Helper()
	f, err := runtimeapi.Start(filepath.Join(bootstraps(s.t), name, "bootstrap"), runtimeapi.Options{Name: name, Env: s.environment(name, env...), Out: s.said})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = f.Close() })
	return f
}

func (s *shop) start(name string, env ...string) {
	s.t.Helper()
	s.functions[name] = s.run(name, env...)
	if err := s.functions[name].Ready(s.t.Context()); err != nil {
		s.t.Fatalf("%s: %v: %s", name, err, s.said)
	}
}

func (s *shop) keepSecrets() {
	s.t.Helper()
	c := secretsmanager.New(secretsmanager.Options{Region: awslocal.Region, Credentials: s.ground.Account("operator").Credentials, BaseEndpoint: &s.ground.URL})
	for name, value := range map[string]string{"write-key": writeKey, "server-key": serverKey, "identity-secret": identitySecret} {
		if _, err := c.CreateSecret(s.t.Context(), &secretsmanager.CreateSecretInput{Name: sdk.String(s.options.Prefix + "/" + name), SecretString: &value}); err != nil {
			s.t.Fatal(err)
		}
	}
}

// provider is an identity provider with one key.
func provider(t testing.TB) (issuer string, key *rsa.PrivateKey) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	answer := func(v any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v)
		}
	}
	mux.Handle("/.well-known/openid-configuration", answer(map[string]any{"issuer": s.URL, "jwks_uri": s.URL + "/keys", "authorization_endpoint": s.URL, "token_endpoint": s.URL}))
	mux.Handle("/keys", answer(map[string]any{"keys": []any{map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "one", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}}}))
	return s.URL, key
}

// staff is a token of the identity provider.
func (s *shop) staff(name, role string) string {
	now := time.Now()
	tok := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": s.issuer, "aud": "handschlag", "sub": name, "role": role, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()})
	tok.Header["kid"] = "one"
	signed, err := tok.SignedString(s.key)
	if err != nil {
		s.t.Fatal(err)
	}
	return "Bearer " + signed
}

// account is a token of the shop's backend for an account.
func (s *shop) account(user string) string {
	now := time.Now()
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"sub": user, "iat": now.Unix(), "exp": now.Add(10 * time.Minute).Unix()}).SignedString([]byte(identitySecret))
	if err != nil {
		s.t.Fatal(err)
	}
	return signed
}

func basic(key string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":")) }

// answer is what came back.
type answer struct {
	status int
	body   string
	json   map[string]any
}

func (a answer) text(name string) string { s, _ := a.json[name].(string); return s }

// browser is what every test call says of itself: none of it may be found again.
const (
	browser = "Mozilla/5.0 (X11; canary-browser; rv:145.0) Gecko/20100101 Firefox/145.0"
	cookie  = "sid=canary-cookie"
	address = "198.51.100.23"
)

// call makes a call through the front.
func (s *shop) call(method, path, as string, body any) answer {
	s.t.Helper()
	var payload io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		payload = bytes.NewBufferString(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			s.t.Fatal(err)
		}
		payload = bytes.NewReader(raw)
	}
	r, w := httptest.NewRequestWithContext(s.t.Context(), method, path, payload), httptest.NewRecorder()
	r.RemoteAddr = address + ":4711"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", browser)
	r.Header.Set("Cookie", cookie)
	if as != "" {
		r.Header.Set("Authorization", as)
	}
	s.front.ServeHTTP(w, r)
	a := answer{status: w.Code, body: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.json)
	return a
}

// want makes a call that must be answered with a status.
func (s *shop) want(status int, method, path, as string, body any) answer {
	s.t.Helper()
	a := s.call(method, path, as, body)
	if a.status != status {
		s.t.Fatalf("%s %s: want %d, got %d %s\n%s", method, path, status, a.status, a.body, s.said)
	}
	return a
}

// consents is the body of a consent call.
func consents(device string, yes bool, purposes ...string) map[string]any {
	chosen := map[string]bool{}
	for _, p := range purposes {
		chosen[p] = yes
	}
	return map[string]any{
		"anonymousId": device, "purposes": chosen, "purposes_shown": purposes, "method": "save",
		"notice": map[string]string{"version": "1", "language": "de"}, "ui": map[string]string{"version": "banner-1"},
	}
}

// views is a batch of product views of a device.
func views(device string, ids ...string) map[string]any {
	var all []any
	for _, id := range ids {
		all = append(all, map[string]any{
			"type": "track", "event": "Product Viewed", "messageId": id, "anonymousId": device, "properties": map[string]any{"product_id": "B12"},
			"context": map[string]any{"ip": address, "userAgent": browser, "consent": map[string]any{"categoryPreferences": map[string]bool{
				"analytics": true, "adviser_assist": true, "personalisation_content": true,
			}}},
		})
	}
	return map[string]any{"batch": all}
}

// grow is what the schedule does once a minute.
func (s *shop) grow() {
	s.t.Helper()
	if _, err := s.functions["consent"].Invoke(s.t.Context(), []byte(`{"handschlag":"sequence"}`)); err != nil {
		s.t.Fatalf("growing the ledger: %v %s", err, s.said)
	}
}

func (s *shop) device(n int) string { return fmt.Sprintf("v1-canary-device-%08d", n) }
