package awslocal

import (
	"sync"
	"time"
)

// Span is one call that a function made under a latency.
type Span struct {
	Began time.Time // when it was heard
	Due   time.Time // when the latency was over
	Ended time.Time // when the answer went out: what is after Due is the ground's own slowness
}

// spans are those made since somebody last took them, by function.
type spans struct {
	mu sync.Mutex
	by map[string][]Span
}

func (s *spans) note(function string, began, due time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[string][]Span{}
	}
	s.by[function] = append(s.by[function], Span{began, due, time.Now()})
}

// Spans takes the calls that a function made under a latency since they were last taken.
func (g *Ground) Spans(function string) []Span {
	g.spans.mu.Lock()
	defer g.spans.mu.Unlock()
	out := g.spans.by[function]
	delete(g.spans.by, function)
	return out
}
