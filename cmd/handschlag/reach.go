package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/handschlag/handschlag/api"
)

// reached is a shop as commands see it: served by another process, or open in
// this one. Both answer by the same handlers.
type reached struct {
	http   *http.Client
	close  func() error
	served bool   // by another process, whose clock counts
	base   string // of a server on the network; "": the owner's own door
	token  string // of staff there
}

// reach finds the shop of a data folder: through admin.sock while a server runs,
// else by opening the folder.
func reach(ctx context.Context, p place, s streams) (*reached, error) {
	if p.isServed(ctx) {
		dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return p.dial(ctx) }
		t := &http.Transport{DialContext: dial}
		return &reached{http: &http.Client{Transport: t}, close: func() error { t.CloseIdleConnections(); return nil }, served: true}, nil
	}
	sh, err := openShop(ctx, p, slog.New(untilStopped{slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}), ctx}))
	if err != nil {
		return nil, err
	}
	return &reached{http: &http.Client{Transport: inProcess{sh.adminHandler()}}, close: sh.Close}, nil
}

// dial knocks at the owner's door of whoever serves the data folder.
func (p place) dial(ctx context.Context) (net.Conn, error) {
	path, free, err := shortPath(p.Data)
	if err != nil {
		return nil, err
	}
	defer free()
	return new(net.Dialer).DialContext(ctx, "unix", adminSocket(path))
}

// isServed tells whether somebody opens it.
func (p place) isServed(ctx context.Context) bool {
	c, err := p.dial(ctx)
	return err == nil && c.Close() == nil
}

// untilStopped is a log that falls silent when somebody stops the command: what
// breaks then is no news.
type untilStopped struct {
	slog.Handler
	ctx context.Context
}

func (u untilStopped) Enabled(ctx context.Context, l slog.Level) bool {
	return u.ctx.Err() == nil && u.Handler.Enabled(ctx, l)
}

// within is with for commands that only look: they make no data folder.
func (p place) within(ctx context.Context, s streams, do func(*reached) error) error {
	if err := thereIs(p.Data); err != nil {
		return err
	}
	return p.with(ctx, s, do)
}

// thereIs says why a data folder cannot be looked into, if it is not one.
func thereIs(data string) error {
	switch info, err := os.Stat(data); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no data folder %s: handschlag serve makes one", data)
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is a file, not a data folder", data)
	}
	// Whatever opens a folder makes what it lacks: looking must not.
	if _, err := os.Stat(filepath.Join(data, "format")); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is not a data folder: it has no file format; handschlag serve makes one", data)
	}
	return nil
}

// with reaches the shop, does something, and lets go of it.
func (p place) with(ctx context.Context, s streams, do func(*reached) error) error {
	r, err := reach(ctx, p, s)
	if err != nil {
		return err
	}
	return errors.Join(do(r), r.close())
}

// call sends in as JSON and reads out; an error's detail becomes the error.
func (r *reached) call(ctx context.Context, method, path string, in, out any) error {
	return r.json(ctx, method, path, "", in, out)
}

// ask is call for the routes of staff.
func (r *reached) ask(ctx context.Context, method, path string, in, out any) error {
	return r.json(ctx, method, path, "staff", in, out)
}

func (r *reached) json(ctx context.Context, method, path, as string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("writing the call: %w", err)
		}
		body = bytes.NewReader(b)
	}
	return r.send(ctx, method, path, as, body, out)
}

// send reads one JSON answer into out.
func (r *reached) send(ctx context.Context, method, path, as string, body io.Reader, out any) error {
	res, err := r.request(ctx, method, path, as, body)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// copy writes an answer as it comes.
func (r *reached) copy(ctx context.Context, path string, to io.Writer) error {
	res, err := r.request(ctx, "GET", path, "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(to, res.Body); err != nil {
		return broken(err)
	}
	return nil
}

// lines calls each for every line of an answer, as it comes. The line is only valid
// during the call.
func (r *reached) lines(ctx context.Context, path string, each func([]byte) error) error {
	res, err := r.request(ctx, "GET", path, "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	in := bufio.NewReaderSize(res.Body, 1<<20)
	for {
		line, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			line, err = wholeLine(in, line)
		}
		if len(line) > 0 && err == nil {
			err = each(line)
		}
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return broken(io.ErrUnexpectedEOF)
		case errors.Is(err, io.ErrUnexpectedEOF):
			return broken(err)
		case err != nil:
			return err
		}
	}
}

// wholeLine reads on where a line is longer than the buffer.
func wholeLine(in *bufio.Reader, begun []byte) ([]byte, error) {
	line := bytes.Clone(begun)
	rest, err := in.ReadBytes('\n')
	return append(line, rest...), err
}

// request gives the answer to a call; one that failed is an error.
func (r *reached) request(ctx context.Context, method, path, as string, body io.Reader) (*http.Response, error) {
	req, err := r.newRequest(ctx, method, path, as, body)
	if err != nil {
		return nil, err
	}
	res, err := r.http.Do(req)
	if err != nil {
		return nil, broken(err)
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer func() { _ = res.Body.Close() }()
	err = refusal(res)
	if nobody := res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden; nobody && r.base != "" {
		err = fmt.Errorf("%s refused the token: set HANDSCHLAG_TOKEN to a token of staff there with the role marketing (%w)", r.base, err)
	}
	return nil, err
}

// newRequest is a call with the credential that the door wants.
func (r *reached) newRequest(ctx context.Context, method, path, as string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, cmp.Or(r.base, "http://admin")+path, body)
	if err != nil {
		return nil, fmt.Errorf("writing the call: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if r.base != "" {
		req.Header.Set("Authorization", "Bearer "+r.token)
	} else {
		req.Header.Set("Owner-As", as)
	}
	return req, nil
}

// refusal is the detail of an error in the envelope of every error.
func refusal(res *http.Response) error {
	var p api.Problem
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&p); err != nil || p.Error.Detail == "" {
		return fmt.Errorf("asking the server: status %d", res.StatusCode)
	}
	return errors.New(p.Error.Detail)
}

// broken says what a call failed of. Whoever answers breaks off only after
// logging why.
func broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the answer broke off in the middle: the log says why")
	}
	return fmt.Errorf("asking the server: %w", err)
}

// inProcess lets a client ask a handler of its own process. The answer is read
// while it is written: a long one is never held whole.
type inProcess struct{ h http.Handler }

// RoundTrip asks the handler. One that broke its answer off is an error, at once or
// while the body is read.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	body, pipe := io.Pipe()
	w := &written{header: http.Header{}, status: http.StatusOK, pipe: pipe, begun: make(chan struct{}), done: make(chan struct{})}
	go w.serve(p.h, r)
	select {
	case <-w.begun:
	case <-r.Context().Done():
		return nil, errors.Join(r.Context().Err(), (&answered{body, w.done}).Close())
	}
	if w.broken {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: w.status, Header: w.header, Body: &answered{body, w.done}, Request: r}, nil
}

// answered is a body that its handler has left alone once it is closed.
type answered struct {
	*io.PipeReader
	done <-chan struct{}
}

// Close lets the handler's writes fail and waits for it.
func (a *answered) Close() error {
	err := a.PipeReader.Close()
	<-a.done
	return err
}

type written struct {
	header http.Header
	status int
	pipe   *io.PipeWriter
	once   sync.Once
	begun  chan struct{}
	done   chan struct{}
	broken bool // before anything was written
}

func (w *written) begin() { w.once.Do(func() { close(w.begun) }) }

// serve runs the handler to its end.
func (w *written) serve(h http.Handler, r *http.Request) {
	defer close(w.done)
	defer func() {
		switch p := recover(); {
		case p == http.ErrAbortHandler:
			w.once.Do(func() { w.broken = true; close(w.begun) })
			_ = w.pipe.CloseWithError(io.ErrUnexpectedEOF)
		case p != nil:
			panic(p)
		default:
			w.begin()
			_ = w.pipe.Close()
		}
	}()
	h.ServeHTTP(w, r)
}

// Header is what the handler sets before it writes.
func (w *written) Header() http.Header { return w.header }

// WriteHeader counts before the first Write.
func (w *written) WriteHeader(status int) { w.status = status }

// Write waits until the body is read.
func (w *written) Write(b []byte) (int, error) { w.begin(); return w.pipe.Write(b) }

// maxSocketPath is the longest path that a unix socket address can hold everywhere.
const maxSocketPath = 100

// shortPath gives a short name of a folder, so that a socket in it can be
// addressed. The caller frees it after use.
func shortPath(dir string) (string, func(), error) {
	if len(adminSocket(dir)) <= maxSocketPath {
		return dir, func() {}, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, fmt.Errorf("opening data folder: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d", f.Fd()), func() { _ = f.Close() }, nil
}
