package start

import (
	"context"
	"log/slog"

	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/local"
)

// openHost opens the storage behind the routes: a data folder, on a file system
// that is mounted into this function and that no other process writes.
func openHost(ctx context.Context, e surroundings, log *slog.Logger) (flow.Host, error) {
	kept := e.config.Retention
	return local.Open(ctx, e.data, local.Options{
		Clock: utc, Tenant: e.config.Tenant, Log: log, Retain: local.Retain{EventDays: kept.EventDays, DecisionDays: kept.DecisionDays},
		Invalid: e.config.Invalid(),
	})
}
