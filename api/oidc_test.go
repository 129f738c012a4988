package api

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// provider is an identity provider with one RSA key.
func provider(t *testing.T) (issuer string, key *rsa.PrivateKey) {
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

func TestStaffOfAnIdentityProvider(t *testing.T) {
	issuer, key := provider(t)
	staff := OIDC{Issuer: issuer, Audience: "handschlag"}.Staff(func() time.Time { return noon })
	sign := func(method jwt.SigningMethod, k any, change func(jwt.MapClaims)) string {
		c := jwt.MapClaims{"iss": issuer, "aud": "handschlag", "sub": "eve", "role": "dpo", "iat": noon.Unix(), "exp": noon.Add(time.Hour).Unix()}
		change(c)
		tok := jwt.NewWithClaims(method, c)
		tok.Header["kid"] = "one"
		s, err := tok.SignedString(k)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	as := func(change func(jwt.MapClaims)) string { return sign(jwt.SigningMethodRS256, key, change) }
	for name, c := range map[string]struct {
		token string
		roles []string // nil: unknown
	}{
		"dpo":             {as(func(jwt.MapClaims) {}), []string{"dpo"}},
		"several roles":   {as(func(c jwt.MapClaims) { c["role"] = []string{"adviser", "king", "ops"} }), []string{"adviser", "ops"}},
		"no known role":   {as(func(c jwt.MapClaims) { c["role"] = "king" }), []string{}},
		"expired":         {as(func(c jwt.MapClaims) { c["exp"] = noon.Add(-time.Minute).Unix() }), nil},
		"wrong audience":  {as(func(c jwt.MapClaims) { c["aud"] = "another shop" }), nil},
		"wrong issuer":    {as(func(c jwt.MapClaims) { c["iss"] = "https://evil.example" }), nil},
		"alg none":        {sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, func(jwt.MapClaims) {}), nil},
		"HS256 confusion": {sign(jwt.SigningMethodHS256, key.N.Bytes(), func(jwt.MapClaims) {}), nil},
		"not a token":     {"x", nil},
	} {
		who, roles, err := staff(t.Context(), c.token)
		switch {
		case c.roles == nil && !errors.Is(err, errUnknownStaff):
			t.Errorf("%s: want unknown, got %s %v %v", name, who, roles, err)
		case c.roles != nil && (err != nil || who != "eve" || !slices.Equal(roles, c.roles)):
			t.Errorf("%s: want eve %v, got %s %v %v", name, c.roles, who, roles, err)
		}
	}
}

func TestKeysThatCannotBeFetchedAreNoVerdictOnAToken(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux() // knows itself, but not its keys
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": s.URL, "jwks_uri": s.URL + "/keys", "authorization_endpoint": s.URL, "token_endpoint": s.URL})
	})
	staff := OIDC{Issuer: s.URL, Audience: "handschlag"}.Staff(func() time.Time { return noon })
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{"iss": s.URL, "aud": "handschlag", "sub": "eve", "role": "dpo", "exp": noon.Add(time.Hour).Unix()}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	traced := 0
	first := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GetConn: func(string) { traced++ }})
	for range 2 {
		if _, _, err := staff(first, token); err == nil || errors.Is(err, errUnknownStaff) {
			t.Errorf("want that we could not find out, got %v", err)
		}
	}
	if traced > 0 {
		t.Error("a request's context went into the provider")
	}
	d := openDoor(t, func(o *Options) { o.Staff = staff })
	g := d.do(call{method: "GET", path: "/v1/queue", header: map[string]string{"Authorization": "Bearer " + token}})
	want(t, "queue", g, 503, "unavailable")
}

func TestAProviderThatIsDownStopsStaffNotTheShop(t *testing.T) {
	down := OIDC{Issuer: "http://127.0.0.1:1", Audience: "handschlag"}
	d := openDoor(t, func(o *Options) { o.Staff = down.Staff(o.Now) })
	want(t, "queue", d.do(call{method: "GET", path: "/v1/queue", as: "adviser"}), 503, "unavailable")
	if g := d.do(call{method: "POST", path: "/v1/batch", as: "write", body: `{"batch":[]}`}); g.status != 200 {
		t.Errorf("the shop goes on: got %d", g.status)
	}
}
