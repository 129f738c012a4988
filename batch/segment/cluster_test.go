package segment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// buysAlike lets people from to till buy: so many orders on a day, of about so much.
func (s *shop) buysAlike(from, till int, day time.Time, orders int, cents int64) {
	for n := from; n < till; n++ {
		s.says(subject(n), consent.Given, monday.Add(-time.Hour), basis, consent.ModelTraining)
		for o := range orders {
			at := day.Add(time.Duration(n) * time.Second).Add(time.Duration(o) * time.Minute)
			s.sees(subject(n), event.OrderCompleted, at, event.Fields{OrderKey: at.UnixNano(), CartCents: cents + int64(n%7)*10})
		}
	}
}

// grouped is a night in which each group is a segment of its own.
func (s *shop) grouped(asOf time.Time, k, threads int) Inputs {
	in := s.night(asOf)
	in.Threads, in.Config.Micro = threads, config.MicroSegments{K: k, Buyers: 100}
	in.Config.Segments = nil
	for g := range 6 {
		in.Config.Segments = append(in.Config.Segments, config.Segment{
			Name: fmt.Sprint("group", g), Where: fmt.Sprint("orders_90d > 0 and micro_segment = ", g), Purposes: []consent.Purpose{consent.MarketingEmail},
		})
	}
	return in
}

// groupOf is the one group that all of them are in; "" if they are in several.
func groupOf(res Result, from, till int) string {
	one := held(res)[subject(from)].Segments
	for n := from; n < till; n++ {
		if !slices.Equal(held(res)[subject(n)].Segments, one) || len(one) != 1 {
			return ""
		}
	}
	return one[0]
}

func TestLikeBuyersAreGroupedUnderTheSameNumberEveryNight(t *testing.T) {
	s := newShop(t)
	s.buysAlike(0, 60, monday, 1, 1000)                     // long ago, seldom, low
	s.buysAlike(60, 130, monday.AddDate(0, 0, 9), 8, 90000) // recent, often, high
	s.buysAlike(130, 180, monday.AddDate(0, 0, 9), 1, 1100) // recent, seldom, low
	// One did not agree to training: not learnt from, and placed all the same.
	s.says(subject(70), consent.Refused, monday, consent.ModelTraining)
	// One objected to being profiled, and is nowhere.
	objector := s.subjects[subject(71)]
	objector.objections = []string{consent.Profiling}
	s.subjects[subject(71)] = objector
	first := s.run(s.grouped(monday.AddDate(0, 0, 10), 3, 1))
	var labels []string
	for _, g := range [][2]int{{0, 60}, {60, 71}, {72, 130}, {130, 180}} {
		labels = append(labels, groupOf(first, g[0], g[1]))
	}
	if labels[0] == "" || labels[1] != labels[2] || labels[0] == labels[1] || labels[3] == labels[1] || labels[3] == labels[0] || slices.Contains(labels, "group0") {
		t.Fatalf("groups %v", labels)
	}
	if in := held(first)[subject(71)].Segments; len(in) > 0 {
		t.Errorf("the objector is in %v", in)
	}
	names := map[string]string{}
	for _, m := range first.Report.Micro {
		names[fmt.Sprint("group", m.Label)] = m.Name.En
		if m.Persons == nil || *m.Persons < 25 {
			t.Errorf("%+v", m)
		}
	}
	if names[labels[0]] != "seldom, long ago, low" || names[labels[1]] != "often, recent, high" || len(names) != 3 {
		t.Errorf("names %v of %v", names, labels)
	}
	s.buysAlike(200, 300, monday.AddDate(0, 0, 10), 1, 50) // a new group, before the others in every order
	second := s.run(s.grouped(monday.AddDate(0, 0, 11), 4, 2))
	for i, g := range [][2]int{{0, 60}, {60, 71}, {72, 130}, {130, 180}} {
		if now := groupOf(second, g[0], g[1]); now != labels[i] {
			t.Errorf("persons %v were in %s, and are in %q", g, labels[i], now)
		}
	}
	if now := groupOf(second, 200, 300); now != "group4" {
		t.Errorf("the new ones are in %q", now)
	}
}

func TestTheSameNightGroupsAlikeAgainWithAnyThreads(t *testing.T) {
	s := newShop(t)
	for n := range 9 {
		s.buysAlike(20*n, 20*n+20, monday.AddDate(0, 0, n%3), 1+n%4, int64(500+n*n*300))
	}
	var bodies []string
	for _, threads := range []int{1, 4, 1} {
		res := s.run(s.grouped(monday.AddDate(0, 0, 3), 4, threads))
		kept, err := os.ReadFile(filepath.Join(s.dir, "night", groupsFile))
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, fmt.Sprintf("%s %s %v", kept, mustJSON(t, res.Report), held(res)))
	}
	if bodies[0] != bodies[1] || bodies[0] != bodies[2] {
		t.Errorf("three nights over the same differ:\n%s\n%s\n%s", bodies[0], bodies[1], bodies[2])
	}
}

// TestFewBuyersAreInNoGroup: neither when all are few, nor a group that is; its middle
// is told and kept nowhere.
func TestFewBuyersAreInNoGroup(t *testing.T) {
	s := newShop(t)
	s.buysAlike(0, 80, monday, 1, 1000)
	if res := s.run(s.grouped(monday.AddDate(0, 0, 2), 2, 1)); groupOf(res, 0, 80) != "group0" || len(res.Report.Micro) != 0 {
		t.Errorf("80 buyers of 100 are in %q, %+v", groupOf(res, 0, 80), res.Report.Micro)
	}
	s.buysAlike(80, 140, monday, 6, 9000)
	s.buysAlike(140, 150, monday.AddDate(0, 0, 1), 40, 9_000_000)
	res := s.run(s.grouped(monday.AddDate(0, 0, 2), 3, 1))
	if groupOf(res, 140, 150) != "group0" || groupOf(res, 80, 140) == "group0" || len(res.Report.Micro) != 2 {
		t.Errorf("ten are in %q, sixty in %q; told %+v", groupOf(res, 140, 150), groupOf(res, 80, 140), res.Report.Micro)
	}
	kept, err := readGroups(filepath.Join(s.dir, "night"))
	if err != nil || len(kept.Groups) != 2 {
		t.Errorf("kept %+v, %v", kept, err)
	}
}

func TestDamagedGroupsStopTheNight(t *testing.T) {
	s := newShop(t)
	s.buysAlike(0, 60, monday, 1, 1000)
	s.buysAlike(60, 120, monday, 5, 9000)
	in := s.grouped(monday.AddDate(0, 0, 1), 2, 1)
	s.run(in)
	path := filepath.Join(s.dir, "night", groupsFile)
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(body), "\"label\": 1", "\"label\": 2", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), s.grouped(monday.AddDate(0, 0, 1), 2, 1)); err == nil || !strings.Contains(err.Error(), groupsFile) {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(filepath.Join(s.dir, "night", "state.json")); err != nil { // the way out that the error names
		t.Fatal(err)
	}
	s.run(s.grouped(monday.AddDate(0, 0, 1), 2, 1))
}
