package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/api"
)

type serveCmd struct {
	place
	Listen  string `default:"127.0.0.1:8080" help:"HOST:PORT to listen on; port 0 chooses one."`
	Verbose bool   `help:"Log every request, too: method, route, status, bytes, time; never who."`
}

// drainFor is how long a stop waits for calls that are under way.
const drainFor = 10 * time.Second

// Run serves until the context ends.
func (c serveCmd) Run(ctx context.Context, s streams) error {
	srv, err := start(ctx, c, s)
	if err != nil {
		return err
	}
	for _, line := range srv.notices() {
		s.printf("%s\n", line)
	}
	select {
	case <-ctx.Done():
		s.printf("stopping: finishing what is under way\n")
	case err = <-srv.failed:
	}
	return errors.Join(err, srv.Close())
}

// server is a shop that listens.
type server struct {
	URL    string
	Keys   keys
	shop   *shop
	staff  bool
	http   *http.Server
	admin  *http.Server
	failed chan error
}

// start opens the folder, listens, and serves. The caller closes the server.
func start(ctx context.Context, c serveCmd, s streams) (*server, error) {
	if err := loopbackOnly(c.Listen); err != nil {
		return nil, err
	}
	_, odd, err := checkConfig(ctx, c.Config)
	if err != nil {
		return nil, err
	}
	ln, err := listen(c.Listen)
	if err != nil {
		return nil, err
	}
	level := slog.LevelInfo
	if c.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: level}))
	for _, line := range odd {
		log.Warn(line)
	}
	sh, err := openShop(ctx, c.place, log)
	if err != nil {
		_ = ln.Close()
		return nil, err
	}
	var srv *server
	if err = sh.warn(ctx); err == nil {
		srv, err = sh.serve(ln)
	}
	if err != nil {
		_ = ln.Close()
		return nil, errors.Join(err, sh.Close())
	}
	return srv, nil
}

// warn logs a line for each purpose or channel that the register stops, and why (LAW-01),
// and for a scorecard of the night that is not used.
func (sh *shop) warn(ctx context.Context) error {
	lines, err := sh.flow.Warnings(ctx)
	for _, line := range append(lines, sh.cfg.IdleChannels()...) {
		sh.log.Warn(line)
	}
	return err
}

func listen(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: choose another address with --listen", address)
	}
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return ln, nil
}

// serve answers on ln and on admin.sock.
func (sh *shop) serve(ln net.Listener) (*server, error) {
	o, k, err := sh.options()
	if err != nil {
		return nil, err
	}
	sock, err := listenAdmin(sh.dir)
	if err != nil {
		return nil, err
	}
	srv := &server{
		URL: "http://" + ln.Addr().String(), Keys: k, shop: sh, staff: o.Staff != nil,
		http: api.Server(api.New(sh.flow, o), sh.log), admin: &http.Server{Handler: sh.adminHandler(), ReadHeaderTimeout: 5 * time.Second},
		failed: make(chan error, 2),
	}
	go srv.run(srv.http, ln)
	go srv.run(srv.admin, sock)
	return srv, nil
}

func (srv *server) run(h *http.Server, ln net.Listener) {
	if err := h.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		srv.failed <- fmt.Errorf("serving: %w", err)
	}
}

// options say who may come in.
func (sh *shop) options() (api.Options, keys, error) {
	k, err := loadKeys(sh.dir)
	if err != nil {
		return api.Options{}, keys{}, err
	}
	identity, err := identityFromEnv()
	if err != nil {
		return api.Options{}, keys{}, err
	}
	staff, err := staffFromEnv(sh.clock)
	if err != nil {
		return api.Options{}, keys{}, err
	}
	return api.Options{
		WriteKey: k.Write, ServerKey: k.Server, Identity: identity, Staff: staff, Origins: sh.cfg.CORS, Contact: sh.cfg.Contact,
		Version: version, Log: sh.log, Now: sh.clock.Now, Gate: sh.gate,
	}, k, nil
}

// gate refuses every call while nobody knows the time.
func (sh *shop) gate() error {
	if err := sh.clock.Check(); err != nil {
		return fmt.Errorf("knowing the time: %w", err)
	}
	return nil
}

// notices are what a start says, a line each.
func (srv *server) notices() []string {
	out := []string{"handschlag " + version + " listens on " + srv.URL, "data folder: " + srv.shop.dir}
	if srv.Keys.Made {
		out = append(out, "keys made at this first start, kept in the data folder under keys/:",
			"  write key (public): "+srv.Keys.Write, "  server key (secret): "+srv.Keys.Server)
	}
	if _, ok := srv.shop.clock.(*fileClock); ok {
		out = append(out, "time is read from the file of HANDSCHLAG_CLOCK: "+srv.shop.clock.Now().Format(time.RFC3339))
	}
	if !srv.staff {
		out = append(out, "nobody is staff: set HANDSCHLAG_OIDC_ISSUER, or HANDSCHLAG_STAFF_TOKENS on loopback")
	}
	for _, w := range api.Guessable(os.Getenv("HANDSCHLAG_IDENTITY_SECRET"), os.Getenv("HANDSCHLAG_SERVER_KEY")) {
		out = append(out, w+"; choose a longer one before you go live")
	}
	return out
}

// Close finishes what is under way and closes the folder. A sender that stalls is
// cut off in the end: what it had not sent was not acknowledged.
func (srv *server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	if err := errors.Join(srv.http.Shutdown(ctx), srv.admin.Shutdown(ctx)); err != nil {
		srv.shop.log.Warn("cut off calls that did not end", "after", drainFor)
		_ = errors.Join(srv.http.Close(), srv.admin.Close())
	}
	return srv.shop.Close()
}
