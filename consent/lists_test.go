package consent

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var saturday = time.Date(2026, 11, 21, 11, 0, 0, 0, time.UTC)

// said is a record that says yes or no to purposes by a method.
func said(version uint64, method string, yes bool, ps ...Purpose) Record {
	at := saturday.Add(time.Duration(version) * time.Minute)
	r := Record{RecordID: "r", Version: version, PurposesShown: ps, Event: Act{Time: at, Method: method}, Validity: Validity{From: at, Until: at.AddDate(1, 0, 0)}}
	for _, p := range ps {
		c := Choice{Purpose: p, Status: Refused}
		if yes {
			c.Status = Given
		}
		r.Purposes = append(r.Purposes, c)
	}
	return r
}

func entry(version uint64, l List, scope string, on bool) Entry {
	return Entry{List: l, Scope: scope, On: on, At: saturday.Add(time.Duration(version) * time.Minute), Version: version}
}

var allMarketing = []Purpose{MarketingEmail, MarketingSMS, MarketingPush, MarketingPhone, MarketingPost, AdsThirdParty}

func TestEXP03DenyAnObjectionStopsEveryChannelDespiteConsent(t *testing.T) {
	s := State{}.Apply(said(1, "save", true, MarketingEmail)).Note(entry(2, ObjectionList, DirectMarketing, true))
	for _, p := range allMarketing {
		if !s.Objected(p) {
			t.Errorf("%s goes on after the objection", p)
		}
	}
	if !s.At(MarketingEmail, saturday.Add(time.Hour)).Status.Valid() || s.Version != 2 {
		t.Error("an objection is no withdrawal, and moves the version")
	}
}

func TestEXP03AllowAnObjectionToMarketingLeavesTheRest(t *testing.T) {
	s := State{}.Note(entry(1, ObjectionList, DirectMarketing, true))
	for _, p := range []Purpose{EssentialService, AdviserCase, Analytics, FraudSecurity} {
		if s.Objected(p) || s.SuppressedFor(p) {
			t.Errorf("%s stopped", p)
		}
	}
}

// T16: a later yes to one channel by itself reopens that channel and no other.
func TestSIG04AllowALaterYesToOneChannelLiftsTheObjectionForIt(t *testing.T) {
	for _, r := range []Record{said(2, "save", true, MarketingEmail), said(2, "accept", true, MarketingEmail), said(2, "individual_notice", true, MarketingEmail)} {
		s := State{}.Note(entry(1, ObjectionList, DirectMarketing, true)).Apply(r)
		if s.Objected(MarketingEmail) {
			t.Errorf("by %s: still objected", r.Event.Method)
		}
		for _, p := range allMarketing[1:] {
			if !s.Objected(p) {
				t.Errorf("by %s: %s was reopened too", r.Event.Method, p)
			}
		}
		if again := s.Note(entry(3, ObjectionList, DirectMarketing, true)); !again.Objected(MarketingEmail) || len(again.Objections) != 1 {
			t.Errorf("a second objection left %v", again.Objections)
		}
		if off := s.Note(entry(3, ObjectionList, DirectMarketing, false)); len(off.Objections) != 0 {
			t.Errorf("taken back, %v is left", off.Objections)
		}
	}
}

func TestSIG04DenyNothingElseLiftsAnObjectionOrASuppression(t *testing.T) {
	objected := State{}.Note(entry(1, ObjectionList, DirectMarketing, true))
	for name, r := range map[string]Record{
		"accept all":              said(2, "accept", true, MarketingEmail, Analytics),
		"a no":                    said(2, "save", false, MarketingEmail),
		"a yes to something else": said(2, "save", true, Analytics),
	} {
		if !objected.Apply(r).Objected(MarketingEmail) {
			t.Errorf("%s lifted the objection", name)
		}
	}
	for _, channel := range []string{"email", AllChannels} {
		s := State{}.Note(entry(1, SuppressionList, channel, true)).Apply(said(2, "save", true, MarketingEmail))
		if !s.SuppressedFor(MarketingEmail) {
			t.Errorf("a yes lifted the suppression of %s", channel)
		}
	}
	profiling := State{}.Note(entry(1, ObjectionList, Profiling, true)).Apply(said(2, "save", true, PersonalisationContent))
	if !profiling.Objected(PersonalisationContent) || profiling.Objected(Analytics) {
		t.Error("an objection to profiling stops what profiles, and is taken back by request alone")
	}
}

func TestSuppressionIsByChannel(t *testing.T) {
	s := State{}.Note(entry(1, SuppressionList, "email", true))
	if !s.SuppressedFor(MarketingEmail) || s.SuppressedFor(MarketingSMS) || s.SuppressedFor(Analytics) {
		t.Errorf("e-mail alone is suppressed: %v", s.Suppressed)
	}
	if s = s.Note(entry(2, SuppressionList, "email", false)); s.SuppressedFor(MarketingEmail) {
		t.Error("the person's own word opens the channel again")
	}
}

func TestWhatOutlivesErasure(t *testing.T) {
	s := State{}.Note(entry(1, ObjectionList, DirectMarketing, true))
	if got := s.Outliving(); !slices.Equal(got, []string{AllChannels}) {
		t.Errorf("an objection to all outlives as %v", got)
	}
	got := s.Apply(said(2, "save", true, MarketingEmail)).Outliving()
	slices.Sort(got)
	if !slices.Equal(got, []string{"ads", "phone", "post", "push", "sms"}) {
		t.Errorf("all but e-mail outlives as %v", got)
	}
	if got := (State{}).Note(entry(1, ObjectionList, Profiling, true)).Outliving(); got != nil {
		t.Errorf("an objection to profiling outlives as %v", got)
	}
}

func TestScopesAndChannelsAreClosedLists(t *testing.T) {
	for scope, ok := range map[string]bool{
		"direct_marketing": true, "profiling": true, "tracking": true, "li:fraud_security": true, "li:marketing_post": true,
		"": false, "li:": false, "li:analytics": false, "li:nothing": false, "marketing": false, "direct_marketing:marketing_sms": false,
	} {
		if ObjectionScope(scope) != ok {
			t.Errorf("scope %q: want %v", scope, ok)
		}
	}
	for channel, ok := range map[string]bool{"email": true, "ads": true, "all": true, "": false, "fax": false} {
		if SuppressedChannel(channel) != ok {
			t.Errorf("channel %q: want %v", channel, ok)
		}
	}
}

// Whatever is said, an objection that stands and a suppression are stops that no
// accept-all lifts; and telling the story again gives the same state.
func TestNothingButTheOwnWordLiftsAStop(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		var s State
		var records []Record
		var entries []Entry
		var moments []State
		for v := range uint64(rapid.IntRange(1, 15).Draw(r, "steps")) {
			was := s
			if rapid.Bool().Draw(r, "record") {
				ps := rapid.SliceOfNDistinct(rapid.SampledFrom(allMarketing), 1, 4, func(p Purpose) Purpose { return p }).Draw(r, "purposes")
				rec := said(v+1, rapid.SampledFrom(Methods).Draw(r, "method"), rapid.Bool().Draw(r, "yes"), ps...)
				s, records = s.Apply(rec), append(records, rec)
				for _, p := range allMarketing {
					lifted := was.Objected(p) && !s.Objected(p)
					if was.SuppressedFor(p) != s.SuppressedFor(p) || lifted && (!specific(rec) || !slices.Contains(ps, p)) {
						r.Fatalf("%s: %+v made %v of %v", p, rec.Purposes, s, was)
					}
				}
			} else {
				l := rapid.SampledFrom([]List{ObjectionList, RestrictionList, SuppressionList}).Draw(r, "list")
				scope := map[List][]string{ObjectionList: {DirectMarketing, Profiling}, RestrictionList: {""}, SuppressionList: {"email", AllChannels}}[l]
				e := entry(v+1, l, rapid.SampledFrom(scope).Draw(r, "scope"), rapid.Bool().Draw(r, "on"))
				s, entries = s.Note(e), append(entries, e)
				if s.Listed(l, e.Scope) != e.On {
					r.Fatalf("%+v made %+v", e, s)
				}
			}
			moments = append(moments, s)
		}
		for i, want := range moments {
			at := saturday.Add(time.Duration(i+1) * time.Minute)
			got := Retold(records, entries, at)
			if got.Version != want.Version || got.Restricted != want.Restricted || !slices.Equal(got.Objections, want.Objections) ||
				!slices.Equal(got.Suppressed, want.Suppressed) || len(got.Standings) != len(want.Standings) {
				r.Fatalf("as of step %d: retold %+v, was %+v", i+1, got, want)
			}
		}
	})
}

func TestOnlyReplacedEntriesOfLongAgoGo(t *testing.T) {
	at := func(year int) time.Time { return time.Date(year, 7, 1, 0, 0, 0, 0, time.UTC) }
	all := []Entry{
		{List: ObjectionList, Scope: Profiling, On: true, At: at(2020), Version: 1},
		{List: ObjectionList, Scope: Tracking, On: true, At: at(2020), Version: 2},
		{List: ObjectionList, Scope: Profiling, At: at(2021), Version: 3},
		{List: RestrictionList, On: true, At: at(2021), Version: 4},
		{List: ObjectionList, Scope: Profiling, On: true, At: at(2024), Version: 5},
		{List: RestrictionList, At: at(2024), Version: 6},
	}
	for year, want := range map[int][]uint64{2023: {}, 2024: {1}, 2025: {1, 3, 4}, 2050: {1, 3, 4}} {
		got := []uint64{}
		for _, e := range Outdated(all, 3, at(year)) {
			got = append(got, e.Version)
		}
		if !slices.Equal(got, want) {
			t.Errorf("in %d: got %v, want %v", year, got, want)
		}
	}
}
