package api

import (
	"net/http"
	"reflect"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// ingestRoutes speak Segment's HTTP Tracking API. A single call is answered as a
// batch of one.
func ingestRoutes() []route {
	out := []route{ingestRoute(route{id: "batch", path: "/v1/batch", also: []string{"/v1/b"}, limit: limitBatch,
		say: "Take in up to 2,500 messages; each is admitted, refused, invalid or a duplicate, apart from the others"}, event.ParseBatch)}
	for _, kind := range []string{"track", "page", "screen", "identify", "group", "alias"} {
		out = append(out, ingestRoute(route{id: kind, path: "/v1/" + kind, also: []string{"/v1/" + kind[:1]}, limit: limitSingle,
			say: "Take in one " + kind + " message; answered as a batch of one"},
			func(body []byte) (event.Envelope, error) { return event.ParseSingle(kind, body) }))
	}
	return out
}

// ingestRoute parses by package event alone: it reads each body once.
func ingestRoute(rt route, parse func([]byte) (event.Envelope, error)) route {
	rt.method, rt.group, rt.who, rt.status, rt.out = http.MethodPost, GroupIngest, devices, ok, reflect.TypeFor[flow.IngestAnswer]()
	rt.call = func(a *api, q *asked) (int, any, error) {
		env, err := parse(q.body)
		if err != nil {
			return 0, nil, err
		}
		w, err := a.with(q.who, credential{WriteKey: env.WriteKey, Identity: env.Identity})
		if err := a.admit(rt, q, w, err); err != nil {
			return 0, nil, err
		}
		out, err := a.flow.Ingest(q.r.Context(), env, q.caller)
		if err != nil {
			return 0, nil, err
		}
		a.metrics.outcomes(out)
		return http.StatusOK, out, nil
	}
	return rt
}

func (m *metrics) outcomes(out flow.IngestAnswer) {
	for outcome, n := range map[string]int{flow.Admitted: out.Admitted, flow.Refused: out.Refused, flow.Invalid: out.Invalid, flow.Duplicate: out.Duplicate} {
		if n > 0 {
			m.items.WithLabelValues(outcome).Add(float64(n))
		}
	}
}
