package awslocal

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

// serve is the proxy: it reads, writes down, refuses, fails, or passes on.
func (g *Ground) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/-/") {
		g.serveSelf(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c := g.books.read(r, body)
	g.books.write(c, r)
	defer g.books.end(c, r)
	if p, no := g.refusal(c); no {
		answer(w, c.service, p)
		return
	}
	l := g.books.draw(c)
	if l.f.Latency > 0 {
		began := time.Now()
		slow := &slowly{ResponseWriter: w, until: began.Add(l.f.Latency)}
		defer func() {
			slow.wait()
			g.spans.note(c.function, began, slow.until)
		}()
		w = slow
	}
	switch l.fault {
	case "throttled":
		answer(w, c.service, throttle(c))
	case "broken":
		answer(w, c.service, broken(c))
	case "conflict":
		meet(w, c)
	case "unheard":
		hold(r)
	case "unanswered":
		g.pass(httptest.NewRecorder(), r, c, l)
		hold(r)
	case "late":
		go g.passLate(r.Clone(context.WithoutCancel(r.Context())), c, l)
		hold(r)
	default:
		g.pass(w, r, c, l)
	}
}

// slowly answers no earlier than at a moment.
type slowly struct {
	http.ResponseWriter
	until time.Time
}

func (s *slowly) wait() { time.Sleep(time.Until(s.until)) }

// WriteHeader waits.
func (s *slowly) WriteHeader(status int) {
	s.wait()
	s.ResponseWriter.WriteHeader(status)
}

// Write waits.
func (s *slowly) Write(b []byte) (int, error) {
	s.wait()
	return s.ResponseWriter.Write(b)
}

// passLate lets a call arrive after its caller has gone, and perhaps has called
// again.
func (g *Ground) passLate(r *http.Request, c *call, l lot) {
	time.Sleep(time.Duration(200+l.dice.IntN(1500)) * time.Millisecond)
	g.pass(httptest.NewRecorder(), r, c, l)
}

// hold keeps the line open and silent until the caller gives up, and then cuts it.
func hold(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Second):
	}
	panic(http.ErrAbortHandler)
}

// pass lets a service answer.
func (g *Ground) pass(w http.ResponseWriter, r *http.Request, c *call, l lot) {
	r.Body = io.NopCloser(bytes.NewReader(c.body))
	switch c.service {
	case "s3":
		g.store.serve(w, r)
	case "firehose":
		g.hose.serve(w, c.op, c.body, l.some(), l.twice())
	case "dynamodb":
		if l.fault == "partial" {
			g.passPart(w, r, c, l)
			return
		}
		if l.f.Stale > 0 && g.passStale(w, r, c, l) {
			return
		}
		g.forward(w, r, g.dynamo.url, c.body)
	default:
		g.forward(w, r, g.moto.url, c.body)
	}
}

// some says of each record whether it is one that a partial failure hits.
func (l lot) some() func(int) bool {
	if l.fault != "partial" {
		return nil
	}
	return func(int) bool { return l.dice.IntN(2) == 0 }
}

func (l lot) twice() func(int) bool {
	return func(int) bool { return l.f.Twice > 0 && l.dice.IntN(1000) < l.f.Twice }
}

// forward passes a request on to a service in another process.
func (g *Ground) forward(w http.ResponseWriter, r *http.Request, to string, body []byte) {
	status, head, answer, err := g.ask(r, to, body)
	if err != nil {
		status, head, answer = http.StatusBadGateway, nil, []byte(err.Error())
		slog.Warn("a service did not answer", "url", to, "call", r.Header.Get("X-Amz-Target"), "error", err)
	}
	relay(w, status, head, answer)
}

func relay(w http.ResponseWriter, status int, head http.Header, answer []byte) {
	for k, v := range head {
		w.Header()[k] = v
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// ask asks a service even if the caller has gone: what was heard is done.
func (g *Ground) ask(r *http.Request, to string, body []byte) (int, http.Header, []byte, error) {
	req, err := http.NewRequest(r.Method, to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header = r.Header.Clone()
	req.Header.Set("Accept-Encoding", "identity")
	req.Host = r.Host
	if to == g.dynamo.url {
		req.Header.Set("Authorization", g.books.atHome(r.Header.Get("Authorization"), body))
	}
	res, err := g.send.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, answer, err
}

// serveSelf lets a process that is not this one flush the streams and read what
// was used.
func (g *Ground) serveSelf(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/-/flush":
		g.Flush()
	case "/-/used":
		reply(w, g.Used())
	default:
		http.NotFound(w, r)
	}
}
