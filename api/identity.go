package api

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/handschlag/handschlag/consent"
)

// IdentityFor is how long an identity token may live, from iat to exp.
const IdentityFor = 15 * time.Minute

// identitySkew is how far the shop's clock may be ahead of ours.
const identitySkew = time.Minute

// Identity verifies the tokens with which a shop's backend lets a browser act
// for an account. The zero Identity, like nil, accepts none.
type Identity struct {
	Secret []byte            // HS256, if any
	Public ed25519.PublicKey // EdDSA, if any
}

// IdentityFrom makes the verifier of a secret and a public key (ParsePublicKey),
// either of which may be ""; nil if both are.
func IdentityFrom(secret, publicKey string) (*Identity, error) {
	if secret == "" && publicKey == "" {
		return nil, nil
	}
	id := &Identity{Secret: []byte(secret)}
	if publicKey == "" {
		return id, nil
	}
	var err error
	id.Public, err = ParsePublicKey(publicKey)
	return id, err
}

// Guessable says which of the secrets that are set are too short to stand before
// strangers: 32 bytes for HS256 (RFC 7518), 16 for the server key.
func Guessable(identitySecret, serverKey string) (wrong []string) {
	if n := len(identitySecret); n > 0 && n < 32 {
		wrong = append(wrong, "HANDSCHLAG_IDENTITY_SECRET is shorter than 32 bytes: it can be guessed")
	}
	if n := len(serverKey); n > 0 && n < 16 {
		wrong = append(wrong, "HANDSCHLAG_SERVER_KEY is shorter than 16 bytes: it can be guessed")
	}
	return wrong
}

// ParsePublicKey reads an Ed25519 public key: PEM, or 32 bytes in base64.
func ParsePublicKey(s string) (ed25519.PublicKey, error) {
	if block, _ := pem.Decode([]byte(s)); block != nil {
		k, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("reading identity public key: %w", err)
		}
		if p, ok := k.(ed25519.PublicKey); ok {
			return p, nil
		}
		return nil, errors.New("reading identity public key: want Ed25519")
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != ed25519.PublicKeySize {
		return nil, errors.New("reading identity public key: want PEM, or 32 bytes in base64")
	}
	return ed25519.PublicKey(b), nil
}

// Account gives the account that a token speaks for. Its errors are for the
// caller to judge, not to print: they may hold parts of the token.
func (i *Identity) Account(token string, now time.Time) (consent.ID, error) {
	if i == nil || len(i.Secret) == 0 && len(i.Public) == 0 {
		return consent.ID{}, errors.New("verifying identity: no secret or key is configured")
	}
	var claims jwt.RegisteredClaims
	_, err := jwt.ParseWithClaims(token, &claims, i.key, jwt.WithValidMethods([]string{"HS256", "EdDSA"}),
		jwt.WithExpirationRequired(), jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return consent.ID{}, fmt.Errorf("verifying identity: %w", err)
	}
	if err := lifetime(claims, now); err != nil {
		return consent.ID{}, err
	}
	return consent.NewID(consent.Account, claims.Subject)
}

// key gives each algorithm its own key, so that neither stands in for the other.
func (i *Identity) key(t *jwt.Token) (any, error) {
	switch t.Method {
	case jwt.SigningMethodHS256:
		if len(i.Secret) > 0 {
			return i.Secret, nil
		}
	case jwt.SigningMethodEdDSA:
		if len(i.Public) > 0 {
			return i.Public, nil
		}
	}
	return nil, errors.New("no key for this algorithm")
}

func lifetime(c jwt.RegisteredClaims, now time.Time) error {
	if c.IssuedAt == nil {
		return errors.New("verifying identity: iat is missing")
	}
	if c.IssuedAt.After(now.Add(identitySkew)) {
		return errors.New("verifying identity: issued in the future")
	}
	if c.ExpiresAt.Sub(c.IssuedAt.Time) > IdentityFor {
		return fmt.Errorf("verifying identity: lives longer than %s", IdentityFor)
	}
	return nil
}
