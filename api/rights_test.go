package api

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/handschlag/handschlag/consent"
)

// table is design.md's: who may call what. It is written out here once more, so
// that a right given by mistake in the code is found.
var table = []struct {
	method, path string
	body         any
	may          []string
}{
	{"POST", "/v1/batch", map[string]any{"batch": []any{}}, []string{"write", "server"}},
	{"POST", "/v1/b", map[string]any{"batch": []any{}}, []string{"write", "server"}},
	{"POST", "/v1/track", message("track"), []string{"write", "server"}},
	{"POST", "/v1/t", message("track"), []string{"write", "server"}},
	{"POST", "/v1/page", message("page"), []string{"write", "server"}},
	{"POST", "/v1/p", message("page"), []string{"write", "server"}},
	{"POST", "/v1/screen", message("screen"), []string{"write", "server"}},
	{"POST", "/v1/s", message("screen"), []string{"write", "server"}},
	{"POST", "/v1/identify", message("identify"), []string{"write", "server"}},
	{"POST", "/v1/i", message("identify"), []string{"write", "server"}},
	{"POST", "/v1/group", message("group"), []string{"write", "server"}},
	{"POST", "/v1/g", message("group"), []string{"write", "server"}},
	{"POST", "/v1/alias", message("alias"), []string{"write", "server"}},
	{"POST", "/v1/a", message("alias"), []string{"write", "server"}},
	{"POST", "/v1/consent", yes("analytics"), []string{"write", "server", "identity"}},
	{"POST", "/v1/consent/state", map[string]any{"anonymousId": device}, []string{"write", "server", "identity"}},
	{"GET", "/v1/consent/" + nobody + "/proof", nil, []string{"write", "server"}},
	{"POST", "/v1/escalate", map[string]any{"anonymousId": device}, []string{"write", "server", "identity"}},
	{"POST", "/v1/handover", map[string]any{"token": "x", "channel": "chat"}, []string{"write", "server", "identity"}},
	{"POST", "/v1/variant", map[string]any{"anonymousId": device, "slot": "home_hero"}, []string{"write", "server", "identity"}},
	{"POST", "/v1/price", quote(), []string{"server"}},
	{"PUT", "/v1/products", map[string]any{"products": []any{}}, []string{"server"}},
	{"PUT", "/v1/prices", map[string]any{"prices": []any{}}, []string{"server"}},
	{"POST", "/v1/rights", map[string]any{"userId": "ada", "request": "objection", "scope": "direct_marketing"}, []string{"server", "identity", "dpo"}},
	{"GET", "/v1/rights/" + nobody, nil, []string{"server", "dpo"}},
	{"GET", "/v1/queue", nil, []string{"adviser"}},
	{"POST", "/v1/queue/" + nobody + "/accept", nil, []string{"adviser"}},
	{"PUT", "/v1/advisers/me", map[string]any{"available": true, "channels": []string{"chat"}, "capacity": 1}, []string{"adviser"}},
	{"GET", "/v1/cards/" + nobody, nil, []string{"adviser"}},
	{"POST", "/v1/cards/" + nobody + "/outcome", map[string]any{"outcome": "helped"}, []string{"adviser"}},
	{"POST", "/v1/cards/" + nobody + "/recording", map[string]any{"agree": true}, []string{"adviser"}},
	{"POST", "/v1/cards/" + nobody + "/call", map[string]any{"number": "030 123456", "topic": "order 4711"}, []string{"adviser"}},
	{"GET", "/v1/decisions/" + nobody, nil, []string{"dpo", "ops"}},
	{"POST", "/v1/decisions/search", map[string]any{}, []string{"dpo", "ops"}},
	{"GET", "/v1/stats", nil, []string{"marketing", "dpo", "ops"}},
	{"GET", "/v1/exports", nil, []string{"marketing"}},
	{"GET", "/v1/exports/2026-11-20/manifest.json", nil, []string{"marketing"}},
	{"POST", "/v1/exports/ack", map[string]any{"date": "2026-11-20", "channel": "email"}, []string{"marketing"}},
	{"PUT", "/v1/switches/offers", map[string]any{"on": true, "reason": "test"}, []string{"dpo", "ops"}},
	{"GET", "/metrics", nil, []string{"ops"}},
}

var open5 = []string{"/healthz", "/readyz", "/openapi.json", "/.well-known/gpc.json"}

const nobody = "019a0000-0000-7000-8000-000000000000"

func message(kind string) map[string]any {
	e := map[string]any{"anonymousId": device, "messageId": "m-" + kind}
	if kind == "track" {
		e["event"] = "Product Viewed"
	}
	return e
}

func yes(purposes ...string) map[string]any {
	given := map[string]any{}
	for _, p := range purposes {
		given[p] = true
	}
	return map[string]any{
		"anonymousId": device, "purposes": given, "purposes_shown": purposes, "method": "save",
		"notice": map[string]any{"version": "1", "language": "de"}, "ui": map[string]any{"version": "banner-1"},
	}
}

func quote() map[string]any {
	return map[string]any{
		"product_id": "B12", "storefront": "de", "channel": "web", "currency": "EUR", "customer": "consumer", "list_cents": 10000,
		"offer_cents": 10000, "vat_bp": 1900, "basis": "static", "inputs": []string{}, "consent_record_id": nil,
	}
}

func TestEveryRouteIsForItsCredentialsAlone(t *testing.T) {
	d := openDoor(t)
	known := []string{"write", "server", "identity", "adviser", "dpo", "marketing", "ops"}
	for _, row := range table {
		for _, as := range append([]string{"", "wrong key", "wrong token"}, known...) {
			if as == "identity" && row.body == nil {
				continue // it travels in a body
			}
			g := d.do(call{method: row.method, path: row.path, as: as, body: row.body})
			name := row.method + " " + row.path + " as " + as
			switch {
			case slices.Contains(row.may, as):
				if g.status == 401 || g.status == 403 || g.status >= 500 {
					t.Errorf("%s: want in, got %d %s", name, g.status, g.raw)
				}
			case as == "" || strings.HasPrefix(as, "wrong"), as == "identity" && len(row.may) > 0 && isStaff(row.may[0]), as == "identity" && (row.path == "/metrics" || row.method == "PUT" && row.may[0] == "server"): // bodies that are not read
				want(t, name, g, 401, "")
			default:
				want(t, name, g, 403, "")
			}
		}
	}
}

func isStaff(role string) bool { return slices.Contains(Roles, role) }

func want(t *testing.T, name string, g got, status int, code string) {
	t.Helper()
	if g.status != status || code != "" && g.code() != code {
		t.Errorf("%s: want %d %s, got %d %s", name, status, code, g.status, g.raw)
	}
	if g.status >= 400 {
		contact, _ := g.json["contact"].(map[string]any)
		if contact["phone"] == "" || contact == nil || g.json["speaker"] != "machine" || g.detail() == "" {
			t.Errorf("%s: want the envelope of every error, got %s", name, g.raw)
		}
	}
}

func TestOpenRoutesAskNobody(t *testing.T) {
	d := openDoor(t)
	for _, path := range open5 {
		if g := d.do(call{method: "GET", path: path}); g.status != 200 {
			t.Errorf("%s: want 200, got %d %s", path, g.status, g.raw)
		}
	}
}

func TestTheTableNamesEveryRoute(t *testing.T) {
	for _, rt := range routes(nil) {
		for _, path := range append([]string{rt.path}, rt.also...) {
			literal := inBraces.ReplaceAllString(path, "")
			prefix, _, _ := strings.Cut(path, "{")
			listed := slices.Contains(open5, path)
			for _, row := range table {
				listed = listed || row.method == rt.method && (row.path == path || literal != path && strings.HasPrefix(row.path, prefix))
			}
			if !listed {
				t.Errorf("%s %s is in no line of the table", rt.method, path)
			}
		}
	}
}

func TestAWriteKeyActsOnDevicesOnly(t *testing.T) {
	d := openDoor(t)
	for path, body := range map[string]map[string]any{
		"/v1/consent":       yes("analytics"),
		"/v1/consent/state": {},
		"/v1/escalate":      {},
		"/v1/variant":       {"slot": "home_hero"},
	} {
		body["userId"] = "ada"
		g := d.do(call{method: "POST", path: path, as: "write", body: body})
		want(t, path+" for an account with the write key", g, 403, "")
		if !strings.Contains(g.detail(), "userId") {
			t.Errorf("%s: want the field named, got %q", path, g.detail())
		}
		body["identity"] = d.identity("bob")
		want(t, path+" with another's identity", d.do(call{method: "POST", path: path, as: "write", body: body}), 403, "")
		body["identity"] = d.identity("ada")
		if g := d.do(call{method: "POST", path: path, as: "write", body: body}); g.status >= 300 {
			t.Errorf("%s with the account's identity: want in, got %d %s", path, g.status, g.raw)
		}
	}
}

func TestAKeyMayTravelInTheBody(t *testing.T) {
	d := openDoor(t)
	in := func(key string, body map[string]any) map[string]any { body["writeKey"] = key; return body }
	for name, c := range map[string]struct {
		path   string
		body   map[string]any
		status int
	}{
		"batch":          {"/v1/batch", in(writeKey, map[string]any{"batch": []any{}}), 200},
		"track":          {"/v1/track", in(writeKey, message("track")), 200},
		"consent":        {"/v1/consent", in(writeKey, yes("analytics")), 201},
		"unknown":        {"/v1/batch", in("nobody's", map[string]any{"batch": []any{}}), 401},
		"no right to it": {"/v1/price", in(writeKey, quote()), 403},
		"the server's":   {"/v1/price", in(serverKey, quote()), 200},
	} {
		if g := d.do(call{method: "POST", path: c.path, body: c.body}); g.status != c.status {
			t.Errorf("%s: want %d, got %d %s", name, c.status, g.status, g.raw)
		}
	}
}

func TestIdentityTokens(t *testing.T) {
	d := openDoor(t)
	at := func(d time.Duration) int64 { return noon.Add(d).Unix() }
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"sub": "ada", "iat": at(0), "exp": at(time.Minute)}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	good := d.identity("ada")
	for name, c := range map[string]struct {
		token  string
		status int
	}{
		"good":                   {good, 200},
		"another secret":         {sign(t, "another secret", jwt.MapClaims{"sub": "ada", "iat": at(0), "exp": at(time.Minute)}), 401},
		"expired":                {sign(t, identityKey, jwt.MapClaims{"sub": "ada", "iat": at(-10 * time.Minute), "exp": at(-time.Second)}), 401},
		"expires never":          {sign(t, identityKey, jwt.MapClaims{"sub": "ada", "iat": at(0)}), 401},
		"no iat":                 {sign(t, identityKey, jwt.MapClaims{"sub": "ada", "exp": at(time.Minute)}), 401},
		"lives 15 minutes":       {sign(t, identityKey, jwt.MapClaims{"sub": "ada", "iat": at(0), "exp": at(15 * time.Minute)}), 200},
		"lives a second longer":  {sign(t, identityKey, jwt.MapClaims{"sub": "ada", "iat": at(0), "exp": at(15*time.Minute + time.Second)}), 401},
		"issued in the future":   {sign(t, identityKey, jwt.MapClaims{"sub": "ada", "iat": at(2 * time.Minute), "exp": at(5 * time.Minute)}), 401},
		"nobody":                 {sign(t, identityKey, jwt.MapClaims{"iat": at(0), "exp": at(time.Minute)}), 401},
		"a name with a NUL":      {sign(t, identityKey, jwt.MapClaims{"sub": "a\x00da", "iat": at(0), "exp": at(time.Minute)}), 401},
		"alg none":               {none, 401},
		"signature cut off":      {good[:strings.LastIndex(good, ".")+1], 401},
		"not a token":            {"garbage", 401},
		"the server key instead": {serverKey, 401},
	} {
		g := d.do(call{method: "POST", path: "/v1/consent/state", as: "write", body: map[string]any{"identity": c.token}})
		if g.status != c.status {
			t.Errorf("%s: want %d, got %d %s", name, c.status, g.status, g.raw)
		}
		if strings.Contains(string(g.raw), c.token) {
			t.Errorf("%s: the token is in the answer", name)
		}
	}
}

func TestEachAlgorithmHasItsOwnKey(t *testing.T) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claims := jwt.MapClaims{"sub": "ada", "iat": noon.Unix(), "exp": noon.Add(time.Minute).Unix()}
	signed, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims).SignedString(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePublicKey(base64.StdEncoding.EncodeToString(public))
	if err != nil {
		t.Fatal(err)
	}
	id := &Identity{Public: key}
	ada, _ := consent.NewID(consent.Account, "ada")
	if got, err := id.Account(signed, noon); err != nil || got != ada {
		t.Errorf("an EdDSA token of the shop's: want ada, got %v", err)
	}
	if _, err := id.Account(sign(t, string(public), claims), noon); err == nil {
		t.Error("the public key was taken for an HS256 secret")
	}
	if _, err := (&Identity{Secret: []byte(identityKey)}).Account(signed, noon); err == nil {
		t.Error("an EdDSA token was taken where only a secret is configured")
	}
	var nobody *Identity
	if _, err := nobody.Account(signed, noon); err == nil {
		t.Error("a token was taken where nothing is configured")
	}
}

func TestStaffTokens(t *testing.T) {
	for _, bad := range []string{"", "dpo", "dpo:", "king:token", "dpo:a,,ops:b"} {
		if _, err := StaticStaff(bad); err == nil {
			t.Errorf("%q: want an error", bad)
		}
	}
	staff, err := StaticStaff("adviser:one, adviser:two,dpo/eve:three,ops/eve:three")
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{"one": "adviser adviser", "two": "adviser-2 adviser", "three": "eve dpo,ops"} {
		name, roles, err := staff(t.Context(), token)
		if got := name + " " + strings.Join(roles, ","); err != nil || got != want {
			t.Errorf("%s: want %q, got %q %v", token, want, got, err)
		}
	}
}

func TestNoStaffWithoutTokens(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Staff = nil })
	want(t, "queue", d.do(call{method: "GET", path: "/v1/queue", as: "adviser"}), http.StatusUnauthorized, "credential_unknown")
}

func TestAProofCanBeAskedForWithAnIdentity(t *testing.T) {
	d := openDoor(t)
	body := yes("marketing_email")
	delete(body, "anonymousId")
	body["identity"] = d.identity("ada")
	g := d.do(call{method: "POST", path: "/v1/consent", body: body})
	if g.status != 201 {
		t.Fatalf("consent by identity alone: %d %s", g.status, g.raw)
	}
	path := "/v1/consent/" + g.json["record_id"].(string) + "/proof"
	for who, c := range map[string]struct {
		token string
		ok    bool
	}{"ada": {d.identity("ada"), true}, "nobody": {"garbage", false}} {
		g := d.do(call{method: "GET", path: path, header: map[string]string{"Authorization": "Bearer " + c.token}})
		if in := g.status == 200 || g.status == 202; in != c.ok {
			t.Errorf("%s: got %d %s", who, g.status, g.raw)
		}
	}
	want(t, "no credential", d.do(call{method: "GET", path: path}), 401, "credential_missing")
}
