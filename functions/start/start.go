// Package start owns what every Lambda main has in common: read the
// environment, open the host, serve a group of routes. A main says only which.
package start

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/functions/gateway"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/policy"
)

// Group serves one group of routes until the runtime ends the process. Only the
// rules of its entries are compiled.
func Group(version string, g api.Group, entries ...policy.Entry) {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, err := open(context.Background(), version, g, log, entries)
	if err != nil {
		log.Error("starting", "group", string(g), "error", err.Error())
		os.Exit(1)
	}
	lambda.Start(h)
}

func open(ctx context.Context, version string, g api.Group, log *slog.Logger, entries []policy.Entry) (gateway.Handler, error) {
	env, err := environment(g)
	if err != nil {
		return nil, err
	}
	cfg, err := config.Parse(env.config)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	host, err := openHost(ctx, env, cfg, log)
	if err != nil {
		return nil, fmt.Errorf("opening the host: %w", err)
	}
	queue, err := desk.NewQueue(cfg.Offers.JoinURL)
	if err != nil {
		return nil, err
	}
	f, err := flow.New(ctx, cfg, host, queue, utc, version, entries...)
	if err != nil {
		return nil, fmt.Errorf("loading the rules: %w", err)
	}
	o := env.options
	o.Groups, o.Origins, o.Contact, o.Version, o.Log = []api.Group{g}, cfg.CORS, cfg.Contact, version, log
	return gateway.Serve(api.New(f, o)), nil
}

func utc() time.Time { return time.Now().UTC() }

// surroundings are what the environment says.
type surroundings struct {
	data    string
	config  []byte
	options api.Options
}

// environment reads it and reports everything that is missing or wrong at once.
func environment(g api.Group) (surroundings, error) {
	var e surroundings
	var wrong []string
	want := func(name string) string {
		v := os.Getenv(name)
		if v == "" {
			wrong = append(wrong, name+" is missing")
		}
		return v
	}
	note := func(name string, err error) {
		if err != nil {
			wrong = append(wrong, name+": "+err.Error())
		}
	}
	e.data = want("HANDSCHLAG_DATA")
	e.config = config.DefaultYAML()
	if path := os.Getenv("HANDSCHLAG_CONFIG"); path != "" {
		b, err := os.ReadFile(path)
		note("HANDSCHLAG_CONFIG", err)
		e.config = b
	}
	if g == api.GroupStaff {
		o := api.OIDC{Issuer: want("HANDSCHLAG_OIDC_ISSUER"), Audience: want("HANDSCHLAG_OIDC_AUDIENCE"), Claim: os.Getenv("HANDSCHLAG_OIDC_ROLE_CLAIM")}
		e.options.Staff = o.Staff(utc)
	} else {
		e.options.WriteKey, e.options.ServerKey = want("HANDSCHLAG_WRITE_KEY"), want("HANDSCHLAG_SERVER_KEY")
	}
	e.options.Identity = &api.Identity{Secret: []byte(os.Getenv("HANDSCHLAG_IDENTITY_SECRET"))}
	if v := os.Getenv("HANDSCHLAG_IDENTITY_PUBLIC_KEY"); v != "" {
		k, err := api.ParsePublicKey(v)
		note("HANDSCHLAG_IDENTITY_PUBLIC_KEY", err)
		e.options.Identity.Public = k
	}
	if len(wrong) > 0 {
		return e, errors.New("environment: " + strings.Join(wrong, "; "))
	}
	return e, nil
}
