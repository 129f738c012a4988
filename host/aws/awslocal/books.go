package awslocal

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// books are what the proxy writes down and is told, by function.
type books struct {
	mu   sync.Mutex
	of   map[string]*page
	keys map[string]string // KMS key ids to aliases

	homes map[string]string // prefixes to the access key ids of their databases
}

type page struct {
	seen    Seen
	used    map[Use]int
	tries   map[string]try // by the SDK's invocation
	faults  Faults
	n       uint64
	refused string
	role    []Statement
	held    bool // to its role
}

type try struct {
	n  int
	at time.Time
}

// Seen is what a function asked of the ground.
type Seen struct {
	Requests int             // tries
	Calls    int             // what the SDK was asked for
	Most     int             // tries of one call
	Faults   int             // requests that were made to fail
	Delays   []time.Duration // from the end of a try to the next of the same call
	Ops      map[string]int  // requests by SERVICE:OPERATION
}

// page gives a function's page. The caller holds mu.
func (b *books) page(function string) *page {
	p := b.of[function]
	if p == nil {
		p = &page{used: map[Use]int{}, tries: map[string]try{}, seen: Seen{Ops: map[string]int{}}}
		b.of[function] = p
	}
	return p
}

func (b *books) nameKey(id, alias string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys == nil {
		b.keys = map[string]string{}
	}
	b.keys[id] = alias
}

// write takes a request down.
func (b *books) write(c *call, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, now := b.page(c.function), time.Now()
	p.seen.Requests++
	p.seen.Ops[c.service+":"+c.op]++
	for _, n := range c.needs {
		p.used[n.shortened()]++
	}
	id := r.Header.Get("Amz-Sdk-Invocation-Id")
	last, again := p.tries[id]
	if id == "" || !again {
		p.seen.Calls++
	} else {
		p.seen.Delays = append(p.seen.Delays, now.Sub(last.at))
	}
	if id != "" {
		p.tries[id] = try{last.n + 1, now}
	}
	if len(p.tries) > 1<<15 { // long runs: who has not called for a minute will not call again
		maps.DeleteFunc(p.tries, func(_ string, t try) bool { return now.Sub(t.at) > time.Minute })
	}
	p.seen.Most = max(p.seen.Most, last.n+1)
}

// end notes when a try was over: answered, or given up.
func (b *books) end(c *call, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, id := b.page(c.function), r.Header.Get("Amz-Sdk-Invocation-Id")
	if t, known := p.tries[id]; known {
		p.tries[id] = try{t.n, time.Now()}
	}
}

// shortened forgets which object: only its first folder is of interest.
func (u Use) shortened() Use {
	if object, is := strings.CutPrefix(u.Resource, "arn:aws:s3:::"); is {
		if parts := strings.SplitN(object, "/", 3); len(parts) == 3 {
			u.Resource = "arn:aws:s3:::" + parts[0] + "/" + parts[1] + "/*"
		}
	}
	return u
}

// Seen gives what a function asked for since Forget.
func (g *Ground) Seen(function string) Seen {
	g.books.mu.Lock()
	defer g.books.mu.Unlock()
	s := g.books.page(function).seen
	s.Delays = slices.Clone(s.Delays)
	ops := map[string]int{}
	for k, v := range s.Ops {
		ops[k] = v
	}
	s.Ops = ops
	return s
}

// Forget begins a function's counts again. What it used stays known.
func (g *Ground) Forget(function string) {
	g.books.mu.Lock()
	defer g.books.mu.Unlock()
	p := g.books.page(function)
	p.seen, p.tries = Seen{Ops: map[string]int{}}, map[string]try{}
}

// Used is a right that a function was seen to use.
type Used struct {
	Function string `json:"function"`
	Use
	Count int `json:"count"`
}

// Used gives what every function used, in order. The resource of an object ends
// after its first folder, and a KMS key is named by its alias.
func (g *Ground) Used() []Used {
	g.books.mu.Lock()
	defer g.books.mu.Unlock()
	var out []Used
	for f, p := range g.books.of {
		for u, n := range p.used {
			out = append(out, Used{f, u, n})
		}
	}
	slices.SortFunc(out, func(a, b Used) int {
		return strings.Compare(a.Function+" "+a.Action+" "+a.Resource, b.Function+" "+b.Action+" "+b.Resource)
	})
	return out
}

// WriteUsed writes Used as a JSON file.
func (g *Ground) WriteUsed(path string) error {
	b, err := json.MarshalIndent(g.Used(), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o600)
}

// problem is a refusal as a service words it.
type problem struct {
	status        int
	code, message string
}

// answer sends a problem in a service's own form.
func answer(w http.ResponseWriter, service string, p problem) {
	if service == "s3" {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(p.status)
		_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + p.code + `</Code><Message>` + xmlText(p.message) + `</Message></Error>`))
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Errortype", p.code)
	w.WriteHeader(p.status)
	_, _ = w.Write([]byte(`{"__type":` + strconv.Quote(p.code) + `,"message":` + strconv.Quote(p.message) + `}`))
}

func xmlText(s string) string { return strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s) }

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(v)
}
