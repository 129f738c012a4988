package api

import (
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
)

// Options say who may come in, and what everybody is told.
type Options struct {
	WriteKey  string // public; "" accepts none
	ServerKey string // secret; "" accepts none
	Identity  *Identity
	Staff     Staff            // nil: nobody is staff
	Origins   []string         // that browsers may call from
	Contact   config.Contact   // in every error
	Version   string           // of the binary
	Log       *slog.Logger     // nil: slog.Default()
	Now       func() time.Time // for identity tokens; nil: time.Now
	Gate      func() error     // asked before each call; an error is a 503. nil: always open
	Groups    []Group          // routes served; nil: all
	InFlight  int              // calls at once, beyond which 429; 0: 1,024
	BodyBytes int64            // of all bodies in memory, beyond which 429; 0: 128 MiB

	// LinkAbove answers for a file with more bytes than this by 302, if the host can
	// make a link to it: a Lambda's answer has a limit. 0: every file is streamed.
	LinkAbove int64
}

// Group is what one Lambda serves.
type Group string

// The groups. Health, readiness, the OpenAPI document and gpc.json are in each.
const (
	GroupIngest   Group = "ingest"
	GroupConsent  Group = "consent"
	GroupEscalate Group = "escalate"
	GroupVariant  Group = "variant"
	GroupPrice    Group = "price"
	GroupStaff    Group = "staff"
	GroupRights   Group = "rights"
	groupOps      Group = "ops"
)

type api struct {
	flow    *flow.Flow
	o       Options
	write   secret
	server  secret
	mux     *http.ServeMux
	metrics *metrics
	budget  budget
	flying  atomic.Int64
	openapi func() []byte // made when it is first asked for
}

// New serves f's paths over HTTP. The OpenAPI document is that of the whole shop,
// whichever groups are served here.
func New(f *flow.Flow, o Options) http.Handler {
	a := &api{flow: f, o: withDefaults(o), mux: http.NewServeMux(), metrics: newMetrics()}
	a.budget.max = a.o.BodyBytes
	if o.WriteKey != "" {
		a.write = newSecret(o.WriteKey)
	}
	if o.ServerKey != "" {
		a.server = newSecret(o.ServerKey)
	}
	a.openapi = sync.OnceValue(func() []byte { return document(routes(nil), a.o.Version) })
	for _, rt := range routes(a.o.Groups) {
		h := a.handle(rt)
		for _, path := range append([]string{rt.path}, rt.also...) {
			a.mux.Handle(rt.method+" "+path, h)
		}
	}
	return a
}

func withDefaults(o Options) Options {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Gate == nil {
		o.Gate = func() error { return nil }
	}
	if o.InFlight == 0 {
		o.InFlight = 1024
	}
	if o.BodyBytes == 0 {
		o.BodyBytes = 128 << 20
	}
	return o
}
