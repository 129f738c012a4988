package flow_test

import (
	"fmt"
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

func BenchmarkIngest(b *testing.B) {
	for _, size := range []int{1, 20, 100} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			s := newShop(b)
			s.grant(ada, consent.Analytics, consent.AdviserAssist)
			ms := make([]message, size)
			for i := range ms {
				ms[i] = s.view(ada, "B12")
			}
			env := envelope(b, ms...)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Ingest(ctx, env, browser); err != nil { // all but the first are duplicates
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkEscalate(b *testing.B) {
	s := newShop(b, needy)
	s.staffed(5, "chat")
	s.interested(ada)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Escalate(ctx, flow.EscalateCall{AnonymousID: ada, Page: flow.PageRef{ProductID: "B12"}}, browser); err != nil {
			b.Fatal(err)
		}
	}
}
