//go:build sam

package sam_test

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/demo"
)

// visitors is how many of the demo's visitors come: enough that each kind is there.
const visitors = 40

// TestSamTheDemoPasses plays the demo against the functions: real clicks of a few
// visitors, and its companion day with accounts, orders, prices, offers, hand-overs,
// content, withdrawals and a kill switch. The demo stops at the first answer that is
// not what the API promises.
func TestSamTheDemoPasses(t *testing.T) {
	s := find(t)
	n := &now{}
	d := &demo.Shop{Name: "SAM", URL: s.url, WriteKey: s.WriteKey, ServerKey: s.ServerKey, Staff: s.Staff, SetClock: n.setClock,
		HTTP: &http.Client{Transport: n, Timeout: time.Minute}}
	w := sample(t)
	began := time.Now()
	if err := w.Replay(t.Context(), d, func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Companion(t.Context(), d, func(done, of int) { t.Logf("companion day: %d of %d, %.0f s", done, of, time.Since(began).Seconds()) }); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, call := range slices.Sorted(maps.Keys(n.answered)) {
		for status, k := range n.answered[call] {
			if calls += k; status >= 400 {
				t.Errorf("%s: %d times %d", call, k, status)
			}
		}
	}
	t.Logf("%d requests of the demo in %.0f s", calls, time.Since(began).Seconds())
	s.remembers(t)
}

// sample keeps the visitors of the demo's first days.
func sample(t *testing.T) *demo.World {
	t.Helper()
	w, err := demo.NewWorld("handschlag", 12)
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for i, d := range w.Days {
		for _, v := range w.Visits[d] {
			last = max(last, v.Visitor)
		}
		if last+1 >= visitors {
			w.Days = w.Days[:i+1]
			break
		}
	}
	w.Visitors = w.Visitors[:last+1]
	return w
}

// remembers checks what the shop's storage holds after the demo, as its staff reads it.
func (s shop) remembers(t *testing.T) {
	t.Helper()
	var stats struct{ Events map[string]int }
	day := time.Now().UTC().Add(-24 * time.Hour)
	s.call(t, 200, "GET", fmt.Sprintf("/v1/stats?from=%s&to=%s", day.Format(time.RFC3339), day.AddDate(0, 0, 2).Format(time.RFC3339)), "dpo", nil, &stats)
	for _, what := range []string{"admitted", "refused", "duplicate"} {
		if stats.Events[what] == 0 {
			t.Errorf("no event was %s: %v", what, stats.Events)
		}
	}
	t.Logf("events: %v", stats.Events)
	for _, action := range []string{"escalate", "handover", "variant", "price", "card", "switch"} {
		var page struct{ Decisions []any }
		s.call(t, 200, "POST", "/v1/decisions/search", "dpo", object{"action": action, "limit": 500}, &page)
		if len(page.Decisions) == 0 {
			t.Errorf("no decision about %s", action)
		}
		t.Logf("decisions about %s: %d", action, len(page.Decisions))
	}
}
