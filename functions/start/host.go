package start

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
)

// opener opens the storage behind a group's routes.
type opener func(context.Context, surroundings, *slog.Logger) (flow.Host, error)

// parts are the keys that each group's role may unwrap: the identity map's where
// identifiers are looked up, the ledger's where leaves become a tree.
var parts = map[api.Group][]aws.Part{
	api.GroupIngest: {aws.PartIdentity}, api.GroupConsent: {aws.PartIdentity, aws.PartLedger}, api.GroupEscalate: {aws.PartIdentity},
	api.GroupVariant: {aws.PartIdentity}, api.GroupRights: {aws.PartIdentity},
	api.GroupStaff: {aws.PartIdentity}, // who looks for a person's decisions has the person's identifier
	api.GroupPrice: {},
}

// openAccount opens the tables, buckets and streams of the account that the
// function runs in.
func openAccount(ctx context.Context, e surroundings, log *slog.Logger) (flow.Host, error) {
	kept := e.config.Retention
	h, err := aws.Open(ctx, aws.Options{
		Prefix: e.prefix, Buckets: e.buckets, Tenant: e.config.Tenant, Account: e.account, Clock: utc, Log: log,
		Retain:  aws.Retain{EventDays: kept.EventDays, DecisionDays: kept.DecisionDays, SegmentDays: kept.SegmentDays, ListYears: 3, ProofYears: kept.ProofYears},
		Invalid: e.config.Invalid(), Parts: parts[e.group],
	})
	if err != nil {
		return nil, fmt.Errorf("opening the account: %w", err)
	}
	return h, nil
}
