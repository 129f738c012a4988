// Package desk owns where a hand-over goes. Queue is the built-in one: the
// hand-over waits in the host's own contacts until an adviser accepts it.
package desk

import (
	"context"
	"fmt"
	"net/url"

	"github.com/handschlag/handschlag/flow"
)

// Queue is the built-in queue. The contact itself, stored by the host before
// Send, is the queue entry; Send only makes the visitor's link.
type Queue struct{ base *url.URL }

// NewQueue checks the base of the links, as handschlag.yaml names it.
func NewQueue(base string) (*Queue, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("reading offers.join_url: %w", err)
	}
	return &Queue{base: u}, nil
}

// Send gives the visitor's link: the base and the contact's id, nothing else.
func (q *Queue) Send(_ context.Context, c flow.Contact) (string, error) {
	return q.base.JoinPath(c.ID).String(), nil
}
