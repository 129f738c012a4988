package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/handschlag/handschlag/api"
)

// now is where the time comes from.
type now interface {
	// Now is the current time, UTC, never before one it gave earlier.
	Now() time.Time
	// Check says why the time cannot be known; then nothing may be decided.
	Check() error
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now().UTC() }
func (wallClock) Check() error   { return nil }

// clockFromEnv gives the wall clock, or that of HANDSCHLAG_CLOCK=@FILE.
func clockFromEnv() (now, error) {
	v := os.Getenv("HANDSCHLAG_CLOCK")
	if v == "" {
		return wallClock{}, nil
	}
	path, ok := strings.CutPrefix(v, "@")
	if !ok || path == "" {
		return nil, errors.New("HANDSCHLAG_CLOCK: want @FILE, a file with one RFC 3339 line")
	}
	return newFileClock(path)
}

// onLoopback reports whether an address can be reached from this machine only.
func onLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// loopbackOnly names the settings that must not meet an open address: a clock and
// tokens for tests, and secrets that can be guessed.
func loopbackOnly(listen string) error {
	if _, _, err := net.SplitHostPort(listen); err != nil {
		return fmt.Errorf("--listen: want HOST:PORT, got %q", listen)
	}
	if onLoopback(listen) {
		return nil
	}
	for _, name := range []string{"HANDSCHLAG_CLOCK", "HANDSCHLAG_STAFF_TOKENS"} {
		if os.Getenv(name) != "" {
			return fmt.Errorf("%s is for loopback only, not for --listen %s", name, listen)
		}
	}
	if wrong := api.Guessable(os.Getenv("HANDSCHLAG_IDENTITY_SECRET"), os.Getenv("HANDSCHLAG_SERVER_KEY")); len(wrong) > 0 {
		return fmt.Errorf("--listen %s: %s", listen, strings.Join(wrong, "; "))
	}
	return nil
}

// identityFromEnv reads what verifies identity tokens; nil if nothing does.
func identityFromEnv() (*api.Identity, error) {
	id, err := api.IdentityFrom(os.Getenv("HANDSCHLAG_IDENTITY_SECRET"), os.Getenv("HANDSCHLAG_IDENTITY_PUBLIC_KEY"))
	if err != nil {
		return nil, fmt.Errorf("HANDSCHLAG_IDENTITY_PUBLIC_KEY: %w", err)
	}
	return id, nil
}

// staffFromEnv reads who is staff: an identity provider, or static tokens; nil
// if nobody is.
func staffFromEnv(clock now) (api.Staff, error) {
	issuer, tokens := os.Getenv("HANDSCHLAG_OIDC_ISSUER"), os.Getenv("HANDSCHLAG_STAFF_TOKENS")
	switch {
	case issuer != "" && tokens != "":
		return nil, errors.New("HANDSCHLAG_OIDC_ISSUER and HANDSCHLAG_STAFF_TOKENS are both set: choose one")
	case issuer != "" && os.Getenv("HANDSCHLAG_OIDC_AUDIENCE") == "":
		return nil, errors.New("HANDSCHLAG_OIDC_AUDIENCE is missing")
	case issuer != "":
		o := api.OIDC{Issuer: issuer, Audience: os.Getenv("HANDSCHLAG_OIDC_AUDIENCE"), Claim: os.Getenv("HANDSCHLAG_OIDC_ROLE_CLAIM")}
		return o.Staff(clock.Now), nil
	case tokens != "":
		staff, err := api.StaticStaff(tokens)
		if err != nil {
			return nil, fmt.Errorf("HANDSCHLAG_STAFF_TOKENS: %w", err)
		}
		return staff, nil
	}
	return nil, nil
}
