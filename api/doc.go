// Package api owns the HTTP face of the shop's promise: routes, credentials,
// body limits, envelope errors and the OpenAPI document. What happens behind a
// route is package flow's; where it is kept is a host's.
//
// The one binary and every Lambda serve the same handler, the Lambdas a group
// of its routes each. Nothing personal is logged: the access log knows method,
// route pattern, status, bytes and duration, and no id is ever part of a URL
// that this package prints.
package api
