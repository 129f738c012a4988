package api

import (
	"net/http"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

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
		answerIngest(q.w, out)
		return done, nil, nil
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

// answerIngest writes what encode would, without looking at types: this is the
// one answer that is given thousands of times a second.
func answerIngest(w http.ResponseWriter, out flow.IngestAnswer) {
	lent := buffers.Get().(*[]byte)
	defer buffers.Put(lent)
	b := appendIngest((*lent)[:0], out)
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(b)
}

var jsonType = []string{"application/json; charset=utf-8"}

func appendIngest(b []byte, out flow.IngestAnswer) []byte {
	b = strconv.AppendBool(append(b, `{"success":`...), out.Success)
	b = strconv.AppendInt(append(b, `,"admitted":`...), int64(out.Admitted), 10)
	b = strconv.AppendInt(append(b, `,"refused":`...), int64(out.Refused), 10)
	b = strconv.AppendInt(append(b, `,"invalid":`...), int64(out.Invalid), 10)
	b = strconv.AppendInt(append(b, `,"duplicate":`...), int64(out.Duplicate), 10)
	b = append(b, `,"results":[`...)
	for i, r := range out.Results {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendResult(b, r)
	}
	return append(b, "]}"...)
}

func appendResult(b []byte, r flow.Result) []byte {
	b = appendText(append(b, `{"messageId":`...), r.MessageID)
	b = appendText(append(b, `,"outcome":`...), r.Outcome)
	b = appendTexts(b, `,"purposes":[`, r.Purposes)
	b = appendTexts(b, `,"rules":[`, r.Rules)
	if r.Code != "" {
		b = appendText(append(b, `,"code":`...), r.Code)
	}
	if r.Detail != "" {
		b = appendText(append(b, `,"detail":`...), r.Detail)
	}
	return append(b, '}')
}

func appendTexts[S ~string](b []byte, name string, list []S) []byte {
	if len(list) == 0 {
		return b
	}
	b = append(b, name...)
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(b, string(s))
	}
	return append(b, ']')
}

// appendText quotes; what is not UTF-8 was refused long before.
func appendText(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}
