package aws

import (
	"context"
	"sync"
)

// chain holds this process's writers. A function takes one request at a time and
// has one; a process that decides side by side has one for each. A writer whose
// last put may or may not have been kept is never used again, so that no record has
// two successors.
type chain struct {
	mu    sync.Mutex
	idle  []writer
	hours map[string]bool // by table: that were noted
	slots chan struct{}
}

// writer is where a chain stands.
type writer struct {
	name string
	n    uint64
	prev string // hex hash of record n
}

// writersAtOnce bounds how many decisions a process writes side by side.
const writersAtOnce = 32

func (h *Host) openChain() error {
	h.chain.hours, h.chain.slots = map[string]bool{}, make(chan struct{}, writersAtOnce)
	return nil
}

// take gives the writer that was used last, or a new one.
func (c *chain) take(ctx context.Context) (w writer, err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return w, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.idle); n > 0 {
		w, c.idle = c.idle[n-1], c.idle[:n-1]
		return w, nil
	}
	return writer{name: randomName()[:8]}, nil
}

// done gives a slot back, and the writer if its chain goes on.
func (c *chain) done(w *writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w != nil {
		c.idle = append(c.idle, *w)
	}
	<-c.slots
}
