package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

// Roles are the staff roles of design.md.
var Roles = []string{"adviser", "dpo", "marketing", "ops"}

// errUnknownStaff says that a token is nobody's; any other error of a Staff
// means that we could not find out.
var errUnknownStaff = errors.New("unknown staff token")

// Staff says whom a Bearer token belongs to, with every role the person has.
type Staff func(ctx context.Context, token string) (name string, roles []string, err error)

// StaticStaff reads HANDSCHLAG_STAFF_TOKENS: role:token, or role/name:token,
// separated by commas. Two tokens of one role without names are two people.
// It is for loopback only; the caller sees to that.
func StaticStaff(spec string) (Staff, error) {
	type person struct {
		key        secret
		name, role string
	}
	var people []person
	for i, part := range strings.Split(spec, ",") {
		who, token, ok := strings.Cut(strings.TrimSpace(part), ":")
		role, name, named := strings.Cut(who, "/")
		if !ok || token == "" || !slices.Contains(Roles, role) {
			return nil, fmt.Errorf("reading staff tokens: entry %d: want role:token with role one of %s", i+1, strings.Join(Roles, ", "))
		}
		if !named {
			name = role
			if n := len(people); n > 0 && slices.ContainsFunc(people, func(p person) bool { return p.name == name }) {
				name = fmt.Sprintf("%s-%d", role, i+1)
			}
		}
		people = append(people, person{newSecret(token), name, role})
	}
	return func(_ context.Context, token string) (string, []string, error) {
		name, roles := "", []string(nil)
		for _, p := range people { // all of them, so that time tells nothing
			if p.key.is(token) {
				name, roles = p.name, append(roles, p.role)
			}
		}
		if roles == nil {
			return "", nil, errUnknownStaff
		}
		return name, roles, nil
	}, nil
}

// OIDC names an identity provider of the staff.
type OIDC struct {
	Issuer   string
	Audience string
	Claim    string // that holds the role or roles; default "role"
}

// Staff verifies the provider's JWTs. The provider is asked for its keys at the
// first use, and again after a failure: a provider that is down stops the staff
// routes with 503, not the shop.
func (o OIDC) Staff(now func() time.Time) Staff {
	var mu sync.Mutex
	var v *oidc.IDTokenVerifier
	verifier := func() (*oidc.IDTokenVerifier, error) {
		mu.Lock()
		defer mu.Unlock()
		if v != nil {
			return v, nil
		}
		// The provider keeps its context for every later fetch of keys: not that of a request.
		p, err := oidc.NewProvider(oidc.ClientContext(context.Background(), &http.Client{Timeout: 5 * time.Second}), o.Issuer)
		if err != nil {
			return nil, fmt.Errorf("asking identity provider: %w", err)
		}
		v = p.Verifier(&oidc.Config{ClientID: o.Audience, Now: now})
		return v, nil
	}
	return func(ctx context.Context, token string) (string, []string, error) {
		v, err := verifier()
		if err != nil {
			return "", nil, err
		}
		t, err := v.Verify(ctx, token)
		if err != nil {
			return "", nil, unverified(err)
		}
		return o.person(t)
	}
}

// unverified tells a bad token from keys that could not be fetched. The library
// keeps the cause as text only, and nothing of the token is in its beginning.
func unverified(err error) error {
	if strings.HasPrefix(err.Error(), "failed to verify signature: fetching keys") {
		return fmt.Errorf("asking identity provider: %w", err)
	}
	return errUnknownStaff
}

// person reads subject and role claim: a string or a list of strings.
func (o OIDC) person(t *oidc.IDToken) (string, []string, error) {
	var claims map[string]any
	if err := t.Claims(&claims); err != nil || t.Subject == "" {
		return "", nil, errUnknownStaff
	}
	claim := o.Claim
	if claim == "" {
		claim = "role"
	}
	var roles []string
	switch v := claims[claim].(type) {
	case string:
		roles = append(roles, v)
	case []any:
		for _, x := range v {
			if s, ok := x.(string); ok {
				roles = append(roles, s)
			}
		}
	}
	roles = slices.DeleteFunc(roles, func(r string) bool { return !slices.Contains(Roles, r) })
	return t.Subject, roles, nil
}
