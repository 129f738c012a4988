package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// timeShop is a server on a folder of its own, whose clock is a file. A test drives
// it by HTTP alone, runs its nights, and reads what they export.
type timeShop struct {
	t      *testing.T
	dir    string // data folder
	config string
	clock  string // file
	srv    *server
	n      int // of messages

	row    *timeRow // whose step is running
	during func()   // runs once, after the next night's snapshot and before it reads consent again
}

// timeConfig is a small shop: two segments over everybody, groups of ten, and a
// banner of its own that the supervisory authority will object to.
const timeConfig = `
segments:
  - {name: viewers, title: {de: Sahen etwas an, en: Viewed}, where: product_views_28d >= 1}
  - {name: twice, title: {de: Zweimal, en: Twice}, where: product_views_28d >= 2}
exports:
  k: 10
  channels:
    - {name: email, purpose: marketing_email, recipient: mail provider, role: processor}
    - {name: onsite, purpose: personalisation_content, recipient: own shop, role: processor}
ui_versions:
  - {version: banner-1, component: banner, default_state: "off", reject_equal: true}
  - {version: banner-2, component: banner, default_state: "off", reject_equal: true, invalidated_from: "%s"}
`

func openTimeShop(t *testing.T, at time.Time) *timeShop {
	t.Helper()
	dir := t.TempDir()
	s := &timeShop{t: t, dir: filepath.Join(dir, "data"), config: filepath.Join(dir, "handschlag.yaml"), clock: filepath.Join(dir, "clock")}
	t.Setenv("HANDSCHLAG_CLOCK", "@"+s.clock)
	t.Setenv("HANDSCHLAG_WRITE_KEY", "write-key-of-the-table")
	t.Setenv("HANDSCHLAG_SERVER_KEY", "server-key-of-the-table")
	t.Setenv("HANDSCHLAG_STAFF_TOKENS", "dpo:dpo")
	s.setClock(at)
	s.configure("")
	t.Cleanup(func() { s.ok(s.srv.Close()) })
	return s
}

// configure starts the server, or starts it again, with banner-2 invalidated from a time.
func (s *timeShop) configure(invalidated string) {
	s.t.Helper()
	if s.srv != nil {
		s.ok(s.srv.Close())
	}
	s.ok(os.WriteFile(s.config, fmt.Appendf(nil, timeConfig, invalidated), 0o600))
	var err error
	s.srv, err = start(context.Background(), serveCmd{place: s.place(), Listen: "127.0.0.1:0"}, streams{out: io.Discard, err: io.Discard})
	s.ok(err)
}

func (s *timeShop) place() place { return place{Data: s.dir, Config: s.config} }

func (s *timeShop) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("unexpected error: %v", err)
	}
}

// setClock moves the clock file, in one step.
func (s *timeShop) setClock(at time.Time) {
	s.t.Helper()
	s.ok(os.WriteFile(s.clock+".new", []byte(at.UTC().Format(time.RFC3339Nano)+"\n"), 0o600))
	s.ok(os.Rename(s.clock+".new", s.clock))
}

// call asks the server as a key or as staff and reads its answer.
func (s *timeShop) call(as, method, path string, body any, status int) map[string]any {
	s.t.Helper()
	b, err := json.Marshal(body)
	s.ok(err)
	r, err := http.NewRequest(method, s.srv.URL+path, bytes.NewReader(b))
	s.ok(err)
	r.Header.Set("Content-Type", "application/json")
	if as == "dpo" {
		r.Header.Set("Authorization", "Bearer dpo")
	} else {
		r.SetBasicAuth(as+"-key-of-the-table", "")
	}
	res, err := http.DefaultClient.Do(r)
	s.ok(err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	s.ok(err)
	if res.StatusCode != status {
		s.t.Fatalf("%s: %s %s: want %d, got %d %s", s.row.id, method, path, status, res.StatusCode, raw)
	}
	var out map[string]any
	s.ok(json.Unmarshal(raw, &out))
	return out
}

// party is a visitor: a device, an account, or both.
type party struct{ device, user string }

// key that the party's calls need: an account is named by the shop's backend.
func (p party) key() string {
	if p.user != "" {
		return "server"
	}
	return "write"
}

func (p party) about(body map[string]any) map[string]any {
	if p.device != "" {
		body["anonymousId"] = p.device
	}
	if p.user != "" {
		body["userId"] = p.user
	}
	return body
}

// says gives or refuses purposes on a banner.
func (s *timeShop) says(p party, banner string, yes bool, purposes ...consent.Purpose) {
	s.t.Helper()
	choices := map[consent.Purpose]bool{}
	for _, x := range purposes {
		choices[x] = yes
	}
	s.call(p.key(), "POST", "/v1/consent", p.about(map[string]any{
		"purposes": choices, "purposes_shown": purposes, "method": "save",
		"notice": map[string]any{"version": "1", "language": "de"}, "ui": map[string]any{"version": banner},
	}), 201)
}

// views sends a product view that happened at a time, and says what became of it:
// "admitted: PURPOSES" or "refused: RULES".
func (s *timeShop) views(p party, occurred time.Time, stamp map[string]any) string {
	s.t.Helper()
	s.n++
	return s.sends(p, p.about(map[string]any{
		"type": "track", "event": "Product Viewed", "messageId": fmt.Sprintf("m%d", s.n), "timestamp": occurred.Format(time.RFC3339Nano),
		"properties": map[string]any{"product_id": "B12"}, "context": map[string]any{"consent": map[string]any{"categoryPreferences": stamp}},
	}))
}

func (s *timeShop) sends(p party, message map[string]any) string {
	s.t.Helper()
	a := s.call(p.key(), "POST", "/v1/batch", map[string]any{"batch": []any{message}}, 200)
	r := a["results"].([]any)[0].(map[string]any)
	said := r["outcome"].(string) + ":"
	for _, list := range []string{"purposes", "rules"} {
		if names, ok := r[list].([]any); ok {
			said += strings.ReplaceAll(fmt.Sprint(" ", names), "[", "")
		}
	}
	return strings.TrimSuffix(strings.ReplaceAll(said, "  ", " "), "]")
}

// subject is the pseudonym that an identifier has now.
func (s *timeShop) subject(scope consent.Scope, value string) consent.Subject {
	s.t.Helper()
	id, err := consent.NewID(scope, value)
	s.ok(err)
	who, err := s.srv.shop.host.Find(context.Background(), id)
	s.ok(err)
	return who
}

// person is whose row a party has in exports: the account's if there is one.
func (s *timeShop) person(p party) consent.Subject {
	if p.user != "" {
		return s.subject(consent.Account, p.user)
	}
	return s.subject(consent.Device, p.device)
}

// night runs the night of a date while the server serves.
func (s *timeShop) night(date string) {
	s.t.Helper()
	var said bytes.Buffer
	out := writer(func(b []byte) {
		said.Write(b)
		if s.during != nil && bytes.HasPrefix(b, []byte("building days")) {
			do := s.during
			s.during = nil
			do()
		}
	})
	if err := (nightlyCmd{place: s.place(), AsOf: date, MemoryMB: 512, Threads: 1}).Run(context.Background(), streams{out: out, err: io.Discard}); err != nil {
		s.t.Fatalf("night of %s: %v\n%s", date, err, said.String())
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }

// exported reports whether a file of a night's export names a person.
func (s *timeShop) exported(date, file, recipient string, who consent.Subject) bool {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "exports", date, file))
	if os.IsNotExist(err) && strings.HasPrefix(file, "tombstones.") {
		return false
	}
	s.ok(err)
	return bytes.Contains(b, []byte(s.rowKey(recipient, who)))
}

// rowKey is a person's key in a recipient's files.
func (s *timeShop) rowKey(recipient string, who consent.Subject) string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "night", "keys", "rows.key"))
	s.ok(err)
	night, err := hex.DecodeString(strings.Fields(string(b))[0])
	s.ok(err)
	sum := func(key, text []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(text)
		return h.Sum(nil)
	}
	return hex.EncodeToString(sum(sum(night, []byte("recipient\x00"+recipient)), who[:])[:16])
}

// segments are those that the last night put a subject into.
func (s *timeShop) segments(who consent.Subject) []string {
	s.t.Helper()
	m, err := s.srv.shop.host.Membership(context.Background(), who)
	s.ok(err)
	got := slices.Clone(m.Segments)
	slices.Sort(got)
	return got
}

// stored counts the events kept of a subject, up to a day.
func (s *timeShop) stored(who consent.Subject, until time.Time) (n int) {
	s.t.Helper()
	for day := until.AddDate(0, 0, -30); !day.After(until); day = day.AddDate(0, 0, 1) {
		s.ok(s.srv.shop.host.DayEvents(context.Background(), day.Format(time.DateOnly), func(r event.Row) error {
			if r.Subject == who {
				n++
			}
			return nil
		}))
	}
	return n
}

// variant asks for content and gives its id and the mode in which it was chosen.
func (s *timeShop) variant(p party) (variant, mode string) {
	s.t.Helper()
	a := s.call("write", "POST", "/v1/variant", map[string]any{"anonymousId": p.device, "slot": "home_hero"}, 200)
	d := s.call("dpo", "GET", "/v1/decisions/"+a["decision_id"].(string), nil, 200)
	return a["variant"].(string), d["record"].(map[string]any)["result"].(map[string]any)["mode"].(string)
}

// requests makes a rights request by the shop's backend.
func (s *timeShop) requests(p party, request string, more map[string]any) {
	s.t.Helper()
	body := p.about(map[string]any{"request": request})
	for k, v := range more {
		body[k] = v
	}
	a := s.call("server", "POST", "/v1/rights", body, 201)
	got := s.call("server", "GET", "/v1/rights/"+a["request_id"].(string), nil, 200)
	if got["request"] != request || got["due"] != a["due"] {
		s.t.Errorf("%s: the request reads %v, was %v", s.row.id, got, a)
	}
}

// state is where a party stands.
func (s *timeShop) state(p party) flow.StateAnswer {
	s.t.Helper()
	b, err := json.Marshal(s.call(p.key(), "POST", "/v1/consent/state", p.about(map[string]any{}), 200))
	s.ok(err)
	var out flow.StateAnswer
	s.ok(json.Unmarshal(b, &out))
	return out
}
