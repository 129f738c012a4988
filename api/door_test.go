package api

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/hosttest"
)

// The credentials of the shop under test.
const (
	writeKey    = "write-key-of-the-test"
	serverKey   = "server-key-of-the-test"
	identityKey = "identity-secret-of-the-test-shop"
	device      = "v1-device-0123456789abcdef"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// door is a shop under test, with all that it answered checked against its own
// OpenAPI document.
type door struct {
	t       *testing.T
	h       http.Handler
	log     *bytes.Buffer
	host    *hosttest.Memory
	flow    *flow.Flow
	schemas *schemas
	mu      sync.Mutex
	now     time.Time
}

func (d *door) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// open gives a shop over the in-memory host, with the real rules.
func openDoor(t *testing.T, change ...func(*Options)) *door {
	t.Helper()
	return openShopDoor(t, config.Default(), change...)
}

// openShopDoor is openDoor with a configuration of its own.
func openShopDoor(t *testing.T, cfg *config.Config, change ...func(*Options)) *door {
	t.Helper()
	d := &door{t: t, now: noon, log: &bytes.Buffer{}, host: hosttest.NewMemory(hosttest.WithExports(t.TempDir()))}
	queue, err := desk.NewQueue("https://shop.example/meet")
	if err != nil {
		t.Fatal(err)
	}
	d.flow, err = flow.New(context.Background(), cfg, d.host, queue, d.clock, "test")
	if err != nil {
		t.Fatal(err)
	}
	staff, err := StaticStaff("adviser/ada:adviser-token,dpo:dpo-token,marketing:marketing-token,ops:ops-token")
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		WriteKey: writeKey, ServerKey: serverKey, Identity: &Identity{Secret: []byte(identityKey)}, Staff: staff,
		Origins: []string{"https://shop.example"}, Contact: config.Contact{Phone: "+49 30 000"}, Version: "test", Now: d.clock,
		Log: slog.New(slog.NewJSONHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&o)
	}
	d.h = New(d.flow, o)
	d.schemas = readSchemas(t, d.h)
	return d
}

// call is a request in the making.
type call struct {
	method, path string
	as           string // write server identity adviser dpo marketing ops; "" for nobody; else a wrong one
	body         any    // string and []byte go as they are
	header       map[string]string
}

// got is an answer.
type got struct {
	status int
	header http.Header
	raw    []byte
	json   map[string]any
}

func (g got) code() string {
	e, _ := g.json["error"].(map[string]any)
	s, _ := e["code"].(string)
	return s
}

func (g got) detail() string {
	e, _ := g.json["error"].(map[string]any)
	s, _ := e["detail"].(string)
	return s
}

func (d *door) do(c call) got {
	d.t.Helper()
	r := httptest.NewRequest(c.method, "http://shop.example"+c.path, d.bodyOf(&c))
	r.Header.Set("Content-Type", "application/json")
	d.credential(r, c.as)
	for k, v := range c.header {
		r.Header.Set(k, v)
		if v == "" {
			r.Header.Del(k)
		}
	}
	w := httptest.NewRecorder()
	d.h.ServeHTTP(w, r)
	g := got{status: w.Code, header: w.Header(), raw: w.Body.Bytes()}
	if strings.HasPrefix(g.header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(g.raw, &g.json); err != nil {
			d.t.Fatalf("%s %s: the answer is not JSON: %s", c.method, c.path, g.raw)
		}
		d.schemas.check(d.t, c, r.Pattern, g)
	}
	return g
}

func (d *door) bodyOf(c *call) io.Reader {
	if m, ok := c.body.(map[string]any); ok && c.as == "identity" {
		with := map[string]any{"identity": d.identity("ada")}
		for k, v := range m {
			with[k] = v
		}
		c.body = with
	}
	switch b := c.body.(type) {
	case nil:
		return http.NoBody
	case string:
		return strings.NewReader(b)
	case []byte:
		return bytes.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			d.t.Fatal(err)
		}
		return bytes.NewReader(raw)
	}
}

func (d *door) credential(r *http.Request, as string) {
	switch as {
	case "", "identity":
	case "write":
		r.SetBasicAuth(writeKey, "")
	case "server":
		r.SetBasicAuth(serverKey, "")
	case "adviser", "dpo", "marketing", "ops":
		r.Header.Set("Authorization", "Bearer "+as+"-token")
	case "wrong token":
		r.Header.Set("Authorization", "Bearer nobody's")
	default:
		r.SetBasicAuth(as, "")
	}
}

// told counts the reads of a body.
type told struct{ reads int }

func (b *told) Read(p []byte) (int, error) { b.reads++; return len(p), nil }

// A feed may be 64 MiB, and all bodies together 128: who has no right to send
// one must not fill that.
func TestAFeedIsReadForTheServerKeyOnly(t *testing.T) {
	d := openDoor(t)
	for _, path := range []string{"/v1/products", "/v1/prices"} {
		for as, status := range map[string]int{"": 401, "write": 403, "nobody's": 401, "dpo": 403} {
			body := &told{}
			r := httptest.NewRequest("PUT", path, body)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Expect", "100-continue") // nothing is heard out
			d.credential(r, as)
			w := httptest.NewRecorder()
			d.h.ServeHTTP(w, r)
			if w.Code != status || body.reads > 0 {
				t.Errorf("%s as %q: got %d after %d reads, want %d after none", path, as, w.Code, body.reads, status)
			}
		}
	}
	want(t, "key in the body", d.do(call{method: "PUT", path: "/v1/products", body: `{"writeKey":"` + serverKey + `","products":[]}`}), 401, "credential_missing")
	want(t, "key in the header", d.do(call{method: "PUT", path: "/v1/products", as: "server", body: `{"products":[]}`}), 422, "field_invalid")
}

func TestAnAnswerThatCannotBeWrittenStillNamesTheContact(t *testing.T) {
	a := &api{o: withDefaults(Options{Contact: config.Contact{Phone: "+49 30 000"}, Log: slog.New(slog.DiscardHandler)})}
	w := httptest.NewRecorder()
	a.answer(w, 200, make(chan int))
	if b := w.Body.String(); w.Code != 500 || !strings.Contains(b, `"phone":"+49 30 000"`) || !strings.Contains(b, `"speaker":"machine"`) {
		t.Errorf("got %d %s", w.Code, b)
	}
}

func (d *door) identity(user string) string {
	return sign(d.t, identityKey, jwt.MapClaims{"sub": user, "iat": d.clock().Unix(), "exp": d.clock().Add(10 * time.Minute).Unix()})
}

func sign(t *testing.T, secret string, claims jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// schemas are those of an OpenAPI document, by operation and status.
type schemas struct {
	compiler *jsonschema.Compiler
	paths    map[string]map[string]struct {
		OperationID string `json:"operationId"`
		Responses   map[string]struct {
			Content map[string]any `json:"content"`
		} `json:"responses"`
		Security []map[string][]string `json:"security"`
	}
	version string
	mu      sync.Mutex
	made    map[string]*jsonschema.Schema
}

func readSchemas(t *testing.T, h http.Handler) *schemas {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/openapi.json", nil))
	s := &schemas{compiler: jsonschema.NewCompiler(), made: map[string]*jsonschema.Schema{}}
	var doc struct {
		OpenAPI string `json:"openapi"`
		Paths   any    `json:"paths"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("reading /openapi.json: %v", err)
	}
	s.version = doc.OpenAPI
	paths, _ := json.Marshal(doc.Paths)
	if err := json.Unmarshal(paths, &s.paths); err != nil {
		t.Fatalf("reading paths of /openapi.json: %v", err)
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.compiler.AddResource("mem://openapi.json", whole); err != nil {
		t.Fatal(err)
	}
	return s
}

// check holds an answer against what the document says of it.
func (s *schemas) check(t *testing.T, c call, pattern string, g got) {
	t.Helper()
	method, path, found := strings.Cut(pattern, " ")
	if !found {
		return // no route
	}
	op, ok := s.paths[path][strings.ToLower(method)]
	if !ok {
		t.Errorf("%s is served but not documented", pattern)
		return
	}
	if _, ok := op.Responses[strconv.Itoa(g.status)]; !ok {
		t.Errorf("%s answered %d, which is not documented: %s", pattern, g.status, g.raw)
		return
	}
	at := "/paths/" + escape(path) + "/" + strings.ToLower(method) + "/responses/" + strconv.Itoa(g.status) + "/content/application~1json/schema"
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(g.raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.at(t, at).Validate(v); err != nil {
		t.Errorf("%s: the answer %s is not what the document says: %v", pattern, g.raw, err)
	}
}

func (s *schemas) at(t *testing.T, pointer string) *jsonschema.Schema {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made[pointer] == nil {
		made, err := s.compiler.Compile("mem://openapi.json#" + pointer)
		if err != nil {
			t.Fatalf("schema at %s: %v", pointer, err)
		}
		s.made[pointer] = made
	}
	return s.made[pointer]
}

func escape(path string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(path)
}
