package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/runtimeapi"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// bench holds what all measurements share.
type bench struct {
	ctx     context.Context
	dir     string
	names   []string
	only    string
	ground  *awslocal.Ground
	prefix  string
	running map[string]*runtimeapi.Function
	front   http.Handler
	out     *tabwriter.Writer
}

// The keys of the bench's shop.
const (
	writeKey  = "write-key-of-the-bench"
	serverKey = "server-key-of-the-bench"
)

// prepare builds everything, as it ships and for this machine, and makes an account.
func (b *bench) prepare() error {
	for _, arch := range []string{"arm64", ""} {
		if arch != "" && b.only != "" {
			continue
		}
		if err := runtimeapi.Build(b.ctx, ".", filepath.Join(b.dir, arch), arch, b.names...); err != nil {
			return err
		}
	}
	hello := exec.CommandContext(b.ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(b.dir, "hello", "bootstrap"), "./functions/runtimeapi/bench/hello")
	hello.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := hello.CombinedOutput(); err != nil {
		return fmt.Errorf("building hello: %w: %s", err, out)
	}
	b.prefix = "hs-bench"
	return b.ground.Make(b.ctx, b.prefix, b.prefix+"-"+awslocal.AccountID)
}

func (b *bench) start(name string) (*runtimeapi.Function, error) {
	env := append(b.ground.Environment(name), "HANDSCHLAG_AWS="+b.prefix, "HANDSCHLAG_AWS_BUCKETS="+b.prefix+"-"+awslocal.AccountID,
		"HANDSCHLAG_WRITE_KEY="+writeKey, "HANDSCHLAG_SERVER_KEY="+serverKey, "HANDSCHLAG_OIDC_ISSUER=https://id.example", "HANDSCHLAG_OIDC_AUDIENCE=bench")
	if name == "hello" {
		env = nil
	}
	memory := 128
	for _, f := range api.Functions() {
		if f.Name == name {
			memory = f.Memory
		}
	}
	var said bytes.Buffer
	f, err := runtimeapi.Start(filepath.Join(b.dir, name, "bootstrap"), runtimeapi.Options{Name: name, Memory: memory, Env: env, Out: &said})
	if err == nil {
		err = f.Ready(b.ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", name, err, said.String())
	}
	return f, nil
}

// call makes one call and gives its time; any status but want is an error.
func (b *bench) call(want int, method, path, key string, body any) (time.Duration, map[string]any, error) {
	payload, ok := body.(string)
	if !ok {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		payload = string(raw)
	}
	r := httptest.NewRequestWithContext(b.ctx, method, path, strings.NewReader(payload))
	r.Header.Set("Content-Type", "application/json")
	r.SetBasicAuth(key, "")
	w := httptest.NewRecorder()
	began := time.Now()
	b.front.ServeHTTP(w, r)
	took := time.Since(began)
	said, _ := io.ReadAll(w.Body)
	if w.Code != want {
		return took, nil, fmt.Errorf("%s %s: want %d, got %d %s", method, path, want, w.Code, said)
	}
	var out map[string]any
	_ = json.Unmarshal(said, &out)
	return took, out, nil
}

// quantile of sorted durations, the nearest rank.
func quantile(all []time.Duration, q float64) time.Duration {
	all = slices.Sorted(slices.Values(all))
	return all[min(len(all)-1, int(q*float64(len(all))))]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
