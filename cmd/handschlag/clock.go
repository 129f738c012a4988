package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// fileClock is HANDSCHLAG_CLOCK=@FILE: the time is the RFC 3339 line in a file,
// re-read per request, never backwards. Demo and tests move it.
type fileClock struct {
	path string
	now  atomic.Int64 // Unix nanoseconds

	mu   sync.Mutex
	seen stamp
	bad  error
}

type stamp struct {
	mod  time.Time
	size int64
}

func newFileClock(path string) (*fileClock, error) {
	c := &fileClock{path: path}
	if err := c.Check(); err != nil {
		return nil, err
	}
	return c, nil
}

// Now is the latest time read.
func (c *fileClock) Now() time.Time {
	_ = c.Check()
	return time.Unix(0, c.now.Load()).UTC()
}

// Check re-reads the file if it has changed. On an error nobody knows the time,
// and so nothing may be decided.
func (c *fileClock) Check() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.path)
	if err != nil {
		return fmt.Errorf("reading the clock file: %w", err)
	}
	// A file written twice within the clock's resolution may look the same, so a
	// young one is read again.
	if is := (stamp{info.ModTime(), info.Size()}); is != c.seen || time.Since(is.mod) < 100*time.Millisecond {
		c.seen, c.bad = is, c.read()
	}
	return c.bad
}

// read tries a few times: a file that is written in place is empty for a moment.
func (c *fileClock) read() (err error) {
	for range 5 {
		if err = c.readOnce(); err == nil {
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return err
}

func (c *fileClock) readOnce() error {
	b, err := os.ReadFile(c.path)
	if err != nil {
		return fmt.Errorf("reading the clock file: %w", err)
	}
	t, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(string(b)))
	if err != nil {
		return fmt.Errorf("reading the clock file: want one RFC 3339 line")
	}
	if n := t.UnixNano(); n > c.now.Load() {
		c.now.Store(n)
	}
	return nil
}
