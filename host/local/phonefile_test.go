package local

import (
	"testing"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// caller is somebody who consented to calls, and was called.
func caller(t *testing.T, o Options) (s *shop, who consent.Subject, record string) {
	t.Helper()
	s = erasable(t, o)
	ada := s.lives(1)
	s.says(ada.s, s.now, consent.Given, consent.MarketingPhone)
	history, err := s.History(ctx, ada.s)
	ok(t, err)
	grant := history[len(history)-1]
	s.now = s.now.Add(100 * aDay)
	_, err = s.Append(ctx, ada.s, func(before consent.State) (consent.Record, error) {
		return consent.PhoneUse(grant, "use-1", before.Version+1, "adviser:mia", s.now), nil
	})
	ok(t, err)
	return s, ada.s, grant.RecordID
}

func recordsOf(e flow.Erasure) (found flow.ErasedStore) {
	for _, store := range e.Stores {
		if store.Store == "consent_records" {
			found = store
		}
	}
	return found
}

// ESC-08: an erasure leaves the file of a consent to calls, restricted, for five
// years from the last call, whatever else the tenant keeps.
func TestESC08DenyErasingTheFileOfAConsentToCalls(t *testing.T) {
	for _, years := range []int{0, 3} {
		s, who, record := caller(t, Options{Retain: Retain{ProofYears: years}})
		e, err := s.Erase(ctx, who, s.now)
		ok(t, err)
		if got := recordsOf(e); got.Method != "sealed" || got.Until == nil || !got.Until.Equal(s.now.AddDate(5, 0, 0)) {
			t.Errorf("%d years: %+v", years, got)
		}
		p, err := s.SealedProof(ctx, record)
		ok(t, err)
		if p.Record.RecordID != record {
			t.Errorf("the proof is of %s", p.Record.RecordID)
		}
	}
}

// ESC-08: after the five years it goes like everything else.
func TestESC08AllowErasingAnOldFile(t *testing.T) {
	s, who, _ := caller(t, Options{})
	s.now = s.now.AddDate(5, 0, 1)
	e, err := s.Erase(ctx, who, s.now)
	ok(t, err)
	if got := recordsOf(e); got.Method != "deleted" {
		t.Errorf("got %+v", got)
	}
}
