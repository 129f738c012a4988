//go:build awslocal

package functions_test

import (
	"strings"
	"testing"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// What keeps a function from its account is one line that names the resource and the
// right; the function asks once, and leaves.
func TestAFunctionThatMayNotOrCannotStartSaysWhyAndLeaves(t *testing.T) {
	s := openShop(t)
	words := map[string]string{"denied": "lacks this right", "absent": "does not exist", "expired": "sign in again", "skewed": "clock is off"}
	for _, f := range api.Functions() {
		for kind, why := range words {
			s.ground.Refuse(f.Name, kind)
			s.ground.Forget(f.Name)
			s.said = &said{}
			err := s.run(f.Name, "HANDSCHLAG_SECRETS=", "HANDSCHLAG_WRITE_KEY="+writeKey, "HANDSCHLAG_SERVER_KEY="+serverKey).Ready(t.Context())
			seen := s.ground.Seen(f.Name)
			s.ground.Refuse(f.Name, "")
			lines := s.said.lines()
			if err == nil || !strings.Contains(err.Error(), "code 1") || len(lines) != 1 {
				t.Errorf("%s, %s: want it to leave with one line, got %v: %s", f.Name, kind, err, s.said)
				continue
			}
			if !strings.Contains(lines[0], s.options.Prefix+"-") || !strings.Contains(lines[0], "dynamodb:BatchGetItem") || !strings.Contains(lines[0], why) {
				t.Errorf("%s, %s: the line names no resource, no right or no reason: %s", f.Name, kind, lines[0])
			}
			if seen.Most != 1 || seen.Requests > 6 {
				t.Errorf("%s, %s: %d requests, %d of one call", f.Name, kind, seen.Requests, seen.Most)
			}
		}
	}
}

// Secrets Manager's refusals are said beside whatever else is wrong.
func TestSecretsThatCannotBeReadAreNamedAllAtOnce(t *testing.T) {
	s := openShop(t)
	s.ground.Allow("ingest", []awslocal.Statement{{Actions: []string{"*"}, Resources: []string{"*"}}}) // it asks for another shop's
	for name, c := range map[string]struct {
		refuse string
		env    string
		want   []string
	}{
		"denied": {"denied", "HANDSCHLAG_POLICY_KEY=no key", []string{
			"HANDSCHLAG_WRITE_KEY: secretsmanager:GetSecretValue on secret " + s.options.Prefix + "/write-key", "/server-key", "/identity-secret", "lacks this right", "HANDSCHLAG_POLICY_KEY",
		}},
		"nobody put one": {"", "HANDSCHLAG_SECRETS=another-shop", []string{"HANDSCHLAG_WRITE_KEY is missing: nobody has put a value into secret another-shop/write-key", "another-shop/server-key"}},
	} {
		s.ground.Refuse("ingest", c.refuse)
		s.said = &said{}
		err := s.run("ingest", c.env).Ready(t.Context())
		s.ground.Refuse("ingest", "")
		if err == nil || len(s.said.lines()) != 1 {
			t.Fatalf("%s: %v: %s", name, err, s.said)
		}
		for _, want := range c.want {
			if !strings.Contains(s.said.String(), want) {
				t.Errorf("%s: want %q said, got %s", name, want, s.said)
			}
		}
	}
}

// A warm function that loses its rights acknowledges nothing, and says which.
func TestAWarmFunctionThatIsRefusedAcknowledgesNothing(t *testing.T) {
	s := openShop(t)
	device, write := s.device(2), basic(writeKey)
	s.want(201, "POST", "/v1/consent", write, consents(device, true, "analytics"))
	s.want(200, "POST", "/v1/batch", write, views(device, "m1"))
	for kind, why := range map[string]string{"denied": "lacks this right", "absent": "does not exist", "expired": "sign in again", "skewed": "clock is off"} {
		for _, c := range []struct {
			function, path string
			as             string
			body           any
		}{
			{"ingest", "/v1/batch", write, views(device, "refused-"+kind)},
			{"consent", "/v1/consent", write, consents(device, false, "analytics")},
			{"escalate", "/v1/escalate", write, map[string]any{"anonymousId": device, "asked": true}},
			{"variant", "/v1/variant", write, map[string]any{"anonymousId": device, "slot": "home_hero"}},
			{"price", "/v1/price", basic(serverKey), `{"product_id":"B12","storefront":"de","channel":"web","currency":"EUR","customer":"consumer","list_cents":1,"offer_cents":1,"vat_bp":0,"basis":"static"}`},
			{"rights", "/v1/rights", basic(serverKey), map[string]any{"anonymousId": device, "request": "restriction"}},
			{"staff", "/v1/decisions/search", s.staff("dora", "dpo"), `{}`},
		} {
			s.ground.Refuse(c.function, kind)
			s.ground.Forget(c.function)
			before := len(s.said.lines())
			a := s.call("POST", c.path, c.as, c.body)
			seen := s.ground.Seen(c.function)
			s.ground.Refuse(c.function, "")
			told := s.said.since(before, why)
			if a.status != 503 || !strings.Contains(a.body, `"contact"`) {
				t.Errorf("%s, %s: want 503 with a contact, got %d %s", c.function, kind, a.status, a.body)
			}
			if !strings.Contains(told, s.options.Prefix+"-") || !strings.Contains(told, why) || strings.Contains(told, device) {
				t.Errorf("%s, %s: the log says %s", c.function, kind, told)
			}
			if seen.Most != 1 || seen.Requests > 10 {
				t.Errorf("%s, %s: %d requests, %d of one call", c.function, kind, seen.Requests, seen.Most)
			}
		}
		if a := s.want(200, "POST", "/v1/batch", write, views(device, "refused-"+kind)); a.json["admitted"] != 1.0 {
			t.Errorf("%s: what was refused is taken for a duplicate, or consent was lost: %s", kind, a.body)
		}
	}
}
