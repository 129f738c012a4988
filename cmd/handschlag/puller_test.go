package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/flow"
)

// mirror serves one signed night, and does to its transfers what a test wants.
type mirror struct {
	*httptest.Server
	mu       sync.Mutex
	files    map[string][]byte
	manifest segment.Manifest
	signer   note.Signer
	public   string
	sent     map[string]int64 // bytes of each file that were asked for
	do       func(w http.ResponseWriter, r *http.Request, name string) (handled bool)
}

const mirrored = "2026-11-21"

func newMirror(t testing.TB, size int) *mirror {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "test/exports")
	if err != nil {
		t.Fatal(err)
	}
	m := &mirror{public: public, sent: map[string]int64{}}
	if m.signer, err = note.NewSigner(private); err != nil {
		t.Fatal(err)
	}
	m.publish(t, map[string][]byte{
		"lookers.email.csv": bytes.Repeat([]byte("0123456789abcdef"), size/16), "lookers.ads.csv": []byte("key\n2\n"), "report.json": []byte("{}"),
	})
	m.Server = httptest.NewServer(http.HandlerFunc(m.serve))
	t.Cleanup(m.Close)
	return m
}

// publish makes files the night, replacing what was there.
func (m *mirror) publish(t testing.TB, files map[string][]byte) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.files = files
	m.manifest = segment.Manifest{Schema: "handschlag-export/1", AsOf: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}
	for name, body := range files {
		f := segment.File{Name: name, Kind: "report", Bytes: int64(len(body)), SHA256: hexSum(body)}
		if name == "deliveries.parquet" {
			f.Kind = "deliveries"
		}
		if parts := strings.Split(name, "."); len(parts) == 3 {
			f.Kind, f.Segment, f.Channel = "segment", parts[0], parts[1]
		}
		m.manifest.Files = append(m.manifest.Files, f)
	}
	slices.SortFunc(m.manifest.Files, func(a, b segment.File) int { return strings.Compare(a.Name, b.Name) })
	body, err := json.Marshal(m.manifest)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := note.Sign(&note.Note{Text: fmt.Sprintf("handschlag-export/1\n%s\n%s\n", mirrored, hexSum(body))}, m.signer)
	if err != nil {
		t.Fatal(err)
	}
	files["manifest.json"], files["manifest.json.sig"] = body, signature
}

func hexSum(b []byte) string { sum := sha256.Sum256(b); return hex.EncodeToString(sum[:]) }

func (m *mirror) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer marketing-token" {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"error":{"code":"not_its_right","detail":"the credential is known, but this is not its right"}}`)
		return
	}
	if r.URL.Path == "/v1/exports" {
		_ = json.NewEncoder(w).Encode(flow.ExportsAnswer{Verifier: m.public, Exports: []flow.Export{{Date: mirrored}}})
		return
	}
	name := filepath.Base(r.URL.Path)
	if m.do == nil || !m.do(w, r, name) {
		m.send(w, r, name)
	}
}

func (m *mirror) send(w http.ResponseWriter, r *http.Request, name string) {
	m.mu.Lock()
	body := m.files[name]
	m.mu.Unlock()
	w.Header().Set("ETag", `"`+hexSum(body)+`"`)
	http.ServeContent(&counting{w, m, name}, r, "", time.Time{}, bytes.NewReader(body))
}

type counting struct {
	http.ResponseWriter
	m    *mirror
	name string
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.sent[c.name] += int64(n)
	return n, err
}

// cut sends a file's bytes [at, to) under the length of all the rest, and hangs up.
func (m *mirror) cut(w http.ResponseWriter, r *http.Request, name string, more int) {
	m.mu.Lock()
	body := m.files[name]
	m.mu.Unlock()
	at := 0
	_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &at)
	if at > 0 {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", at, len(body)-1, len(body)))
	}
	w.Header().Set("Content-Length", fmt.Sprint(len(body)-at))
	if at > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	n, _ := w.Write(body[at:min(at+more, len(body))])
	m.mu.Lock()
	m.sent[name] += int64(n)
	m.mu.Unlock()
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// pull runs the command's own code against the mirror.
func (m *mirror) pull(ctx context.Context, to, channel string) (string, error) {
	var out bytes.Buffer
	c := exportPullCmd{exportsAt: exportsAt{Server: m.URL, Token: "marketing-token"}, Date: "latest", Channel: channel, To: to}
	err := c.Run(ctx, streams{out: &out})
	return out.String(), err
}

// whole fails if a name that looks final does not hold the file that the manifest names.
func (m *mirror) whole(t failing, to string) (files int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(to, mirrored))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		body, err := os.ReadFile(filepath.Join(to, mirrored, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(e.Name(), partly) && !bytes.Equal(body, m.files[e.Name()]) {
			t.Fatal(e.Name(), "is under its final name and holds", len(body), "bytes of", len(m.files[e.Name()]))
		}
		files++
	}
	return files
}

type failing interface {
	Helper()
	Fatal(...any)
}

func TestAPullVerifiesAndFetchesNothingTwice(t *testing.T) {
	m, to := newMirror(t, 1<<20), t.TempDir()
	out, err := m.pull(t.Context(), to, "")
	if err != nil || !strings.Contains(out, "pulled 3 files") || !strings.Contains(out, "3 files as signed by test/exports") || m.whole(t, to) != 5 {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err = m.pull(t.Context(), to, ""); err != nil || !strings.Contains(out, "pulled 0 files, 0 bytes; 3 were there already") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := segment.Verify(filepath.Join(to, mirrored), ""); err != nil {
		t.Errorf("the pulled folder beside its key: %v", err)
	}
}

func TestAPullOfOneChannelVerifies(t *testing.T) {
	m, to := newMirror(t, 64), t.TempDir()
	out, err := m.pull(t.Context(), to, "email")
	if err != nil || !strings.Contains(out, "1 file of rows is not here, never fetched or gone since expired: lookers.ads.csv\n") {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(filepath.Join(to, mirrored, "lookers.ads.csv")); err == nil {
		t.Error("the other channel's rows were fetched")
	}
	if _, err := m.pull(t.Context(), to, "fax"); err == nil || !strings.Contains(err.Error(), `no channel "fax", but ads, email`) {
		t.Errorf("got %v", err)
	}
}

// After a whole pull nothing is said to be missing that nobody could fetch; a file that
// somebody changed is named, with what to do, and the next pull mends it.
func TestAPulledFolderSaysWhatIsNotThere(t *testing.T) {
	m, to := newMirror(t, 64), t.TempDir()
	m.publish(t, map[string][]byte{"lookers.email.csv": []byte("key\n1\n"), "deliveries.parquet": []byte("all"), "report.json": []byte("{}")})
	verify := func() (string, error) {
		var out bytes.Buffer
		err := exportVerifyCmd{Night: filepath.Join(to, mirrored)}.Run(streams{nil, &out, io.Discard})
		return out.String(), err
	}
	pulled, err := m.pull(t.Context(), to, "")
	if err != nil {
		t.Fatal(err)
	}
	out, err := verify()
	if err != nil || !strings.HasSuffix(pulled, out) || strings.Contains(out, "never fetched") || !strings.Contains(out, "1 file is not here, which is handed out to nobody: deliveries.parquet\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(to, mirrored, "lookers.email.csv"), []byte("key\n2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(); err == nil || !strings.Contains(err.Error(), "lookers.email.csv is not what the manifest says") || !strings.Contains(err.Error(), "run export pull again") {
		t.Errorf("got %v", err)
	}
	if _, err := m.pull(t.Context(), to, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := verify(); err != nil {
		t.Error(err)
	}
}

// However often the line breaks, wherever, each byte is sent once and the file is right.
func TestAPullGoesOnWhereTheLineBroke(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		cuts := rapid.SliceOfN(rapid.IntRange(0, 5000), 0, 4).Draw(r, "cuts")
		m, to := newMirror(t, 8192), t.TempDir()
		m.do = func(w http.ResponseWriter, req *http.Request, name string) bool {
			if name != "lookers.email.csv" || len(cuts) == 0 {
				return false
			}
			more := cuts[0]
			cuts = cuts[1:]
			m.cut(w, req, name, more)
			return true
		}
		impatient(t)
		out, err := m.pull(t.Context(), to, "")
		if err != nil || m.whole(r, to) != 5 {
			r.Fatal(err, out)
		}
		if got := m.sent["lookers.email.csv"]; got != 8192 {
			r.Fatal("sent", got, "bytes of 8192")
		}
	})
}

// impatient makes tries follow each other at once.
func impatient(t testing.TB) {
	was := betweenTries
	betweenTries = time.Microsecond
	t.Cleanup(func() { betweenTries = was })
}

// Ctrl-C in the middle: nothing half is under a final name, and the next pull asks for
// the rest alone.
func TestAStoppedPullLeavesAPartAndGoesOn(t *testing.T) {
	m, to := newMirror(t, 1<<20), t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	m.do = func(w http.ResponseWriter, r *http.Request, name string) bool {
		if name != "lookers.email.csv" || ctx.Err() != nil {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(1<<20))
		_, _ = w.Write(m.files[name][:300000])
		_ = http.NewResponseController(w).Flush()
		for info, err := os.Stat(filepath.Join(to, mirrored, name+partly)); err != nil || info.Size() < 300000; info, err = os.Stat(filepath.Join(to, mirrored, name+partly)) {
			time.Sleep(time.Millisecond)
		}
		stop()
		<-r.Context().Done()
		return true
	}
	if _, err := m.pull(ctx, to, ""); err == nil || !strings.Contains(err.Error(), "interrupted: 1 of 3 files are in") || !strings.Contains(err.Error(), "the same command goes on") {
		t.Fatalf("got %v", err)
	}
	m.whole(t, to)
	if _, err := os.Stat(filepath.Join(to, mirrored, "manifest.json")); err == nil {
		t.Error("half a night has a manifest")
	}
	if _, err := m.pull(t.Context(), to, ""); err != nil {
		t.Fatal(err)
	}
	m.whole(t, to)
	if got := m.sent["lookers.email.csv"]; got != 1<<20-300000 {
		t.Errorf("the second pull was sent %d bytes, want the rest alone", got)
	}
}

// A part of an earlier run, or one that somebody spoilt, is not built upon.
func TestAPartOfAnotherFileIsThrownAway(t *testing.T) {
	for name, part := range map[string]int{"as long": 8192, "shorter": 4000, "longer": 9000} {
		t.Run(name, func(t *testing.T) {
			m, to := newMirror(t, 8192), t.TempDir()
			if err := os.MkdirAll(filepath.Join(to, mirrored), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(to, mirrored, "lookers.email.csv"+partly), bytes.Repeat([]byte("x"), part), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := m.pull(t.Context(), to, ""); err != nil || m.whole(t, to) != 5 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestARunOfTheSameDateReplacesThePulledOne(t *testing.T) {
	m, to := newMirror(t, 64), t.TempDir()
	if _, err := m.pull(t.Context(), to, ""); err != nil {
		t.Fatal(err)
	}
	m.publish(t, map[string][]byte{"lookers.email.csv": []byte("key\nother\n"), "report.json": []byte("{}")})
	if _, err := m.pull(t.Context(), to, ""); err != nil || m.whole(t, to) != 4 {
		t.Errorf("%v, %d files", err, m.whole(t, to))
	}
}

// A pull that was stopped, and a new run before the next: nothing of the first stays.
func TestAPartOfAnEarlierRunGoes(t *testing.T) {
	impatient(t)
	m, to := newMirror(t, 8192), t.TempDir()
	m.do = func(w http.ResponseWriter, r *http.Request, name string) bool {
		return name == "lookers.email.csv" && (r.Header.Get("Range") != "" && teapot(w) || never10(m, w, r, name))
	}
	if _, err := m.pull(t.Context(), to, ""); err == nil {
		t.Fatal("a broken file was pulled")
	}
	m.do = nil
	m.publish(t, map[string][]byte{"report.json": []byte("{}")})
	if out, err := m.pull(t.Context(), to, ""); err != nil || m.whole(t, to) != 3 {
		t.Errorf("%v, %d files\n%s", err, m.whole(t, to), out)
	}
}

func never10(m *mirror, w http.ResponseWriter, r *http.Request, name string) bool {
	m.cut(w, r, name, 10)
	return true
}

// What the mirror sends is not what was signed: however it lies, nothing gets its name.
func TestAPullBelievesOnlyWhatWasSigned(t *testing.T) {
	impatient(t)
	for name, c := range map[string]struct {
		lie  func(*mirror)
		want string
	}{
		"another file": {func(m *mirror) { m.files["lookers.email.csv"] = bytes.Repeat([]byte("x"), 64) }, "not what the manifest says"},
		"another manifest": {func(m *mirror) {
			m.files["manifest.json"] = bytes.Replace(m.files["manifest.json"], []byte("email"), []byte("e-mai"), 1)
		}, "not the one that was signed"},
		"another key":  {func(m *mirror) { m.public = newMirror(t, 16).public }, "the server says that its manifests are signed with"},
		"no signature": {func(m *mirror) { m.files["manifest.json.sig"] = nil }, "opening the manifest's signature"},
		"never enough": {func(m *mirror) {
			m.do = func(w http.ResponseWriter, r *http.Request, n string) bool {
				return n == "lookers.email.csv" && never(m, w, r, n)
			}
		}, "fetching lookers.email.csv"},
		"gone (EXP-06)":   {func(m *mirror) { m.do = gone }, "EXP-06: this file expired"},
		"the wrong bytes": {func(m *mirror) { m.do = shifted(m) }, "asked for the bytes from"},
		"an envelope of it": {func(m *mirror) {
			m.do = func(w http.ResponseWriter, _ *http.Request, n string) bool {
				return n == "lookers.email.csv" && teapot(w)
			}
		}, "status 418"},
	} {
		t.Run(name, func(t *testing.T) {
			m, to := newMirror(t, 64), t.TempDir()
			before := m.public
			if err := os.WriteFile(filepath.Join(to, "verifier"), []byte(before+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.lie(m)
			if out, err := m.pull(t.Context(), to, ""); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\n%s", err, out)
			}
			for _, of := range []string{"lookers.email.csv", "manifest.json"} {
				if _, err := os.Stat(filepath.Join(to, mirrored, of)); err == nil {
					t.Errorf("%s has its name", of)
				}
			}
		})
	}
}

func never(m *mirror, w http.ResponseWriter, r *http.Request, name string) bool {
	m.cut(w, r, name, 0)
	return true
}

func teapot(w http.ResponseWriter) bool { w.WriteHeader(http.StatusTeapot); return true }

func gone(w http.ResponseWriter, _ *http.Request, name string) bool {
	if name != "lookers.email.csv" {
		return false
	}
	w.WriteHeader(http.StatusGone)
	_, _ = io.WriteString(w, `{"error":{"code":"export_expired","detail":"EXP-06: this file expired"}}`)
	return true
}

// shifted breaks off once, and then goes on at another byte than it was asked for.
func shifted(m *mirror) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, name string) bool {
		if name != "lookers.email.csv" {
			return false
		}
		if r.Header.Get("Range") == "" {
			m.cut(w, r, name, 10)
		}
		w.Header().Set("Content-Range", "bytes 0-53/64")
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(m.files[name][:54])
		return true
	}
}

// A link leads to a store that knows neither our token nor our tags; one that ran out
// is asked for again.
func TestALinkIsFollowedWithoutTheToken(t *testing.T) {
	impatient(t)
	m, to := newMirror(t, 8192), t.TempDir()
	asked := 0
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.Header.Get("Authorization") != "" || r.Header.Get("If-Range") != "" {
			t.Errorf("the store was told %v", r.Header)
		}
		switch asked {
		case 1:
			m.cut(w, r, "lookers.email.csv", 1000)
		case 2: // as S3 answers to a link that has run out
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
		default:
			m.send(w, r, "lookers.email.csv")
		}
	}))
	defer store.Close()
	m.do = func(w http.ResponseWriter, r *http.Request, name string) bool {
		if name != "lookers.email.csv" {
			return false
		}
		http.Redirect(w, r, store.URL, http.StatusFound)
		return true
	}
	if out, err := m.pull(t.Context(), to, ""); err != nil || asked != 3 || m.sent["lookers.email.csv"] != 8192 {
		t.Errorf("%v, asked %d times, sent %d\n%s", err, asked, m.sent["lookers.email.csv"], out)
	}
}

func TestATokenTravelsUnderTLSOnly(t *testing.T) {
	for server, ok := range map[string]bool{
		"https://shop.example": true, "http://127.0.0.1:8080": true, "http://localhost:1/": true, "http://[::1]:9": true,
		"http://shop.example": false, "http://10.0.0.1": false, "ftp://shop.example": false, "shop.example": false, "https://a:b@shop.example": false,
	} {
		if _, err := (exportsAt{Server: server}).url(); (err == nil) != ok {
			t.Errorf("%s: %v", server, err)
		}
	}
	c := exportPullCmd{exportsAt: exportsAt{Server: "https://shop.example"}, To: t.TempDir()}
	if err := c.Run(t.Context(), streams{out: io.Discard}); err == nil || !strings.Contains(err.Error(), "HANDSCHLAG_TOKEN") {
		t.Errorf("without a token: %v", err)
	}
}

func TestAnotherRoleMayNotPull(t *testing.T) {
	m := newMirror(t, 64)
	c := exportPullCmd{exportsAt: exportsAt{Server: m.URL, Token: "adviser-token"}, To: t.TempDir()}
	if err := c.Run(t.Context(), streams{out: io.Discard}); err == nil || !strings.Contains(err.Error(), m.URL+" refused the token: set HANDSCHLAG_TOKEN to a token of staff there with the role marketing") || !strings.Contains(err.Error(), "not its right") {
		t.Errorf("got %v", err)
	}
}

func TestTwoPullsDoNotMix(t *testing.T) {
	m, to := newMirror(t, 64), t.TempDir()
	if err := os.MkdirAll(filepath.Join(to, mirrored), 0o700); err != nil {
		t.Fatal(err)
	}
	other, err := openPart(filepath.Join(to, mirrored, "lookers.email.csv"+partly))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	if _, err := m.pull(t.Context(), to, ""); err == nil || !strings.Contains(err.Error(), "another pull") {
		t.Errorf("got %v", err)
	}
}
