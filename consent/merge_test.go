package consent

import (
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func side(id byte, p Purpose, s Status) State {
	state := State{Subject: Subject{id}}
	if s != "" {
		state.Standings = map[Purpose]Standing{p: {Status: s, Since: noon.Add(-time.Hour), Until: noon.Add(year)}}
	}
	return state
}

func TestTogether(t *testing.T) {
	const dev, per, both = Analytics, MarketingEmail, PersonalisationContent
	var absent State
	nobody := side(0, both, Given)
	for _, c := range []struct {
		name            string
		p               Purpose
		device, account State
		want            Status
	}{
		{"nobody said anything", both, side(1, both, ""), side(2, both, ""), Unknown},
		{"device purpose, no decision on this device (T12)", dev, side(1, dev, ""), side(2, dev, Given), Unknown},
		{"device purpose, a device we do not know (T12)", dev, absent, side(2, dev, Given), Unknown},
		{"device purpose, phone refused, desktop granted", dev, side(1, dev, Refused), side(2, dev, Given), Refused},
		{"device purpose, given here", dev, side(1, dev, Given), side(2, dev, Refused), Given},
		{"device purpose, nobody logged in", dev, side(1, dev, Given), absent, Given},
		{"either purpose, no decision on this device (T12)", both, side(1, both, ""), side(2, both, Given), Given},
		{"either purpose, a device we do not know", both, absent, side(2, both, Given), Given},
		{"either purpose, nobody logged in", both, side(1, both, Given), absent, Given},
		{"either purpose, person undecided", both, side(1, both, Given), side(2, both, ""), Given},
		{"device refused, account given (T13)", both, side(1, both, Refused), side(2, both, Given), Refused},
		{"device given, account refused", both, side(1, both, Given), side(2, both, Refused), Refused},
		{"device given, account withdrawn", both, side(1, both, Given), side(2, both, Withdrawn), Withdrawn},
		{"device withdrawn, account given", both, side(1, both, Withdrawn), side(2, both, Given), Withdrawn},
		{"both given", both, side(1, both, Given), side(2, both, Given), Given},
		{"account purpose, given on the device only", per, side(1, per, Given), side(2, per, ""), Unknown},
		{"account purpose, nobody logged in", per, side(1, per, Given), absent, Unknown},
		{"nobody's decision is none", both, nobody, nobody, Unknown},
		{"account purpose, refused on the device", per, side(1, per, Refused), side(2, per, Given), Given},
	} {
		if got := Together(c.device, c.account, c.p, noon).Status; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestTogetherCountsTheNarrowerInterval(t *testing.T) {
	const p = AdviserAssist
	d, a := side(1, p, Given), side(2, p, Given)
	d.Standings[p] = Standing{Status: Given, Since: noon.Add(-time.Hour), Until: noon.Add(2 * time.Hour), RecordID: "d", Explicit: true}
	a.Standings[p] = Standing{Status: Renewed, Since: noon.Add(-2 * time.Hour), Until: noon.Add(time.Hour), RecordID: "a"}
	got := Together(d, a, p, noon)
	want := Standing{Status: Given, Since: noon.Add(-time.Hour), Until: noon.Add(time.Hour), RecordID: "d"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := Together(d, a, p, noon.Add(time.Hour)).Status; got != Expired {
		t.Errorf("one side lapsed: %s", got)
	}
}

// TestTogetherNeverSaysMoreThanItsSides: a valid answer needs a yes, no no from a
// side that counts, and never reaches further than either yes.
func TestTogetherNeverSaysMoreThanItsSides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, a, at := Fold(history(t)), Fold(history(t)), noon.Add(8*year)
		if rapid.Bool().Draw(t, "no device") {
			d = State{}
		}
		p := rapid.SampledFrom([]Purpose{Analytics, PersonalisationContent}).Draw(t, "purpose")
		got, ds, as := Together(d, a, p, at), d.At(p, at), a.At(p, at)
		if !got.Status.Valid() {
			return
		}
		if p.Reach() == OnDevice && !reflect.DeepEqual(got, ds) {
			t.Fatalf("%+v, but the device says %+v", got, ds)
		}
		for _, s := range []Standing{ds, as} {
			if p.Reach() == OnEither && s.Status != Unknown && (!s.Status.Valid() || got.Since.Before(s.Since) || got.Until.After(s.Until)) {
				t.Fatalf("%+v reaches beyond %+v", got, s)
			}
		}
	})
}
