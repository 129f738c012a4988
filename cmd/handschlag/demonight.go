package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// nightRun is what running one night cost: a process of its own.
type nightRun struct {
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	PeakMB     float64 `json:"peak_mb"`
}

// figures are measured while the demo plays; everything else is read back from storage.
type figures struct {
	ReplaySeconds float64    `json:"replay_seconds"`
	ServerPeakMB  float64    `json:"server_peak_mb"`
	Nights        []nightRun `json:"nights"`
}

// measure takes this process's peak memory: both servers and the demo's client.
func (f *figures) measure(d *demoRun) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err == nil {
		f.ServerPeakMB = float64(u.Maxrss) / rssPerMB
	}
	f.Nights = nil
	for _, sh := range d.shops {
		f.Nights = append(f.Nights, sh.night)
	}
}

// nights runs both shops' nights side by side, and asks for content once more
// on the morning after.
func (d *demoRun) nights(ctx context.Context, morning time.Time) error {
	errs := make([]error, len(d.shops))
	var wg sync.WaitGroup
	for i, sh := range d.shops {
		wg.Go(func() {
			errs[i] = sh.setClock(morning)
			if errs[i] == nil {
				errs[i] = d.runNight(ctx, sh, morning)
			}
			if errs[i] == nil {
				errs[i] = d.world.MorningAfter(ctx, sh.shop)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// runNight runs `handschlag nightly` as a process of its own, as cron would.
func (d *demoRun) runNight(ctx context.Context, sh *demoShop, asOf time.Time) error {
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this binary: %w", err)
	}
	cmd := exec.CommandContext(ctx, exe, "nightly", "--data", sh.dir, "--config", sh.config, "--as-of", asOf.Format(time.DateOnly), "--patient")
	cmd.Env = append(os.Environ(), "HANDSCHLAG_CLOCK=@"+sh.clock)
	cmd.Stdout, cmd.Stderr = prefixed{"night of " + sh.key + ": ", d.out.out}, prefixed{"night of " + sh.key + ": ", d.out.err}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C of the terminal reaches it once, from here: it clears up
	began := time.Now()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running the night of %s: %w", sh.key, err)
	}
	sh.night.Seconds = time.Since(began).Seconds()
	sh.night.CPUSeconds = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		sh.night.PeakMB = float64(u.Maxrss) / rssPerMB
	}
	return nil
}

// prefixed says whose line it is.
type prefixed struct {
	name string
	to   io.Writer
}

// Write puts the name before each line.
func (p prefixed) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		if _, err := fmt.Fprintf(p.to, "%s%s", p.name, line); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// nextPort gives the address of the i-th shop.
func nextPort(listen string, i int) (string, error) {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return "", fmt.Errorf("--listen: want HOST:PORT, got %q", listen)
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65534 {
		return "", fmt.Errorf("--listen: want a port from 0 to 65534, got %q", port)
	}
	if n > 0 {
		n += i
	}
	return net.JoinHostPort(strings.TrimSpace(host), strconv.Itoa(n)), nil
}

func demoClient() *http.Client {
	return &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
}
