// Package start owns what every Lambda main has in common: read the
// environment, open the account's storage, serve a group of routes under the
// policy that is law there. A main says only which group.
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
	"github.com/handschlag/handschlag/functions/start/early"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/policy"
)

// entries are the rules that each group asks; no other Rego is compiled. Staff read
// every decision, but the reasons in words are there without the rules.
var entries = map[api.Group][]policy.Entry{
	api.GroupIngest:   {policy.EntryEvent},
	api.GroupConsent:  {policy.EntryConsent, policy.EntryPrompt},
	api.GroupEscalate: {policy.EntryEscalate, policy.EntryHandover},
	api.GroupVariant:  {policy.EntryPersonalise},
	api.GroupPrice:    {policy.EntryPricing, policy.EntryMoves},
	api.GroupRights:   {policy.EntryEvent, policy.EntryExport},
	api.GroupStaff:    {policy.EntryCard, policy.EntryConduct},
}

// Group serves one group of routes until the runtime ends the process. What keeps
// it from starting is said in one line.
func Group(g api.Group, version string) {
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	h, host, err := open(context.Background(), g, version, log, openAccount)
	if err != nil {
		log.Error("starting", "group", string(g), "error", err.Error())
		os.Exit(1)
	}
	early.Collect()
	lambda.StartWithOptions(h, lambda.WithEnableSIGTERM(func() {
		_ = host.Close()
		os.Exit(0)
	}))
}

// open makes the handler of a group, over a host that the caller may close.
func open(ctx context.Context, g api.Group, version string, log *slog.Logger, at opener) (gateway.Handler, flow.Host, error) {
	env, err := environment(ctx, g)
	if err != nil {
		return gateway.Handler{}, nil, err
	}
	host, err := at(ctx, env, log)
	if err != nil {
		return gateway.Handler{}, nil, err
	}
	queue, err := desk.NewQueue(env.config.Offers.JoinURL, env.config.Offers.Desks)
	if err != nil {
		return gateway.Handler{}, nil, errors.Join(err, host.Close())
	}
	o := env.options
	o.Groups, o.Version, o.Log, o.LinkAbove = []api.Group{g}, version, log, carried
	l, err := enact(ctx, env, host, log, func(ctx context.Context, rules *policy.Rules) (*flow.Flow, error) {
		return flow.NewUnder(ctx, rules, env.config, host, queue, utc, version)
	}, o)
	if err != nil {
		return gateway.Handler{}, nil, errors.Join(err, host.Close())
	}
	return gateway.Handler{HTTP: l, Broken: api.Broken(o.Contact), Other: tasks(g, host, log)}, host, nil
}

// carried is how long a file an answer of Lambda carries: 6 MB with all around it,
// a third of which base64 may take.
const carried = 4 << 20

// errTask names the task that a function was invoked for, and did not do.
var errTask = errors.New("growing the ledger failed")

// tasks takes what a schedule invokes a function with: the consent function grows
// the ledger, and nobody does anything else.
func tasks(g api.Group, host flow.Host, log *slog.Logger) func(context.Context, []byte) error {
	ledger, grows := host.(interface{ Sequence(context.Context) error })
	if g != api.GroupConsent || !grows {
		return nil
	}
	return func(ctx context.Context, payload []byte) error {
		if !asksFor(payload, "sequence") {
			return gateway.ErrPayload
		}
		if err := ledger.Sequence(ctx); err != nil {
			log.Error("growing the ledger", "error", err.Error())
			return fmt.Errorf("%w: the log says why", errTask)
		}
		return nil
	}
}

// utc is the wall's time: a clock that only counts stands still while a function is frozen.
func utc() time.Time { return time.Now().UTC().Round(0) }
