package start

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/functions/gateway"
	"github.com/handschlag/handschlag/host/hosttest"
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
		"HANDSCHLAG_AWS": "handschlag-test", "HANDSCHLAG_AWS_BUCKETS": "handschlag-test-123456789012", "HANDSCHLAG_SECRETS": "", "HANDSCHLAG_CONFIG": "",
		"HANDSCHLAG_IDENTITY_SECRET": "", "HANDSCHLAG_IDENTITY_PUBLIC_KEY": "", "HANDSCHLAG_POLICY_KEY": "",
		"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret",
		"HANDSCHLAG_WRITE_KEY": "write-key-of-the-test", "HANDSCHLAG_SERVER_KEY": "server-key-of-the-test",
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

// in opens a group over a host that is there already.
func in(host flow.Host) opener {
	return func(context.Context, surroundings, *slog.Logger) (flow.Host, error) { return host, nil }
}

// serveOnce serves one event in this process, with exactly the group's rules.
func serveOnce(t *testing.T, g api.Group, host flow.Host, e events.APIGatewayV2HTTPRequest) (res events.APIGatewayV2HTTPResponse) {
	t.Helper()
	h, _, err := open(context.Background(), g, "test", slog.New(slog.DiscardHandler), in(host))
	if err != nil {
		t.Fatalf("%s: %v", g, err)
	}
	return invoke(t, h, e)
}

// invoke gives a handler an event as AWS words it.
func invoke(t *testing.T, h gateway.Handler, e events.APIGatewayV2HTTPRequest) (res events.APIGatewayV2HTTPResponse) {
	t.Helper()
	payload, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	b, err := h.Invoke(context.Background(), payload)
	if err == nil {
		err = json.Unmarshal(b, &res)
	}
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func TestEachGroupWorksWithItsOwnRulesAlone(t *testing.T) {
	surround(t)
	host := hosttest.NewMemory()
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
		if res := serveOnce(t, c.group, host, post(c.path, c.body)); res.StatusCode != c.status {
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
	_, err := environment(t.Context(), api.GroupIngest)
	for _, want := range []string{"HANDSCHLAG_SERVER_KEY is shorter", "HANDSCHLAG_IDENTITY_SECRET is shorter"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q said, got %v", want, err)
		}
	}
	t.Setenv("HANDSCHLAG_SERVER_KEY", strings.Repeat("k", 16))
	t.Setenv("HANDSCHLAG_IDENTITY_SECRET", strings.Repeat("s", 32))
	if _, err := environment(t.Context(), api.GroupIngest); err != nil {
		t.Error(err)
	}
}

// A human stays reachable even for what is no request at all.
func TestABrokenEventIsAnsweredWithTheContact(t *testing.T) {
	surround(t)
	e := post("/v1/batch", "%")
	e.IsBase64Encoded = true
	res := serveOnce(t, api.GroupIngest, hosttest.NewMemory(), e)
	var p api.Problem
	if err := json.Unmarshal([]byte(res.Body), &p); err != nil || res.StatusCode != 400 || p.Contact.Phone+p.Contact.Email+p.Contact.URL == "" || p.Speaker != "machine" || p.Error.Code == "" {
		t.Errorf("got %d %s", res.StatusCode, res.Body)
	}
}

func TestEverythingMissingIsSaidAtOnce(t *testing.T) {
	for name := range surround(t) {
		t.Setenv(name, "")
	}
	t.Setenv("HANDSCHLAG_IDENTITY_PUBLIC_KEY", "no key")
	t.Setenv("HANDSCHLAG_POLICY_KEY", "no key")
	t.Setenv("HANDSCHLAG_CONFIG", "absent.yaml")
	t.Setenv("HANDSCHLAG_AWS_BUCKETS", "Upper/Case")
	want := []string{
		"HANDSCHLAG_AWS is missing", "HANDSCHLAG_AWS_BUCKETS: want", "AWS_REGION is missing", "AWS_ACCESS_KEY_ID is missing", "AWS_SECRET_ACCESS_KEY is missing",
		"HANDSCHLAG_CONFIG", "HANDSCHLAG_POLICY_KEY", "HANDSCHLAG_IDENTITY_PUBLIC_KEY",
	}
	for group, more := range map[api.Group][]string{
		api.GroupIngest: {"HANDSCHLAG_WRITE_KEY is missing", "HANDSCHLAG_SERVER_KEY is missing"},
		api.GroupStaff:  {"HANDSCHLAG_OIDC_ISSUER is missing", "HANDSCHLAG_OIDC_AUDIENCE is missing"},
	} {
		_, err := environment(t.Context(), group)
		for _, want := range append(more, want...) {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: want %q said, got %v", group, want, err)
			}
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: want one line, got %v", group, err)
		}
	}
}

func TestNoLambdaLinksDuckDBPebbleOrACompiler(t *testing.T) {
	for name := range names {
		cmd := exec.Command("go", "list", "-deps", "-tags", "lambda.norpc", "../"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		b, err := cmd.Output()
		if err != nil {
			t.Fatalf("listing %s: %v", name, err)
		}
		for _, dep := range strings.Fields(string(b)) {
			for _, never := range []string{"github.com/duckdb/", "github.com/handschlag/handschlag/batch/", "runtime/cgo", "net/rpc", "testing",
				"github.com/cockroachdb/", "github.com/parquet-go/", "github.com/handschlag/handschlag/host/local", "github.com/aws/aws-sdk-go-v2/config"} {
				if dep == never || strings.HasSuffix(never, "/") && strings.HasPrefix(dep, never) {
					t.Errorf("%s links %s", name, dep)
				}
			}
		}
	}
}
