package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

func TestDecisionsOfARangeComeInTheOrderOfTheChain(t *testing.T) {
	s := newShop(t)
	for i := range 5 {
		ok(t, s.AppendDecision(ctx, &decide.Record{
			ID: fmt.Sprintf("d%d", i), Time: noon.Add(time.Duration(i) * time.Hour), Action: decide.ActionPrice, Input: []byte(`{}`), Result: []byte(`{}`),
		}))
	}
	for _, x := range []struct {
		from, to time.Time
		want     string
	}{
		{time.Time{}, time.Time{}, "d0 d1 d2 d3 d4 "},
		{noon.Add(time.Hour), noon.Add(3 * time.Hour), "d1 d2 "},
		{noon.Add(4 * time.Hour), time.Time{}, "d4 "},
		{time.Time{}, noon, ""},
	} {
		got := ""
		ok(t, s.ScanDecisions(ctx, x.from, x.to, func(b []byte) error {
			var r decide.Record
			err := json.Unmarshal(b, &r)
			got += r.ID + " "
			return err
		}))
		if got != x.want {
			t.Errorf("from %s to %s: %q, want %q", x.from, x.to, got, x.want)
		}
	}
}

func TestDocumentIsFoundByTheBeginningOfItsDigest(t *testing.T) {
	s := newShop(t)
	ok(t, s.PutDocument(ctx, "aa11", []byte("one")))
	ok(t, s.PutDocument(ctx, "aa22", []byte("two")))
	if digest, body, err := s.FindDocument(ctx, "aa2"); err != nil || digest != "aa22" || string(body) != "two" {
		t.Errorf("got %s %q, %v", digest, body, err)
	}
	if _, _, err := s.FindDocument(ctx, "aa"); err == nil || errors.Is(err, flow.ErrNotFound) {
		t.Errorf("two digests begin so: %v", err)
	}
	for _, none := range []string{"", "bb"} {
		if _, _, err := s.FindDocument(ctx, none); !errors.Is(err, flow.ErrNotFound) {
			t.Errorf("%q: %v", none, err)
		}
	}
}

// The same events count once, whether they are compacted, still in the log, or both.
func TestUsesOfCasesAreCounted(t *testing.T) {
	s := newShop(t)
	who := s.person(1, consent.Analytics, consent.AdviserAssist)
	s.now = noon.Add(4 * aDay)
	s.takes(saw(who, 1, noon.Add(time.Hour)), saw(who, 2, noon.Add(2*time.Hour)), saw(who, 3, noon.Add(aDay)), saw(who, 4, noon.Add(3*aDay)))
	want := map[CaseUse]int64{
		{consent.Analytics, event.CaseID(1<<64 - 1), 1 << event.FieldProduct, "p1"}: 2,
		{consent.AdviserAssist, 2, 1 << event.FieldPrice, "p1"}:                     2,
	}
	count := func(when string) {
		got, err := s.CaseUses(ctx, noon.Add(2*time.Hour), noon.Add(3*aDay))
		ok(t, err)
		if len(got) != len(want) {
			t.Errorf("%s: %v", when, got)
		}
		for use, n := range want {
			if got[use] != n {
				t.Errorf("%s: %+v is counted %d times, want %d", when, use, got[use], n)
			}
		}
	}
	count("in the log")
	s.nightly(noon.Truncate(aDay).Add(2 * aDay))
	count("compacted")
}
