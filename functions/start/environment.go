package start

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/policy"
)

// surroundings are what the environment says.
type surroundings struct {
	group     api.Group
	prefix    string // of tables, streams and key aliases
	buckets   string // of buckets
	account   aws.Account
	config    *config.Config
	options   api.Options
	policyKey []byte // that bundles must be signed with; nil: only the program's own rules
	wrong     []string
}

// environment reads it, with the secrets that it names, and reports everything
// that is missing or wrong at once.
func environment(ctx context.Context, g api.Group) (surroundings, error) {
	e := surroundings{group: g}
	e.prefix, e.buckets = e.name("HANDSCHLAG_AWS"), e.name("HANDSCHLAG_AWS_BUCKETS")
	var err error
	e.account, err = aws.AccountFromEnvironment()
	e.note("", err)
	e.readConfig()
	e.readPolicyKey()
	if g == api.GroupStaff || g == api.GroupRights {
		o := api.OIDC{Issuer: e.want("HANDSCHLAG_OIDC_ISSUER"), Audience: e.want("HANDSCHLAG_OIDC_AUDIENCE"), Claim: os.Getenv("HANDSCHLAG_OIDC_ROLE_CLAIM")}
		e.options.Staff = o.Staff(utc)
	}
	e.readSecrets(ctx, err == nil)
	if len(e.wrong) > 0 {
		return e, errors.New("environment: " + strings.Join(e.wrong, "; "))
	}
	return e, nil
}

// note remembers what is wrong.
func (e *surroundings) note(name string, err error) {
	if err == nil {
		return
	}
	if name != "" {
		name += ": "
	}
	e.wrong = append(e.wrong, name+strings.Join(strings.Fields(err.Error()), " "))
}

// want reads a variable that must be there.
func (e *surroundings) want(name string) string {
	v := os.Getenv(name)
	if v == "" {
		e.wrong = append(e.wrong, name+" is missing")
	}
	return v
}

// nameable says whether all names of an account may begin so. To compile a regular
// expression costs more than all else that the environment does.
func nameable(v string) bool {
	odd := func(r rune) bool { return r != '-' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	return len(v) >= 2 && len(v) <= 41 && v[0] != '-' && strings.IndexFunc(v, odd) < 0
}

// name reads the prefix of names in the account.
func (e *surroundings) name(variable string) string {
	v := e.want(variable)
	if v != "" && !nameable(v) {
		e.wrong = append(e.wrong, variable+": want small letters, digits and dashes, as in handschlag-dev")
	}
	return v
}

// readConfig reads HANDSCHLAG_CONFIG, a file beside the program, or the default.
func (e *surroundings) readConfig() {
	cfg := config.Default()
	if path := os.Getenv("HANDSCHLAG_CONFIG"); path != "" {
		yaml, err := os.ReadFile(path)
		if err == nil {
			cfg, err = config.Parse(yaml)
		}
		if err != nil {
			e.note("HANDSCHLAG_CONFIG", err)
			return
		}
	}
	e.config, e.options.Origins, e.options.Contact = cfg, cfg.CORS, cfg.Contact
}

// readPolicyKey reads the public key that policy bundles must be signed with.
func (e *surroundings) readPolicyKey() {
	if key := os.Getenv("HANDSCHLAG_POLICY_KEY"); key != "" {
		e.policyKey = []byte(key)
		_, err := policy.KeyID(e.policyKey)
		e.note("HANDSCHLAG_POLICY_KEY", err)
	}
}

// secret is one that a group may need, by its variable and its name in Secrets Manager.
type secret struct{ variable, name string }

var (
	writeKey       = secret{"HANDSCHLAG_WRITE_KEY", "write-key"}
	serverKey      = secret{"HANDSCHLAG_SERVER_KEY", "server-key"}
	identitySecret = secret{"HANDSCHLAG_IDENTITY_SECRET", "identity-secret"}
)

// needs are the secrets of callers that a group must know to tell them apart.
// Staff come with tokens of their own, prices with keys alone.
var needs = map[api.Group][]secret{
	api.GroupIngest: {writeKey, serverKey, identitySecret}, api.GroupConsent: {writeKey, serverKey, identitySecret},
	api.GroupEscalate: {writeKey, serverKey, identitySecret}, api.GroupVariant: {writeKey, serverKey, identitySecret},
	api.GroupRights: {writeKey, serverKey, identitySecret}, api.GroupPrice: {writeKey, serverKey}, api.GroupStaff: {},
}

// readSecrets reads what tells callers apart, and refuses secrets that can be
// guessed. A shop without identity tokens has no identity secret.
func (e *surroundings) readSecrets(ctx context.Context, reachable bool) {
	found := e.lookUp(ctx, reachable)
	e.options.WriteKey, e.options.ServerKey = found[writeKey], found[serverKey]
	identity := found[identitySecret]
	e.wrong = append(e.wrong, api.Guessable(identity, e.options.ServerKey)...)
	public := os.Getenv("HANDSCHLAG_IDENTITY_PUBLIC_KEY")
	id, err := api.IdentityFrom(identity, public)
	e.note("HANDSCHLAG_IDENTITY_PUBLIC_KEY", err)
	e.options.Identity = id
}

// lookUp reads the group's secrets from the environment, and those that are not
// there from Secrets Manager, all at once.
func (e *surroundings) lookUp(ctx context.Context, reachable bool) map[secret]string {
	prefix, found := os.Getenv("HANDSCHLAG_SECRETS"), map[secret]string{}
	values, errs := make([]string, len(needs[e.group])), make([]error, len(needs[e.group]))
	var all sync.WaitGroup
	for i, s := range needs[e.group] {
		if values[i] = os.Getenv(s.variable); values[i] == "" && prefix != "" && reachable {
			all.Go(func() { values[i], errs[i] = e.account.Secret(ctx, prefix+"/"+s.name) })
		}
	}
	all.Wait()
	for i, s := range needs[e.group] {
		found[s] = values[i]
		e.note(s.variable, errs[i])
		switch {
		case values[i] != "" || errs[i] != nil || s == identitySecret:
		case prefix == "":
			e.wrong = append(e.wrong, s.variable+" is missing (or HANDSCHLAG_SECRETS, the prefix of its secret)")
		case reachable:
			e.wrong = append(e.wrong, s.variable+" is missing: nobody has put a value into secret "+prefix+"/"+s.name)
		}
	}
	return found
}
