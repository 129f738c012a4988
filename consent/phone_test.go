package consent

import (
	"reflect"
	"testing"
	"time"
)

func phoneDay(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 10, 0, 0, 0, time.UTC) }

// grantOf is a record that gives marketing_phone.
func grantOf(id string, at time.Time) Record {
	return Record{
		RecordID: id, Version: 1, Subject: Subject{1}, Event: Act{Time: at, Type: "expressed"},
		Purposes: []Choice{{Purpose: MarketingPhone, Status: Given}}, Validity: Validity{From: at, Until: at.AddDate(5, 0, 0)},
	}
}

// ESC-08: grant 2024-03-01, last call 2026-10-10: keep until 2031-10-10.
func TestESC08AllowKeepFiveYearsFromTheLastCall(t *testing.T) {
	grant := grantOf("r1", phoneDay(2024, 3, 1))
	call := PhoneUse(grant, "r2", 2, "adviser:mia", phoneDay(2026, 10, 10))
	if got := PhoneProofUntil([]Record{grant, call}); !got.Equal(phoneDay(2031, 10, 10)) {
		t.Errorf("kept until %s", got)
	}
	if got := PhoneProofUntil([]Record{grant}); !got.Equal(phoneDay(2029, 3, 1)) {
		t.Errorf("without a call kept until %s", got)
	}
}

// ESC-08: the proof may not be deleted on 2029-03-01 in that case.
func TestESC08DenyDeletingFiveYearsFromTheGrant(t *testing.T) {
	grant := grantOf("r1", phoneDay(2024, 3, 1))
	call := PhoneUse(grant, "r2", 2, "adviser:mia", phoneDay(2026, 10, 10))
	if until := PhoneProofUntil([]Record{grant, call}); !phoneDay(2029, 3, 1).Before(until) {
		t.Errorf("could be deleted on 2029-03-01: kept until %s", until)
	}
	foreign := PhoneUse(grantOf("elsewhere", phoneDay(2024, 3, 1)), "r3", 1, "adviser:mia", phoneDay(2026, 10, 10))
	if until := PhoneProofUntil([]Record{foreign}); !until.IsZero() {
		t.Errorf("a use of somebody else's file is kept until %s", until)
	}
}

// A use neither gives nor prolongs anything.
func TestAUseOfAPhoneConsentDecidesNothing(t *testing.T) {
	grant := grantOf("r1", phoneDay(2024, 3, 1))
	before := Fold([]Record{grant})
	after := before.Apply(PhoneUse(grant, "r2", 2, "adviser:mia", phoneDay(2026, 10, 10)))
	if !reflect.DeepEqual(after.Standings, before.Standings) || len(after.Standings) != 1 || after.Version != 2 {
		t.Errorf("before %v, after %v", before, after)
	}
}
