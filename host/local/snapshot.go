package local

import (
	"context"
	"errors"
	"time"
)

// Snapshot writes what the night reads into dir.
func (h *Host) Snapshot(ctx context.Context, through time.Time, dir string) error {
	return errors.New("not built yet")
}

// Standings writes only standings.parquet and subjects.parquet into dir.
func (h *Host) Standings(ctx context.Context, dir string) error {
	return errors.New("not built yet")
}
