package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/handschlag/handschlag/flow"
)

// route is one line of design.md's table, with all that its OpenAPI entry says.
type route struct {
	id     string // operationId
	method string
	path   string
	also   []string // short forms
	group  Group
	who    rights
	limit  int64 // of the body, unpacked; 0: no body is read. A feed's is read for a key in the header only
	say    string
	in     reflect.Type // of the body; nil: none, or described by hand
	needs  []string     // fields that the body must have
	strict bool         // names that in has no field for are errors
	list   string       // a bare array is read as this field
	out    reflect.Type // of the answer; nil: not JSON
	kind   string       // media type of an answer that is not JSON
	status []int        // of success
	faults []int        // beyond those that every route of its kind has
	query  []string     // RFC 3339 query parameters
	head   bool         // HEAD is answered too, without a body
	call   func(*api, *asked) (int, any, error)
}

// asked is one call on its way to flow.
type asked struct {
	w      http.ResponseWriter
	r      *http.Request
	who    who
	caller flow.Caller
	body   []byte
}

// done says that the answer was already written.
const done = -1

// handle lets a route serve requests: gate, credential, body, right, call.
func (a *api) handle(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, out, err := a.serve(w, r, rt)
		switch {
		case err != nil:
			a.note(r, rt, err)
			heardOut(r, faultOf(err).Status)
			a.fail(w, err)
		case status != done:
			a.answer(w, status, out)
		}
	})
}

func (a *api) serve(w http.ResponseWriter, r *http.Request, rt route) (int, any, error) {
	q := &asked{w: w, r: r}
	if rt.who.open {
		return rt.call(a, q)
	}
	if err := a.o.Gate(); err != nil {
		return 0, nil, err
	}
	var err error
	if q.who, err = a.fromHeader(r); err != nil {
		return 0, nil, err
	}
	if !rt.hears(q.who) && (q.who.known || rt.limit == 0 || rt.limit >= limitFeed || len(rt.who.roles) > 0) {
		if err := rt.may(q.who); err != nil {
			return 0, nil, err
		}
	}
	if rt.limit > 0 {
		body, free, err := a.body(patient(w, rt.limit), r, rt.limit)
		defer free()
		if err != nil {
			return 0, nil, err
		}
		q.body = body
	}
	defer a.flying.Add(-1)
	if a.flying.Add(1) > int64(a.o.InFlight) {
		return 0, nil, errBusy
	}
	return rt.call(a, q)
}

// hears reports whether the body may still bring the credential that counts: an
// identity token, on a route that a browser may not call by its write key alone.
func (rt route) hears(w who) bool {
	return rt.limit > 0 && rt.who.identity && !rt.who.write && (!w.known || w.write)
}

// patient gives big feeds more time than calls have. Their senders have proven
// their right by then.
func patient(w http.ResponseWriter, limit int64) http.ResponseWriter {
	if limit >= limitFeed {
		until := time.Now().Add(5 * time.Minute)
		c := http.NewResponseController(w)
		_, _ = c.SetReadDeadline(until), c.SetWriteDeadline(until)
	}
	return w
}

// enough is how much of a body that nobody wants we still let the sender say.
// Most HTTP clients read no answer before they have sent it all.
const enough = 16 << 20

// heardOut reads on, so that a refusal reaches its sender and not a broken pipe.
// Who waits for leave to send is told without it, and so is everybody when we are busy.
func heardOut(r *http.Request, status int) {
	if status < 500 && status != http.StatusTooManyRequests && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, enough)
	}
}

// admit settles who calls once the body has been read.
func (a *api) admit(rt route, q *asked, w who, err error) error {
	if err != nil {
		return err
	}
	if err := rt.may(w); err != nil {
		return err
	}
	q.who, q.caller = w, rt.caller(w, q.r)
	return nil
}

// note tells operations of failures on our side: the act that failed and why,
// never what the visitor sent. That a client hung up is no failure of ours.
func (a *api) note(r *http.Request, rt route, err error) {
	if hungUp(r) {
		return
	}
	if f := faultOf(err); f.Status >= 500 {
		a.o.Log.Warn("failed", "route", rt.path, "code", f.Code, "act", f.Detail, "cause", errors.Unwrap(f))
	}
}

// reads makes a route that takes a JSON object.
func reads[In, Out any](rt route, do func(*flow.Flow, *asked, In) (Out, error)) route {
	rt.in, rt.out = reflect.TypeFor[In](), reflect.TypeFor[Out]()
	rt.call = func(a *api, q *asked) (int, any, error) {
		q.body = rt.wrapped(q.body)
		if err := shape(q.body); err != nil {
			return 0, nil, err
		}
		w, err := a.fromBody(q.who, q.body)
		if err := a.admit(rt, q, w, err); err != nil {
			return 0, nil, err
		}
		var in In
		if err := decode(q.body, &in, rt.strict); err != nil {
			return 0, nil, err
		}
		if err := rt.complete(q.body); err != nil {
			return 0, nil, err
		}
		out, err := do(a.flow, q, in)
		return rt.status[0], out, err
	}
	return rt
}

// complete refuses a body without a field that the call needs: an absent "on" is
// not an off. Lists are left to flow, which names the entry too.
func (rt route) complete(body []byte) error {
	if len(rt.needs) == 0 || rt.list != "" {
		return nil
	}
	var has map[string]jsontext.Value
	if err := decode(body, &has, false); err != nil {
		return err
	}
	for _, name := range rt.needs {
		if v, ok := has[name]; !ok || v.Kind() == 'n' {
			return &flow.Fault{Status: http.StatusUnprocessableEntity, Code: "field_invalid", Detail: name + ": missing"}
		}
	}
	return nil
}

// wrapped makes an object of a bare array, where a route takes one.
func (rt route) wrapped(body []byte) []byte {
	if rt.list == "" || !bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) {
		return body
	}
	return slices.Concat([]byte(`{"`+rt.list+`":`), body, []byte("}"))
}

// takes makes a route of a path of flow that takes a body.
func takes[In, Out any](rt route, do func(*flow.Flow, context.Context, In, flow.Caller) (Out, error)) route {
	return reads(rt, func(f *flow.Flow, q *asked, in In) (Out, error) { return do(f, q.r.Context(), in, q.caller) })
}

// names makes a route of a path of flow that takes a body and what its URL names.
func names[In, Out any](rt route, name string, do func(*flow.Flow, context.Context, string, In, flow.Caller) (Out, error)) route {
	return reads(rt, func(f *flow.Flow, q *asked, in In) (Out, error) {
		return do(f, q.r.Context(), q.r.PathValue(name), in, q.caller)
	})
}

// asks makes a route that takes no body.
func asks[Out any](rt route, do func(*flow.Flow, *asked) (Out, error)) route {
	rt.out = reflect.TypeFor[Out]()
	rt.call = func(a *api, q *asked) (int, any, error) {
		if err := a.admit(rt, q, q.who, nil); err != nil {
			return 0, nil, err
		}
		out, err := do(a.flow, q)
		return rt.status[0], out, err
	}
	return rt
}

// finds makes a route of a path of flow that takes what its URL names.
func finds[Out any](rt route, name string, do func(*flow.Flow, context.Context, string, flow.Caller) (Out, error)) route {
	return asks(rt, func(f *flow.Flow, q *asked) (Out, error) { return do(f, q.r.Context(), q.r.PathValue(name), q.caller) })
}

// lists makes a route of a path of flow that takes nothing.
func lists[Out any](rt route, do func(*flow.Flow, context.Context, flow.Caller) (Out, error)) route {
	return asks(rt, func(f *flow.Flow, q *asked) (Out, error) { return do(f, q.r.Context(), q.caller) })
}
