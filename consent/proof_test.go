package consent

import (
	"strings"
	"testing"
	"time"
)

func TestADoubleOptInIsWholeOrNone(t *testing.T) {
	sent, later := noon, noon.Add(3*time.Hour)
	for _, c := range []struct {
		name  string
		proof *Proof
		want  bool
	}{
		{"none", nil, false},
		{"asked, not confirmed", &Proof{DOISent: &sent, MailVersion: "2"}, false},
		{"confirmed, never asked", &Proof{DOIConfirmed: &later, MailVersion: "2"}, false},
		{"confirmed before it was asked", &Proof{DOISent: &later, DOIConfirmed: &sent, MailVersion: "2"}, false},
		{"a text that nobody knows", &Proof{DOISent: &sent, DOIConfirmed: &later}, false},
		{"confirmed after three hours", &Proof{DOISent: &sent, DOIConfirmed: &later, MailVersion: "2"}, true},
		{"a call is none", &Proof{CallID: "c", ScriptVersion: "1"}, false},
	} {
		if got := c.proof.Confirmed(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if (&Proof{CallID: "c"}).Spoken() || !(&Proof{CallID: "c", ScriptVersion: "1"}).Spoken() || (*Proof)(nil).Spoken() {
		t.Error("spoken")
	}
}

func TestAGrantKeepsItsProofUntilItEnds(t *testing.T) {
	sent := noon.In(time.FixedZone("", 7200))
	first := on(0, MarketingEmail, Given)
	first.Proof, first.Parental = &Proof{DOISent: &sent, DOIConfirmed: &sent, MailVersion: "2"}, &Parental{Method: "form", Time: sent}
	s := Fold([]Record{first, on(time.Hour, MarketingEmail, Given)})
	if got := s.Standings[MarketingEmail]; !got.Proof.Confirmed() || !got.Parental {
		t.Errorf("renewed: %+v", got)
	}
	s = s.Apply(on(2*time.Hour, MarketingEmail, Withdrawn)).Apply(on(3*time.Hour, MarketingEmail, Given))
	if got := s.Standings[MarketingEmail]; got.Proof != nil || got.Parental {
		t.Errorf("given anew: %+v", got)
	}
	b, err := first.Canonical()
	if err != nil || !strings.Contains(string(b), `"doi_sent":"2026-11-21T12:00:00Z"`) || !strings.Contains(string(b), `"parental":{"method":"form","time":"2026-11-21T12:00:00Z"}`) {
		t.Errorf("%s %v", b, err)
	}
}
