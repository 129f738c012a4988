// Package desk owns where a hand-over goes. Queue is the built-in one: the
// hand-over waits in the host's own contacts until an adviser accepts it.
package desk

import (
	"context"
	"fmt"
	"net/url"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
)

// Queue is the built-in queue. The contact itself, as the host stores it, is the queue
// entry.
type Queue struct {
	base *url.URL
	own  map[string]*url.URL // of channels that somebody else runs
}

// NewQueue checks the bases of the links, as handschlag.yaml names them: of all
// channels, and of those that have one of their own.
func NewQueue(base string, desks ...map[string]config.Desk) (*Queue, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("reading offers.join_url: %w", err)
	}
	q := &Queue{base: u, own: map[string]*url.URL{}}
	for _, ds := range desks {
		for channel, d := range ds {
			if d.JoinURL == "" {
				continue
			}
			if q.own[channel], err = url.Parse(d.JoinURL); err != nil {
				return nil, fmt.Errorf("reading offers.desks.%s.join_url: %w", channel, err)
			}
		}
	}
	return q, nil
}

var _ flow.LinkDesk = (*Queue)(nil)

// Send gives the link: there is nobody to send to.
func (q *Queue) Send(_ context.Context, c flow.Contact) (string, error) { return q.Link(c), nil }

// Link gives the visitor's link: the channel's base and the contact's id, nothing
// else. A vendor's link is made here, after the click, and nowhere before (ESC-02).
func (q *Queue) Link(c flow.Contact) string {
	if own, ok := q.own[c.Channel]; ok {
		return own.JoinPath(c.ID).String()
	}
	return q.base.JoinPath(c.ID).String()
}
