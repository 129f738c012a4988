package start

import (
	"context"
	"log/slog"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/local"
)

// openHost opens the storage behind the routes: a data folder, on a file system
// that is mounted into the function and that this function alone writes.
func openHost(ctx context.Context, e surroundings, cfg *config.Config, log *slog.Logger) (flow.Host, error) {
	return local.Open(ctx, e.data, local.Options{Clock: utc, Tenant: cfg.Tenant, Log: log})
}
