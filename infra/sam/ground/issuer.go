package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// day is how long a token is good for: a working day in front of the screen.
const day = 12 * time.Hour

// issue serves an OpenID Connect issuer with a key of this start, and signs a
// token for each role.
func issue(host string) (issuer string, staff map[string]string, err error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", nil, err
	}
	at, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", nil, err
	}
	issuer = "http://" + at.Addr().String()
	go func() { _ = (&http.Server{Handler: discovery(issuer, key), ReadHeaderTimeout: time.Second}).Serve(at) }()
	staff = map[string]string{}
	for _, role := range []string{"adviser", "dpo", "marketing", "ops"} {
		if staff[role], err = sign(issuer, role, key); err != nil {
			return "", nil, err
		}
	}
	return issuer, staff, nil
}

func sign(issuer, role string, key *rsa.PrivateKey) (string, error) {
	now := time.Now()
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": issuer, "aud": "handschlag", "sub": "sam-" + role, "role": role, "iat": now.Unix(), "exp": now.Add(day).Unix(),
	})
	t.Header["kid"] = "sam"
	return t.SignedString(key)
}

// discovery is as much of an issuer as who verifies its tokens asks for.
func discovery(issuer string, key *rsa.PrivateKey) http.Handler {
	mux := http.NewServeMux()
	serve := func(path string, what any) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(what)
		})
	}
	serve("/.well-known/openid-configuration", map[string]string{
		"issuer": issuer, "jwks_uri": issuer + "/keys", "authorization_endpoint": issuer, "token_endpoint": issuer,
	})
	serve("/keys", map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "sam", "n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
	}}})
	return mux
}
