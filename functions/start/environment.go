package start

import (
	"errors"
	"os"
	"strings"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/config"
)

// surroundings are what the environment says.
type surroundings struct {
	data    string
	config  *config.Config
	options api.Options
	wrong   []string
}

// environment reads it and reports everything that is missing or wrong at once.
func environment(g api.Group) (surroundings, error) {
	var e surroundings
	e.data = e.want("HANDSCHLAG_DATA")
	e.readConfig()
	if g == api.GroupStaff || g == api.GroupRights {
		o := api.OIDC{Issuer: e.want("HANDSCHLAG_OIDC_ISSUER"), Audience: e.want("HANDSCHLAG_OIDC_AUDIENCE"), Claim: os.Getenv("HANDSCHLAG_OIDC_ROLE_CLAIM")}
		e.options.Staff = o.Staff(utc)
	}
	if g != api.GroupStaff {
		e.options.WriteKey, e.options.ServerKey = e.want("HANDSCHLAG_WRITE_KEY"), e.want("HANDSCHLAG_SERVER_KEY")
	}
	e.readSecrets()
	if len(e.wrong) > 0 {
		return e, errors.New("environment: " + strings.Join(e.wrong, "; "))
	}
	return e, nil
}

// want reads a variable that must be there.
func (e *surroundings) want(name string) string {
	v := os.Getenv(name)
	if v == "" {
		e.wrong = append(e.wrong, name+" is missing")
	}
	return v
}

// readConfig reads HANDSCHLAG_CONFIG, a file in the bundle, or the default.
func (e *surroundings) readConfig() {
	yaml := config.DefaultYAML()
	if path := os.Getenv("HANDSCHLAG_CONFIG"); path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			e.wrong = append(e.wrong, "HANDSCHLAG_CONFIG: "+err.Error())
			return
		}
		yaml = b
	}
	cfg, err := config.Parse(yaml)
	if err != nil {
		e.wrong = append(e.wrong, "HANDSCHLAG_CONFIG: "+err.Error())
		return
	}
	e.config, e.options.Origins, e.options.Contact = cfg, cfg.CORS, cfg.Contact
}

// readSecrets reads what verifies identity tokens, if anything does, and refuses
// secrets that can be guessed.
func (e *surroundings) readSecrets() {
	secret := os.Getenv("HANDSCHLAG_IDENTITY_SECRET")
	e.wrong = append(e.wrong, api.Guessable(secret, e.options.ServerKey)...)
	id, err := api.IdentityFrom(secret, os.Getenv("HANDSCHLAG_IDENTITY_PUBLIC_KEY"))
	if err != nil {
		e.wrong = append(e.wrong, "HANDSCHLAG_IDENTITY_PUBLIC_KEY: "+err.Error())
	}
	e.options.Identity = id
}
