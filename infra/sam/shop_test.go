//go:build sam

package sam_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

type object = map[string]any

// shop is what infra/sam/run started.
type shop struct {
	url, dir  string
	WriteKey  string            `json:"write_key"`
	ServerKey string            `json:"server_key"`
	Staff     map[string]string `json:"staff"`
}

func find(t *testing.T) shop {
	t.Helper()
	s := shop{url: os.Getenv("HANDSCHLAG_SAM_URL"), dir: os.Getenv("HANDSCHLAG_SAM")}
	b, err := os.ReadFile(filepath.Join(s.dir, "shop.json"))
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		t.Fatalf("finding the shop (infra/sam/run test starts it): %v", err)
	}
	return s
}

// call makes a request as the holder of the write key, the server key, as a staff
// role or as nobody, and insists on a status.
func (s shop) call(t *testing.T, status int, method, path, as string, body, out any) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if body == nil {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	r.Header.Set("Content-Type", "application/json")
	switch as {
	case "":
	case "write":
		r.SetBasicAuth(s.WriteKey, "")
	case "server":
		r.SetBasicAuth(s.ServerKey, "")
	default:
		r.Header.Set("Authorization", "Bearer "+s.Staff[as])
	}
	res, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != status {
		t.Fatalf("%s %s: want %d, got %d %s", method, path, status, res.StatusCode, answer.Bytes())
	}
	if out != nil {
		if err := json.Unmarshal(answer.Bytes(), out); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, answer.Bytes())
		}
	}
}

// sequence is the minute's clock: it invokes the consent function without a call.
func (s shop) sequence(t *testing.T) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), filepath.Join(s.dir, "sequence")).CombinedOutput(); err != nil {
		t.Fatalf("growing the ledger: %v %s", err, out)
	}
}
