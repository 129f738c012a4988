package api

import (
	"net/http"
	"reflect"

	"github.com/handschlag/handschlag/flow"
)

// health is the answer of the probes.
type health struct {
	Status  string `json:"status" enum:"ok,ready"`
	Version string `json:"version"`
}

// gpc says that the shop honours Global Privacy Control (SIG-01).
type gpc struct {
	GPC        bool   `json:"gpc"`
	LastUpdate string `json:"lastUpdate"`
}

// opsRoutes are for probes, scrapers and client makers. Each group serves them.
func opsRoutes() []route {
	return []route{
		open(route{id: "healthz", path: "/healthz", out: reflect.TypeFor[health](), say: "The process lives"}, func(a *api, _ *asked) (int, any, error) {
			return http.StatusOK, health{"ok", a.o.Version}, nil
		}),
		open(route{id: "readyz", path: "/readyz", out: reflect.TypeFor[health](), faults: []int{http.StatusServiceUnavailable}, say: "It can serve"}, ready),
		open(route{id: "openapi", path: "/openapi.json", kind: "application/json", say: "This document"}, func(a *api, q *asked) (int, any, error) {
			q.w.Header().Set("Content-Type", "application/json")
			_, _ = q.w.Write(a.openapi())
			return done, nil, nil
		}),
		open(route{id: "gpc", path: "/.well-known/gpc.json", out: reflect.TypeFor[gpc](), say: "Global Privacy Control is honoured"}, func(*api, *asked) (int, any, error) {
			return http.StatusOK, gpc{true, "2026-11-21"}, nil
		}),
		metricsRoute(),
	}
}

func open(rt route, call func(*api, *asked) (int, any, error)) route {
	rt.method, rt.group, rt.who, rt.status, rt.call = http.MethodGet, groupOps, anyone, ok, call
	return rt
}

func ready(a *api, q *asked) (int, any, error) {
	if err := a.o.Gate(); err != nil {
		return 0, nil, err
	}
	if err := a.flow.Ready(q.r.Context()); err != nil {
		return 0, nil, &flow.Fault{Status: http.StatusServiceUnavailable, Code: "not_ready", Detail: "the store cannot serve"}
	}
	return http.StatusOK, health{"ready", a.o.Version}, nil
}

func metricsRoute() route {
	rt := route{id: "metrics", method: http.MethodGet, path: "/metrics", group: groupOps, who: operators, status: ok, kind: "text/plain",
		say: "Prometheus exposition"}
	rt.call = func(a *api, q *asked) (int, any, error) {
		if err := a.admit(rt, q, q.who, nil); err != nil {
			return 0, nil, err
		}
		a.metrics.handler().ServeHTTP(q.w, q.r)
		return done, nil, nil
	}
	return rt
}
