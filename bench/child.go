package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/local"
)

// A child is this program with a role in its environment. It answers one line of
// JSON to each line of its standard input and ends when that closes.
const (
	roleVar = "HANDSCHLAG_BENCH_ROLE"
	dataVar = "HANDSCHLAG_BENCH_DATA"

	roleNull  = "null"  // reads bodies and answers 200
	roleParse = "parse" // parses them, too
	roleShop  = "shop"  // api over flow over host/local
)

// The keys of the shop under test.
const (
	writeKey  = "bench-write-key"
	serverKey = "bench-server-key"
)

// report is a child's answer.
type report struct {
	Addr  string  `json:"addr,omitempty"`
	CPU   float64 `json:"cpu,omitempty"` // seconds of the process so far
	Waits []int64 `json:"waits,omitempty"`
	Error string  `json:"error,omitempty"`
}

// server is a child at work.
type server struct {
	http *http.Server
	addr string
	flow *flow.Flow
	host *timed
}

func child(role string, in io.Reader, out io.Writer) error {
	s, err := serve(role)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	if err := enc.Encode(report{Addr: s.addr}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(in); lines.Scan(); {
		r, err := s.obey(strings.Fields(lines.Text()))
		if err != nil {
			r.Error = err.Error()
		}
		r.CPU = cpu(syscall.RUSAGE_SELF)
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	err = s.http.Close()
	if s.host != nil {
		err = errors.Join(err, s.host.Close())
	}
	return err
}

// obey does what a line says.
func (s *server) obey(words []string) (report, error) {
	switch {
	case len(words) == 1 && words[0] == "cpu":
		return report{}, nil
	case len(words) == 2 && words[0] == "profile":
		f, err := os.Create(words[1])
		if err != nil {
			return report{}, err
		}
		return report{}, pprof.StartCPUProfile(f)
	case len(words) == 1 && words[0] == "stop":
		pprof.StopCPUProfile()
		return report{}, nil
	case len(words) == 2 && words[0] == "allocs":
		f, err := os.Create(words[1])
		if err != nil {
			return report{}, err
		}
		return report{}, errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
	case len(words) == 1 && words[0] == "waits" && s.host != nil:
		return report{Waits: s.host.waits.drain()}, nil
	case len(words) == 1 && words[0] == "adviser" && s.flow != nil:
		return report{}, adviser(s.flow)
	case len(words) == 2 && words[0] == "escalate" && s.flow != nil:
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return report{}, err
		}
		return report{}, escalate(s.flow, n)
	}
	return report{}, fmt.Errorf("unknown command %q", words)
}

func serve(role string) (*server, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{addr: ln.Addr().String()}
	switch role {
	case roleNull:
		s.http = &http.Server{Handler: http.HandlerFunc(null), ReadHeaderTimeout: 5 * time.Second}
	case roleParse:
		s.http = &http.Server{Handler: http.HandlerFunc(parsing), ReadHeaderTimeout: 5 * time.Second}
	case roleShop:
		if err := s.openShop(os.Getenv(dataVar)); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("unknown role %q", role)
	}
	go func() { _ = s.http.Serve(ln) }()
	return s, nil
}

// null is the least that a server can do with a batch.
func null(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 500<<10)); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"success":true}`)
}

// bodies are buffers that parsing uses again, as the shop does.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// parsing is the least that a server can do that looks at what it is sent.
func parsing(w http.ResponseWriter, r *http.Request) {
	b := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(b)
	b.Reset()
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, 500<<10))
	if err == nil {
		_, err = event.ParseBatch(b.Bytes())
	}
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"success":true}`)
}

// openShop opens what `handschlag serve` opens, with the host's clock-watching
// wrapper and the default configuration.
func (s *server) openShop(dir string) error {
	ctx, cfg := context.Background(), config.Default()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	h, err := local.Open(ctx, dir, local.Options{Clock: time.Now, Tenant: cfg.Tenant, Log: log})
	if err != nil {
		return err
	}
	s.host = &timed{Host: h}
	queue, err := desk.NewQueue(cfg.Offers.JoinURL)
	if err != nil {
		return err
	}
	if s.flow, err = flow.New(ctx, cfg, s.host, queue, time.Now, "bench"); err != nil {
		return err
	}
	s.http = api.Server(api.New(s.flow, api.Options{WriteKey: writeKey, ServerKey: serverKey, Contact: cfg.Contact, Version: "bench", Log: log}), log)
	return nil
}

// cpu is what a process, or its ended children, used so far, user and system.
func cpu(who int) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}
