package segment

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// reportOn runs a night and reads the report that it published.
func reportOn(t *testing.T, s *shop, day int) (r Report) {
	t.Helper()
	in := s.night(monday.AddDate(0, 0, day))
	s.run(in)
	if err := json.Unmarshal(s.read(filepath.Join(in.Out, in.AsOf.Format(time.DateOnly), reportFile)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// dayOf is all that a report tells of the last ingest day.
func dayOf(t *testing.T, r Report) string {
	t.Helper()
	return string(mustJSON(t, []any{r.Fresh.LastDay, r.Fresh.Events, r.Use, r.LeftOut, r.Cost.Events, r.Cost.Fields}))
}

// EXP-07: while no newer day has events, nights and second runs tell of the last one the same,
// whoever withdrew or was erased meanwhile; a kind of which it told nothing stays untold.
func TestADayIsToldAsItWasFirst(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	s.sees(subject(1), event.SizeGuideOpened, monday.Add(time.Hour), event.Fields{Product: "p1"})
	want := dayOf(t, reportOn(t, s, 1))
	s.says(subject(1), consent.Withdrawn, monday.AddDate(0, 0, 1).Add(-time.Minute), basis, consent.Analytics)
	if again := dayOf(t, reportOn(t, s, 1)); again != want {
		t.Errorf("a second run tells %s, the first told %s", again, want)
	}
	if next := dayOf(t, reportOn(t, s, 2)); next != want {
		t.Errorf("the next night tells %s, want %s", next, want)
	}
	s.erase(subject(3))
	if third := dayOf(t, reportOn(t, s, 3)); third != want {
		t.Errorf("after an erasure: %s, want %s", third, want)
	}
	s.visit(subject(0), monday.AddDate(0, 0, 3).Add(time.Hour), 1, 2)
	if r := reportOn(t, s, 4); r.Fresh.LastDay != "2026-11-05" || dayOf(t, r) == want {
		t.Errorf("a new day is told as %s", dayOf(t, r))
	}
	if first := dayOf(t, reportOn(t, s, 1)); first != want {
		t.Errorf("the first date once more: %s, want %s", first, want)
	}
}

// Manifests of two nights do not tell how many events an erasure took from a day.
func TestTheManifestDoesNotCountEvents(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	in := s.night(monday.AddDate(0, 0, 2))
	s.run(in)
	var m struct {
		Sources []map[string]any `json:"sources"`
	}
	if err := json.Unmarshal(s.read(filepath.Join(in.Out, "2026-11-04", manifestFile)), &m); err != nil || len(m.Sources) != 2 {
		t.Fatalf("sources %v, %v", m.Sources, err)
	}
	for _, source := range m.Sources {
		if _, counts := source["rows"]; counts || source["sha256"] == nil || source["day"] == nil {
			t.Errorf("the manifest tells %v", source)
		}
	}
}
