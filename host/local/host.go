package local

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/handschlag/handschlag/flow"
)

// Options say how to open a data folder.
type Options struct {
	Clock  func() time.Time
	Tenant string
	Log    *slog.Logger
}

// Host is an open data folder.
type Host struct{ flow.Host }

// Open opens or makes the data folder dir.
func Open(ctx context.Context, dir string, opts Options) (*Host, error) {
	return nil, errors.New("not built yet")
}

// Snapshot writes what the night reads into dir.
func (h *Host) Snapshot(ctx context.Context, through time.Time, dir string) error {
	return errors.New("not built yet")
}

// Standings writes only standings.parquet and subjects.parquet into dir.
func (h *Host) Standings(ctx context.Context, dir string) error {
	return errors.New("not built yet")
}
