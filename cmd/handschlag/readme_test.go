package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README's commands are run as they stand, but for address, keys and folder.
func TestReadmeCommands(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Join(shellBlocks(string(readme)), "\n")
	dir := filepath.Join(t.TempDir(), "shop")
	srv, err := start(t.Context(), serveCmd{place: place{Data: dir}, Listen: "127.0.0.1:0"}, streams{nil, io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	}()
	post(t, srv, srv.Keys.Server, "PUT", "/v1/products", `{"products":[{"product_id":"A13","category":"trousers","product_class":"standard","price_cents":2800,"stock":4,"locales":["de"]}]}`)
	for _, c := range curls(t, blocks) {
		answer := post(t, srv, srv.Keys.Write, "POST", c.path, c.body)
		if want := map[string]string{"/v1/track": `"outcome":"admitted"`, "/v1/escalate": `"offer":"human"`}[c.path]; !strings.Contains(answer, want) {
			t.Errorf("README's %s answered %s", c.path, answer)
		}
	}
	for _, args := range ownCommands(t, blocks) {
		runAsWritten(t, args, dir)
	}
	checkMake(t, string(readme))
}

func shellBlocks(md string) (out []string) {
	for _, part := range strings.Split(md, "```sh\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		out = append(out, block)
	}
	return out
}

type curl struct{ path, body string }

// curls finds every call of the README; a curl that it cannot read is an error.
func curls(t *testing.T, block string) (out []curl) {
	call := regexp.MustCompile(`curl -s -u "\$WRITE:" 127\.0\.0\.1:\d+(/\S+) -H 'Content-Type: application/json' -d '([^']+)'`)
	for _, m := range call.FindAllStringSubmatch(block, -1) {
		out = append(out, curl{m[1], m[2]})
	}
	if n := strings.Count(block, "curl "); n == 0 || len(out) != n {
		t.Errorf("README has %d curl calls, %d of them readable", n, len(out))
	}
	return out
}

func post(t *testing.T, srv *server, key, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(key, "")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 || !json.Valid(b) {
		t.Errorf("%s %s: %d %s (%v)", method, path, res.StatusCode, b, err)
	}
	return string(b)
}

// ownCommands finds the lines that call the binary.
func ownCommands(t *testing.T, block string) (out [][]string) {
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, " #")
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "bin/handschlag "); ok {
			out = append(out, strings.Fields(rest))
		}
	}
	if len(out) == 0 {
		t.Error("README calls the binary nowhere")
	}
	return out
}

func runAsWritten(t *testing.T, args []string, dir string) {
	for i := range args {
		if i > 0 && args[i-1] == "--data" && args[i] != dir {
			args[i] = dir
		}
	}
	var out, errs bytes.Buffer
	if code := run(context.WithoutCancel(t.Context()), args, streams{nil, &out, &errs}); code != 0 || out.Len() == 0 {
		t.Errorf("handschlag %s: exit %d, %d bytes, %s", strings.Join(args, " "), code, out.Len(), errs.String())
	}
}

// checkMake holds every make target that the README names against the Makefile.
func checkMake(t *testing.T, readme string) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("`?make ([a-z-]+)").FindAllStringSubmatch(readme, -1) {
		if !regexp.MustCompile(`(?m)^[a-z -]*\b` + regexp.QuoteMeta(m[1]) + `\b[a-z -]*:`).Match(makefile) {
			t.Errorf("README names make %s, which the Makefile does not have", m[1])
		}
	}
}
