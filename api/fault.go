package api

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// Problem is the body of every error. A human stays reachable when everything
// else fails: the contact is static and comes with each of them.
type Problem struct {
	Error   Wrong          `json:"error"`
	Contact config.Contact `json:"contact"`
	Speaker string         `json:"speaker" enum:"machine"`
}

// Wrong says what is wrong, for the machine and for the person who reads it.
type Wrong struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Faults of this room. What a body's content means is flow's to judge.
var (
	errNoCredential = &flow.Fault{Status: http.StatusUnauthorized, Code: "credential_missing", Detail: "want a key as HTTP Basic user name, writeKey in the body, an identity token or a staff Bearer token"}
	errUnknownKey   = &flow.Fault{Status: http.StatusUnauthorized, Code: "credential_unknown", Detail: "this key or token is not known, or no longer"}
	errIdentity     = &flow.Fault{Status: http.StatusUnauthorized, Code: "identity_invalid", Detail: "identity: not a token of this shop's backend, expired, or issued for more than 15 minutes"}
	errNotItsRight  = &flow.Fault{Status: http.StatusForbidden, Code: "not_its_right", Detail: "the credential is known, but this is not its right"}
	errNoRoute      = &flow.Fault{Status: http.StatusNotFound, Code: "route_unknown", Detail: "there is no such route"}
	errMethod       = &flow.Fault{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "the route knows only the methods in Allow"}
	errOrigin       = &flow.Fault{Status: http.StatusForbidden, Code: "origin_unknown", Detail: "this origin is not configured"}
	errBusy         = &flow.Fault{Status: http.StatusTooManyRequests, Code: "busy", Detail: "too many requests at once; try again"}
	errPanic        = &flow.Fault{Status: http.StatusInternalServerError, Code: "internal", Detail: "something went wrong on our side"}
	errUnavailable  = &flow.Fault{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: "we could not find out, or could not write; nothing was decided"}
)

// faultOf is what an error means to the sender. Whatever is not ours to explain
// means that we could not find out or could not write.
func faultOf(err error) *flow.Fault {
	var f *flow.Fault
	var bad *event.Malformed
	var many *event.TooMany
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &bad):
		return malformed(bad)
	case errors.As(err, &many):
		return &flow.Fault{Status: http.StatusRequestEntityTooLarge, Code: "batch_too_many", Detail: many.Error()}
	}
	return flow.FaultOf(err)
}

// malformed tells a body that cannot be read (400) from a field of it that has
// the wrong type (422), and names the place.
func malformed(m *event.Malformed) *flow.Fault {
	f := &flow.Fault{Status: http.StatusBadRequest, Code: m.Code, Detail: m.Detail + ", at byte " + strconv.Itoa(m.Offset)}
	if m.Pointer != "" {
		f.Detail = field(m.Pointer) + ": " + f.Detail
	}
	if m.Code == event.CodeWrongType && m.Pointer != "" {
		f.Status = http.StatusUnprocessableEntity
	}
	return f
}

// fail writes an error in the envelope of every error.
func (a *api) fail(w http.ResponseWriter, err error) {
	f := faultOf(err)
	h := w.Header()
	switch f.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Basic realm="handschlag", charset="UTF-8"`)
		h.Add("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", strconv.Itoa(max(f.RetryAfter, retryAfter)))
	}
	a.answer(w, f.Status, Problem{Wrong{f.Code, f.Detail}, a.o.Contact, "machine"})
}

// Broken answers, in the envelope of every error, for what reached us in a form
// that no request can be made of. It does not look at the request.
func Broken(contact config.Contact) http.Handler {
	a := &api{o: withDefaults(Options{Contact: contact})}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), safety)
		a.fail(w, &flow.Fault{Status: http.StatusBadRequest, Code: "request_broken", Detail: "method, path or body cannot be a request's"})
	})
}

// retryAfter is in seconds: SDKs keep the batch and come again.
const retryAfter = 2

// answer writes JSON.
func (a *api) answer(w http.ResponseWriter, status int, v any) {
	body, err := encode(v)
	if err != nil {
		a.o.Log.Error("writing an answer", "type", fmt.Sprintf("%T", v), "error", err)
		status = http.StatusInternalServerError
		body, _ = encode(Problem{Wrong{"internal", "the answer could not be written"}, a.o.Contact, "machine"}) // text alone: it can be
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
