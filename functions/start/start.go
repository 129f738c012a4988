// Package start owns what every Lambda main has in common: read the
// environment, open the host, serve a group of routes. A main says only which.
package start

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/functions/gateway"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/policy"
)

// entries are the rules that each group asks; no other Rego is compiled. Staff
// read every decision, and the reasons in words are in the rules that made it.
var entries = map[api.Group][]policy.Entry{
	api.GroupIngest:   {policy.EntryEvent},
	api.GroupConsent:  {policy.EntryConsent, policy.EntryPrompt},
	api.GroupEscalate: {policy.EntryEscalate, policy.EntryHandover},
	api.GroupVariant:  {policy.EntryPersonalise},
	api.GroupPrice:    {policy.EntryPricing, policy.EntryMoves},
	api.GroupRights:   {policy.EntryEvent, policy.EntryExport},
	api.GroupStaff: {
		policy.EntryCard, policy.EntryConduct, policy.EntryEscalate, policy.EntryHandover, policy.EntryPricing, policy.EntryPersonalise, policy.EntryExport,
	},
}

// Group serves one group of routes until the runtime ends the process.
func Group(g api.Group, version string) {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, host, err := open(context.Background(), g, version, log)
	if err != nil {
		log.Error("starting", "group", string(g), "error", err.Error())
		os.Exit(1)
	}
	lambda.StartWithOptions(h, lambda.WithEnableSIGTERM(func() {
		_ = host.Close()
		os.Exit(0)
	}))
}

// open makes the handler of a group, over a host that the caller may close.
func open(ctx context.Context, g api.Group, version string, log *slog.Logger) (gateway.Handler, flow.Host, error) {
	env, err := environment(g)
	if err != nil {
		return nil, nil, err
	}
	host, err := openHost(ctx, env, log)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the host: %w", err)
	}
	queue, err := desk.NewQueue(env.config.Offers.JoinURL, env.config.Offers.Desks)
	if err != nil {
		return nil, nil, errors.Join(err, host.Close())
	}
	f, err := flow.New(ctx, env.config, host, queue, utc, version, entries[g]...)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("loading the rules: %w", err), host.Close())
	}
	o := env.options
	o.Groups, o.Version, o.Log = []api.Group{g}, version, log
	return gateway.Serve(api.New(f, o), api.Broken(o.Contact)), host, nil
}

func utc() time.Time { return time.Now().UTC() }
