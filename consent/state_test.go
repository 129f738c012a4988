package consent

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const year = 365 * 24 * time.Hour

// on is a record of one choice, made a while after noon and good for a year.
func on(after time.Duration, p Purpose, s Status) Record {
	t := noon.Add(after)
	return Record{
		RecordID: t.Format(time.RFC3339),
		Subject:  Subject{1},
		Purposes: []Choice{{Purpose: p, Status: s, Basis: "6-1-a"}},
		Event:    Act{Time: t},
		Validity: Validity{From: t, Until: t.Add(year)},
	}
}

func TestStandingAtAMoment(t *testing.T) {
	const p, h = PersonalisationContent, time.Hour
	grant, withdraw := on(0, p, Given), on(h, p, Withdrawn)
	for _, c := range []struct {
		name    string
		records []Record
		at      time.Time
		want    Status
		since   time.Duration // after noon, of what is known
	}{
		{"silence is a no", nil, noon, Unknown, 0},
		{"a yes to another purpose is silence", []Record{on(0, Analytics, Given)}, noon, Unknown, 0},
		{"given", []Record{grant}, noon, Given, 0},
		{"withdrawn", []Record{grant, withdraw}, noon.Add(2 * h), Withdrawn, h},
		{"withdrawn at once", []Record{grant, withdraw}, noon.Add(h), Withdrawn, h},
		{"valid to the last moment", []Record{grant}, noon.Add(year - 1), Given, 0},
		{"lapsed to the second", []Record{grant}, noon.Add(year), Expired, 0},
		{"no before any yes is a refusal", []Record{on(0, p, Refused)}, noon, Refused, 0},
		{"no after a yes takes it back", []Record{grant, on(h, p, Refused)}, noon.Add(h), Withdrawn, h},
		{"no after a lapsed yes is a refusal", []Record{grant, on(year, p, Refused)}, noon.Add(year), Refused, year},
		{"no after a withdrawal changes nothing", []Record{grant, withdraw, on(2*h, p, Refused)}, noon.Add(3 * h), Withdrawn, h},
		{"no after no keeps the first", []Record{on(0, p, Refused), on(h, p, Refused)}, noon.Add(h), Refused, 0},
		{"withdrawn twice keeps the first", []Record{grant, withdraw, on(2*h, p, Withdrawn)}, noon.Add(3 * h), Withdrawn, h},
		{"yes after yes is renewed and keeps its start", []Record{grant, on(h, p, Given)}, noon.Add(h), Renewed, 0},
		{"renewed lasts from the renewal", []Record{grant, on(h, p, Given)}, noon.Add(year), Renewed, 0},
		{"yes after a withdrawal starts anew (T4)", []Record{grant, withdraw, on(2*h, p, Given)}, noon.Add(3 * h), Given, 2 * h},
		{"yes after expiry starts anew", []Record{grant, on(year, p, Given)}, noon.Add(year), Given, year},
		{"invalidated (T15)", []Record{grant, on(h, p, Invalidated)}, noon.Add(h), Invalidated, h},
		{"revoked by the shop", []Record{grant, on(h, p, Revoked)}, noon.Add(h), Revoked, h},
		{"yes after invalidation starts anew", []Record{grant, on(h, p, Invalidated), on(2*h, p, Given)}, noon.Add(2 * h), Given, 2 * h},
		{"another purpose's no does not touch it", []Record{grant, on(h, Analytics, Refused)}, noon.Add(h), Given, 0},
		{"a purpose outside the taxonomy is never known", []Record{on(0, "world_peace", Given)}, noon, Unknown, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Fold(c.records).At(p, c.at)
			if got.Status != c.want {
				t.Fatalf("%s, want %s", got.Status, c.want)
			}
			if c.want != Unknown && !got.Since.Equal(noon.Add(c.since)) {
				t.Errorf("since %v, want %v after noon", got.Since.Sub(noon), c.since)
			}
		})
	}
	if s := Fold([]Record{on(0, "world_peace", Given)}).At("world_peace", noon); s.Status != Unknown {
		t.Errorf("a purpose outside the taxonomy is %s", s.Status)
	}
}

func TestAGrantWithoutAnEndIsNone(t *testing.T) {
	r := on(0, Analytics, Given)
	r.Validity = Validity{}
	if s := Fold([]Record{r}).At(Analytics, noon); s.Status != Expired {
		t.Errorf("%s", s.Status)
	}
}

func TestAGrantDoesNotHoldBeforeItBegins(t *testing.T) {
	r := on(0, Analytics, Given)
	r.Validity.From = noon.Add(time.Hour)
	s := Fold([]Record{r})
	if got := s.At(Analytics, noon).Status; got != Unknown {
		t.Errorf("before: %s", got)
	}
	if got := s.At(Analytics, noon.Add(time.Hour)); got.Status != Given || !got.Since.Equal(r.Validity.From) {
		t.Errorf("from then on: %+v", got)
	}
}

func TestExplicitConsentDoesNotReachBack(t *testing.T) {
	health := SpecialCategory("health")
	mere, explicit := on(0, health, Given), on(time.Hour, health, Given)
	explicit.Purposes[0].Explicit = true
	if got := Fold([]Record{mere, explicit}).At(health, noon.Add(time.Hour)); !got.Since.Equal(explicit.Event.Time) || got.Status != Given {
		t.Errorf("%+v", got)
	}
	if got := Fold([]Record{explicit, on(2*time.Hour, health, Given)}).At(health, noon.Add(2*time.Hour)); got.Explicit {
		t.Errorf("a later, merely given consent is still explicit: %+v", got)
	}
}

func TestGrantUntil(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, from string
		months     int
		want       string
	}{
		{"the same day a year on (T14)", "2025-11-20T09:00:00+01:00", 12, "2026-11-20T09:00:00+01:00"},
		{"the same local hour across a clock change", "2026-09-21T10:00:00+02:00", 2, "2026-11-21T10:00:00+01:00"},
		{"no such day: the month's last", "2026-08-31T10:00:00+02:00", 6, "2027-02-28T10:00:00+01:00"},
		{"leap day", "2028-02-29T10:00:00+01:00", 12, "2029-02-28T10:00:00+01:00"},
		{"the day is the shop's, not UTC's", "2026-08-31T23:30:00Z", 1, "2026-10-01T01:30:00+02:00"},
		{"no months hold for no time", "2026-08-31T10:00:00+02:00", 0, "2026-08-31T10:00:00+02:00"},
	} {
		from, err1 := time.Parse(time.RFC3339, c.from)
		want, err2 := time.Parse(time.RFC3339, c.want)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := GrantUntil(from, c.months, berlin); !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v, want %v", c.name, got, want.UTC())
		}
	}
}

func TestAGrantOfTwelveMonthsIsOverTheDayAfter(t *testing.T) {
	r := on(0, Analytics, Given)
	r.Event.Time = time.Date(2025, 11, 20, 8, 0, 0, 0, time.UTC)
	r.Validity = Validity{From: r.Event.Time, Until: GrantUntil(r.Event.Time, 12, time.UTC)}
	s := Fold([]Record{r})
	if got := s.At(Analytics, noon).Status; got != Expired { // T14: 2026-11-21
		t.Errorf("a day late: %s", got)
	}
	if got := s.At(Analytics, r.Validity.Until.Add(-time.Second)).Status; got != Given {
		t.Errorf("the second before: %s", got)
	}
	if got := s.At(Analytics, r.Validity.Until).Status; got != Expired {
		t.Errorf("to the second: %s", got)
	}
}

// history draws a subject's records, in time order.
func history(t *rapid.T) []Record {
	var out []Record
	at := time.Duration(0)
	for i := range rapid.IntRange(0, 12).Draw(t, "records") {
		at += time.Duration(rapid.Int64Range(0, int64(year)).Draw(t, "pause"))
		r := on(at, Analytics, Unknown)
		r.Version = uint64(i + 1)
		r.Validity.Until = r.Event.Time.Add(time.Duration(rapid.Int64Range(-1, int64(year)).Draw(t, "for")))
		r.Purposes = nil
		for _, p := range []Purpose{Analytics, PersonalisationContent, SpecialCategory("health")} {
			if s := rapid.SampledFrom([]Status{"", Given, Given, Renewed, Refused, Withdrawn, Invalidated, Revoked, Requested, "nonsense"}).Draw(t, "status"); s != "" {
				r.Purposes = append(r.Purposes, Choice{Purpose: p, Status: s, Explicit: rapid.Bool().Draw(t, "explicit")})
			}
		}
		out = append(out, r)
	}
	return out
}

func moment(t *rapid.T) time.Time {
	return noon.Add(time.Duration(rapid.Int64Range(-1, int64(8*year)).Draw(t, "moment")))
}

func TestAsOfIsTheFoldOfThePrefix(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, at := history(t), moment(t)
		if len(records) > 0 && rapid.Bool().Draw(t, "at a record") {
			at = rapid.SampledFrom(records).Draw(t, "record").Event.Time
		}
		var want State
		for _, r := range records {
			if !r.Event.Time.After(at) {
				want = want.Apply(r)
			}
		}
		if got := AsOf(records, at); !reflect.DeepEqual(got, want) {
			t.Fatalf("as of %v: %+v, want %+v", at, got, want)
		}
	})
}

// TestValidOnlyAfterAYesThatStillHolds restates the fold backwards: the last
// choice decides, and a valid standing reaches back over nothing but yeses.
func TestValidOnlyAfterAYesThatStillHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records, at := history(t), moment(t)
		got := AsOf(records, at).At(Analytics, at)
		var said []Record
		for _, r := range records {
			if i := slices.IndexFunc(r.Purposes, func(c Choice) bool { return c.Purpose == Analytics }); i >= 0 && !r.Event.Time.After(at) {
				r.Purposes = r.Purposes[i : i+1]
				said = append(said, r)
			}
		}
		last := len(said) - 1
		valid := last >= 0 && said[last].Purposes[0].Status.Valid() && at.Before(said[last].Validity.Until)
		if got.Status.Valid() != valid {
			t.Fatalf("%s, want valid %v", got.Status, valid)
		}
		if !valid {
			return
		}
		for i := last; i >= 0 && !said[i].Event.Time.Before(got.Since); i-- {
			if c := said[i].Purposes[0]; !c.Status.Valid() && said[i].Event.Time.After(got.Since) {
				t.Fatalf("since %v reaches over a %s", got.Since, c.Status)
			}
		}
		if at.Before(got.Since) || got.RecordID != said[last].RecordID {
			t.Fatalf("%+v at %v", got, at)
		}
	})
}

func TestAfterAWithdrawalNothingIsValidUntilANewGrant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := history(t)
		at := time.Duration(0)
		if n := len(records); n > 0 {
			at = records[n-1].Event.Time.Sub(noon)
		}
		p := rapid.SampledFrom([]Purpose{Analytics, PersonalisationContent}).Draw(t, "purpose")
		s := Fold(append(records, on(at, p, rapid.SampledFrom([]Status{Withdrawn, Refused}).Draw(t, "no"))))
		later := noon.Add(at + time.Duration(rapid.Int64Range(0, int64(9*year)).Draw(t, "later")))
		if got := s.At(p, later); got.Status.Valid() {
			t.Fatalf("valid: %+v", got)
		}
		again := s.Apply(on(later.Sub(noon), p, Given)).At(p, later)
		if again.Status != Given || !again.Since.Equal(later) {
			t.Fatalf("the new grant is %+v, want since %v", again, later)
		}
	})
}

func TestApplyLeavesTheStateBeforeAlone(t *testing.T) {
	s := Fold([]Record{on(0, Analytics, Given)})
	s.Apply(on(time.Hour, Analytics, Withdrawn))
	if got := s.At(Analytics, noon.Add(time.Hour)).Status; got != Given {
		t.Errorf("%s", got)
	}
}

func TestWhatARecordBreaks(t *testing.T) {
	health := SpecialCategory("health")
	at := func(months int) time.Time { return time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC).AddDate(0, months, 0) }
	says := func(months int, s Status, ps ...Purpose) Record {
		r := Record{RecordID: fmt.Sprint(months), Event: Act{Time: at(months)}, Validity: Validity{From: at(months), Until: at(months + 12)}}
		for _, p := range ps {
			r.Purposes = append(r.Purposes, Choice{Purpose: p, Status: s})
		}
		return r
	}
	for _, x := range []struct {
		name   string
		before []Record
		r      Record
		want   []Purpose
	}{
		{"a first yes breaks nothing", nil, says(1, Given, Analytics), nil},
		{"a first no breaks nothing", nil, says(1, Refused, Analytics), nil},
		{"a withdrawal breaks its purpose alone", []Record{says(0, Given, Analytics, health)}, says(1, Refused, health), []Purpose{health}},
		{"a renewal breaks nothing", []Record{says(0, Given, Analytics)}, says(1, Given, Analytics), nil},
		{"a yes after the end breaks what was before", []Record{says(0, Given, Analytics)}, says(13, Given, Analytics), []Purpose{Analytics}},
		{"a second no breaks nothing more", []Record{says(0, Given, Analytics), says(1, Refused, Analytics)}, says(2, Refused, Analytics), nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			was := Fold(x.before)
			if got := Broken(was, was.Apply(x.r), x.r); !slices.Equal(got, x.want) {
				t.Errorf("broken %v, want %v", got, x.want)
			}
		})
	}
}
