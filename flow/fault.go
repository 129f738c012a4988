package flow

import (
	"errors"
	"fmt"
	"net/http"
)

// Fault is an error of the whole call: what the caller sent cannot be used
// (4xx), or we could not find out or could not write (503). Detail names the
// field or the act that failed, never a value that the visitor sent.
type Fault struct {
	Status     int
	Code       string
	Detail     string
	RetryAfter int // seconds; 0 = no Retry-After header
	cause      error
}

// Error says the code and the detail; the cause is for logs, through Unwrap.
func (f *Fault) Error() string { return f.Code + ": " + f.Detail }

// Unwrap gives what went wrong below, if anything did.
func (f *Fault) Unwrap() error { return f.cause }

// FaultOf reads any error as a Fault: what is not one is a 503.
func FaultOf(err error) *Fault {
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return unavailable("answering", err)
}

// unavailable is the fault of a store or a rule engine that did not answer.
func unavailable(act string, cause error) *Fault {
	return &Fault{Status: http.StatusServiceUnavailable, Code: "unavailable", Detail: act, RetryAfter: 1, cause: cause}
}

// invalid is the fault of one field's value.
func invalid(field, format string, args ...any) *Fault {
	return &Fault{Status: http.StatusUnprocessableEntity, Code: "field_invalid", Detail: field + ": " + fmt.Sprintf(format, args...)}
}

// forbidden is the fault of a caller who is known but may not.
func forbidden(code, format string, args ...any) *Fault {
	return &Fault{Status: http.StatusForbidden, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// missing is the fault of a thing that is not there.
func missing(code, format string, args ...any) *Fault {
	return &Fault{Status: http.StatusNotFound, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// conflict is the fault of a thing that has moved on.
func conflict(code, format string, args ...any) *Fault {
	return &Fault{Status: http.StatusConflict, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// found turns a host's error into a fault: not found is a 404, anything else a 503.
func found(act, code string, err error) error {
	if errors.Is(err, ErrNotFound) {
		return missing(code, "%s: there is none with this id", act)
	}
	return unavailable(act, err)
}
