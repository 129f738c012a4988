package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// rights say which credentials a route is for.
type rights struct {
	open     bool // nobody is asked
	write    bool
	server   bool
	identity bool
	roles    []string
}

// who is what a credential proves.
type who struct {
	known    bool
	write    bool
	server   bool
	identity bool
	account  consent.ID
	name     string
	roles    []string
}

// credential is what a body may carry: Segment's convention, and the token of the
// shop's backend.
type credential struct {
	WriteKey string `json:"writeKey"`
	Identity string `json:"identity"`
}

// fromHeader reads the Authorization header. No header is nobody, which is no
// error yet: the body may say more.
func (a *api) fromHeader(r *http.Request) (who, error) {
	head := r.Header.Get("Authorization")
	if head == "" {
		return who{}, nil
	}
	if user, _, ok := r.BasicAuth(); ok {
		if user == "" {
			return who{}, nil
		}
		return a.fromKey(user)
	}
	if scheme, token, ok := strings.Cut(head, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return a.fromBearer(r, strings.TrimSpace(token))
	}
	return who{}, errUnknownKey
}

func (a *api) fromKey(key string) (who, error) {
	given := newSecret(key)
	write, server := a.write.equals(given), a.server.equals(given)
	if !write && !server {
		return who{}, errUnknownKey
	}
	return who{known: true, write: write, server: server}, nil
}

// fromBearer knows staff, and identity tokens sent where no body can be.
func (a *api) fromBearer(r *http.Request, token string) (who, error) {
	if id, err := a.o.Identity.Account(token, a.o.Now()); err == nil {
		return who{known: true, identity: true, account: id}, nil
	}
	if a.o.Staff == nil {
		return who{}, errUnknownKey
	}
	name, roles, err := a.o.Staff(r.Context(), token)
	if errors.Is(err, errUnknownStaff) {
		return who{}, errUnknownKey
	}
	if err != nil {
		a.o.Log.Warn("identity provider", "error", err)
		return who{}, errUnavailable
	}
	return who{known: true, name: name, roles: roles}, nil
}

// with adds what the body carries. A key in the header outranks one in the body;
// an identity token is looked at unless staff calls, and a bad one is never
// passed over.
func (a *api) with(w who, c credential) (who, error) {
	if !w.known && c.WriteKey != "" {
		k, err := a.fromKey(c.WriteKey)
		if err != nil {
			return who{}, err
		}
		w = k
	}
	if c.Identity == "" || len(w.roles) > 0 {
		return w, nil
	}
	id, err := a.o.Identity.Account(c.Identity, a.o.Now())
	if err != nil {
		return who{}, errIdentity
	}
	w.known, w.identity, w.account = true, true, id
	return w, nil
}

// fromBody reads the credential fields of a call's body.
func (a *api) fromBody(w who, body []byte) (who, error) {
	var c credential
	if len(body) == 0 {
		return w, nil
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return who{}, judge(err)
	}
	return a.with(w, c)
}

// may reports whether the route is for this credential: 401 for nobody, 403 for
// somebody else.
func (rt route) may(w who) error {
	switch {
	case rt.who.open:
		return nil
	case !w.known:
		return errNoCredential
	case w.server && rt.who.server, w.write && rt.who.write, w.identity && rt.who.identity:
		return nil
	}
	if slices.ContainsFunc(w.roles, func(r string) bool { return slices.Contains(rt.who.roles, r) }) {
		return nil
	}
	return errNotItsRight
}

// caller is what flow learns of who calls. Nobody here reads the sender's address.
func (rt route) caller(w who, r *http.Request) flow.Caller {
	c := flow.Caller{
		Server: w.server, Account: w.account, GPC: r.Header.Values("Sec-GPC"), DNT: r.Header.Get("DNT"),
		UserAgent: r.UserAgent(),
	}
	for _, role := range w.roles {
		if slices.Contains(rt.who.roles, role) {
			c.Staff = &flow.Staff{Role: role, Name: w.name}
			break
		}
	}
	return c
}
