package consent

import (
	"testing"
	"time"
)

// through is a yes to a purpose on a control.
func through(ui string, at time.Time) Record {
	return Record{
		RecordID: ui + at.String(), Purposes: []Choice{{Purpose: Analytics, Status: Given}}, UI: UI{Version: ui}, Notice: Notice{Version: "n-" + ui},
		Event: Act{Time: at}, Validity: Validity{From: at, Until: at.Add(year)},
	}
}

// T15, CON-06: what rests on a control that was invalidated ends with it; what was
// renewed on a sound one begins with the renewal.
func TestCON06DenyGrantsOfAnInvalidatedControl(t *testing.T) {
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	bad := Invalidations{"bad": hour(10)}
	for _, c := range []struct {
		name    string
		records []Record
		at      time.Time
		status  Status
		since   time.Time
	}{
		{"before the day that it falls", []Record{through("bad", noon)}, hour(10).Add(-1), Given, noon},
		{"from that moment on", []Record{through("bad", noon)}, hour(10), Invalidated, hour(10)},
		{"another control", []Record{through("good", noon)}, hour(11), Given, noon},
		{"renewed on a sound one", []Record{through("bad", noon), through("good", hour(1))}, hour(11), Renewed, hour(1)},
		{"renewed on it", []Record{through("good", noon), through("bad", hour(1))}, hour(11), Invalidated, hour(10)},
		{"renewed on a sound one long ago and then on it, and then again", []Record{through("good", noon), through("bad", hour(1)), through("bad", hour(2)), through("good", hour(3))}, hour(11), Renewed, hour(3)},
		{"given again after it fell", []Record{through("bad", noon), through("good", hour(11))}, hour(12), Renewed, hour(11)},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := Fold(c.records)
			got := bad.In(raw, c.at).At(Analytics, c.at)
			if got.Status != c.status || !got.Since.Equal(c.since) {
				t.Errorf("%s since %s, want %s since %s", got.Status, got.Since, c.status, c.since)
			}
			if raw.Standings[Analytics].Status == Invalidated {
				t.Error("the state itself was changed")
			}
		})
	}
}

func TestAGrantNamesItsNoticeAndARefusalNone(t *testing.T) {
	s := Fold([]Record{through("a", noon), through("b", noon.Add(time.Hour))})
	if got := s.Standings[Analytics]; got.Notice() != "n-b" || len(got.Grounds) != 2 {
		t.Errorf("%+v", got)
	}
	no := through("b", noon.Add(2*time.Hour))
	no.Purposes[0].Status = Refused
	if got := s.Apply(no).Standings[Analytics]; got.Notice() != "" || len(got.Grounds) != 0 {
		t.Errorf("%+v", got)
	}
	again := s.Apply(through("b", noon.Add(3*time.Hour)))
	if n := len(again.Standings[Analytics].Grounds); n != 2 {
		t.Errorf("%d grounds", n)
	}
}
