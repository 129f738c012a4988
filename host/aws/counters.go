package aws

import "context"

// tally are this process's counts.
type tally struct{}

func (h *Host) flushCounts(context.Context) error { return nil }
