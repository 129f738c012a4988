package aws

// chain is this process's own chain of decisions.
type chain struct{}

func (h *Host) openChain() error { return nil }
