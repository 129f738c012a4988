package flow

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/handschlag/handschlag/consent"
)

// token is what a hand-over token carries from the offer to the click. It is
// sealed (AES-256-GCM): nobody else can make, change or read one, so that no
// pseudonym reaches the browser.
type token struct {
	Decision string          `json:"d"`
	Subject  consent.Subject `json:"s"`
	Account  consent.Subject `json:"a"`
	Channels []string        `json:"c"`
	Asked    bool            `json:"q,omitempty"`
	Page     PageRef         `json:"p,omitzero"`
	Priority int             `json:"v,omitempty"`
	Offered  time.Time       `json:"o"`
	Expires  time.Time       `json:"e"`
}

var tokenText = base64.RawURLEncoding.Strict()

// seal writes a token.
func (r *keyring) seal(t token) (string, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("writing token: %w", err)
	}
	return tokenText.EncodeToString(r.tokens.Seal(nil, nil, b, nil)), nil
}

// open reads a token; false if it is not one of ours.
func (r *keyring) open(s string) (t token, ok bool) {
	if len(s) > 4096 {
		return t, false
	}
	b, err := tokenText.DecodeString(s)
	if err != nil {
		return t, false
	}
	if b, err = r.tokens.Open(nil, nil, b, nil); err != nil {
		return t, false
	}
	err = json.Unmarshal(b, &t) // not in the return: t must be read after it
	return t, err == nil
}

// contact derives, from the decision behind a token, the key that makes the
// hand-over happen once, and the contact's id: the same for every click.
func (r *keyring) contact(t token) (key, id string) {
	sum := r.sum("contact/key", []byte(t.Decision))
	return fmt.Sprintf("%x", sum[:16]), r.derived("contact/id", t.Decision, t.Offered)
}

// signed marks a host's cursor as ours, so that a made-up one is the caller's
// fault and not the store's.
func (r *keyring) signed(cursor string) string {
	if cursor == "" {
		return ""
	}
	sum := r.sum("cursor", []byte(cursor))
	return fmt.Sprintf("%s.%x", cursor, sum[:8])
}

// ours reads what signed gave.
func (r *keyring) ours(signed string) (cursor string, ok bool) {
	if i := strings.LastIndexByte(signed, '.'); i > 0 {
		cursor = signed[:i]
	}
	return cursor, r.signed(cursor) == signed
}

// derived is a UUIDv7 that follows from another id: for what must be written
// once however often it is tried.
func (r *keyring) derived(domain, of string, at time.Time) string {
	sum := r.sum(domain, []byte(of))
	var b uuid.UUID
	copy(b[:], sum[:])
	return stamped(b, at)
}
