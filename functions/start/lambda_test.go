package start

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/handschlag/handschlag/api"
)

// names lists the Lambda mains with their groups.
var names = map[string]api.Group{
	"ingest": api.GroupIngest, "escalate": api.GroupEscalate, "consent": api.GroupConsent,
	"price": api.GroupPrice, "variant": api.GroupVariant, "staff": api.GroupStaff, "rights": api.GroupRights,
}

const device = "v1-device-0123456789abcdef"

// surround sets what every group needs.
func surround(t *testing.T) map[string]string {
	t.Helper()
	env := map[string]string{
		"HANDSCHLAG_DATA": filepath.Join(t.TempDir(), "data"), "HANDSCHLAG_WRITE_KEY": "write-key-of-the-test", "HANDSCHLAG_SERVER_KEY": "server-key-of-the-test",
		"HANDSCHLAG_OIDC_ISSUER": "https://id.example", "HANDSCHLAG_OIDC_AUDIENCE": "handschlag",
	}
	for k, v := range env {
		t.Setenv(k, v)
	}
	return env
}

// post makes the payload 2.0 event of a call with the server key.
func post(path, body string) events.APIGatewayV2HTTPRequest {
	e := events.APIGatewayV2HTTPRequest{Version: "2.0", RawPath: path, Body: body, Headers: map[string]string{
		"content-type": "application/json", "authorization": "Basic c2VydmVyLWtleS1vZi10aGUtdGVzdDo=", "user-agent": "canary-browser/1.0",
	}}
	e.RequestContext.HTTP.Method, e.RequestContext.HTTP.SourceIP, e.RequestContext.Stage = "POST", "203.0.113.77", "$default"
	return e
}

const consentBody = `{"anonymousId":"` + device + `","purposes":{"analytics":true},"purposes_shown":["analytics"],"method":"save",
	"notice":{"version":"1","language":"de"},"ui":{"version":"banner-1"}}`

const batchBody = `{"batch":[{"type":"track","event":"Product Viewed","messageId":"m1","anonymousId":"` + device + `","properties":{"product_id":"B12"},
	"context":{"consent":{"categoryPreferences":{"analytics":true}}}}]}`

// call serves one event in this process, with exactly the group's rules.
func serveOnce(t *testing.T, g api.Group, e events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPResponse {
	t.Helper()
	h, host, err := open(context.Background(), g, "test", slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatalf("%s: %v", g, err)
	}
	defer func() {
		if err := host.Close(); err != nil {
			t.Errorf("%s: closing: %v", g, err)
		}
	}()
	res, err := h(context.Background(), e)
	if err != nil {
		t.Fatalf("%s: %v", g, err)
	}
	return res
}

func TestEachGroupWorksWithItsOwnRulesAlone(t *testing.T) {
	surround(t)
	quote := `{"product_id":"B12","storefront":"de","channel":"web","currency":"EUR","customer":"consumer","list_cents":100,"offer_cents":100,"vat_bp":1900,"basis":"static"}`
	for _, c := range []struct {
		group      api.Group
		path, body string
		status     int
	}{
		{api.GroupConsent, "/v1/consent", consentBody, 201},
		{api.GroupIngest, "/v1/batch", batchBody, 200},
		{api.GroupEscalate, "/v1/escalate", `{"anonymousId":"` + device + `","asked":true}`, 200},
		{api.GroupVariant, "/v1/variant", `{"anonymousId":"` + device + `","slot":"home_hero"}`, 200},
		{api.GroupPrice, "/v1/price", quote, 200},
		{api.GroupStaff, "/v1/decisions/search", `{}`, 401},
		{api.GroupRights, "/v1/rights", `{"anonymousId":"` + device + `","request":"objection","scope":"profiling"}`, 201},
	} {
		if res := serveOnce(t, c.group, post(c.path, c.body)); res.StatusCode != c.status {
			t.Errorf("%s: want %d, got %d %s", c.path, c.status, res.StatusCode, res.Body)
		}
	}
	if len(entries) != len(names) {
		t.Errorf("want rules for %d groups, got %d", len(names), len(entries))
	}
}

func TestSecretsThatCanBeGuessedAreRefused(t *testing.T) {
	surround(t)
	t.Setenv("HANDSCHLAG_SERVER_KEY", "short")
	t.Setenv("HANDSCHLAG_IDENTITY_SECRET", "shorter than 32 bytes, too")
	_, err := environment(api.GroupIngest)
	for _, want := range []string{"HANDSCHLAG_SERVER_KEY is shorter", "HANDSCHLAG_IDENTITY_SECRET is shorter"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q said, got %v", want, err)
		}
	}
	t.Setenv("HANDSCHLAG_SERVER_KEY", strings.Repeat("k", 16))
	t.Setenv("HANDSCHLAG_IDENTITY_SECRET", strings.Repeat("s", 32))
	if _, err := environment(api.GroupIngest); err != nil {
		t.Error(err)
	}
}

// A human stays reachable even for what is no request at all.
func TestABrokenEventIsAnsweredWithTheContact(t *testing.T) {
	surround(t)
	e := post("/v1/batch", "%")
	e.IsBase64Encoded = true
	res := serveOnce(t, api.GroupIngest, e)
	var p api.Problem
	if err := json.Unmarshal([]byte(res.Body), &p); err != nil || res.StatusCode != 400 || p.Contact.Phone+p.Contact.Email+p.Contact.URL == "" || p.Speaker != "machine" || p.Error.Code == "" {
		t.Errorf("got %d %s", res.StatusCode, res.Body)
	}
}

func TestEverythingMissingIsSaidAtOnce(t *testing.T) {
	for _, name := range []string{"HANDSCHLAG_DATA", "HANDSCHLAG_WRITE_KEY", "HANDSCHLAG_SERVER_KEY", "HANDSCHLAG_OIDC_ISSUER", "HANDSCHLAG_OIDC_AUDIENCE"} {
		t.Setenv(name, "")
	}
	t.Setenv("HANDSCHLAG_IDENTITY_PUBLIC_KEY", "no key")
	_, err := environment(api.GroupIngest)
	for _, want := range []string{"HANDSCHLAG_DATA is missing", "HANDSCHLAG_WRITE_KEY is missing", "HANDSCHLAG_SERVER_KEY is missing", "HANDSCHLAG_IDENTITY_PUBLIC_KEY"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q said, got %v", want, err)
		}
	}
}

// bootstraps builds every main as it ships.
func bootstraps(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	args := []string{"build", "-tags", "lambda.norpc", "-o", out + "/"}
	for name := range names {
		args = append(args, "../"+name)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building: %v\n%s", err, b)
	}
	return out
}

func TestNoLambdaLinksDuckDBOrACompiler(t *testing.T) {
	for name := range names {
		cmd := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "../"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		b, err := cmd.Output()
		if err != nil {
			t.Fatalf("listing %s: %v", name, err)
		}
		for _, dep := range strings.Fields(string(b)) {
			for _, never := range []string{"github.com/duckdb/", "github.com/handschlag/handschlag/batch/", "runtime/cgo", "net/rpc", "testing"} {
				if dep == never || strings.HasSuffix(never, "/") && strings.HasPrefix(dep, never) {
					t.Errorf("%s links %s", name, dep)
				}
			}
		}
	}
}

// runtimeAPI is as much of Lambda's Runtime API as one process needs: it hands
// out the events one by one and hears the answers.
func runtimeAPI(t *testing.T, payloads ...any) (address string, answers chan string) {
	t.Helper()
	next, answers := make(chan any, len(payloads)), make(chan string, len(payloads)+1)
	for _, p := range payloads {
		next <- p
	}
	mux, ended := http.NewServeMux(), make(chan struct{})
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case p := <-next:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "request")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
			_ = json.NewEncoder(w).Encode(p)
		case <-ended:
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{what}", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		answers <- r.PathValue("what") + " " + string(b)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		answers <- "init " + string(b)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(func() { close(ended); s.Close() })
	return strings.TrimPrefix(s.URL, "http://"), answers
}

// The bootstrap, unmodified, takes payload 2.0 events from end to end.
func TestTheIngestBootstrapTakesAnEvent(t *testing.T) {
	env := surround(t)
	if res := serveOnce(t, api.GroupConsent, post("/v1/consent", consentBody)); res.StatusCode != 201 {
		t.Fatalf("consent: %d %s", res.StatusCode, res.Body)
	}
	address, answers := runtimeAPI(t, post("/v1/batch", batchBody), post("/v1/batch", `{"batch":`), post("/v1/consent", consentBody))
	cmd := exec.Command(filepath.Join(bootstraps(t), "ingest"))
	cmd.Env = append(os.Environ(), "AWS_LAMBDA_RUNTIME_API="+address, "AWS_LAMBDA_FUNCTION_NAME=ingest", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512")
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`\"admitted\":1`, `"statusCode":400`, `"statusCode":404`} {
		select {
		case got := <-answers:
			if !strings.HasPrefix(got, "response ") || !strings.Contains(got, want) {
				t.Errorf("event %d: want %s, got %s", i+1, want, got)
			}
		case <-time.After(time.Minute):
			t.Errorf("event %d: no answer", i+1)
		}
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	for _, canary := range []string{device, "203.0.113.77", "canary-browser"} {
		if strings.Contains(said.String(), canary) {
			t.Errorf("%s is in the log: %s", canary, &said)
		}
	}
}
