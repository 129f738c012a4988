package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// replayed prints a report as a person reads it.
func (s streams) replayed(r *replayReport, candidate bool) {
	s.printf("replay from %s to %s, policy in force %.16s\n", r.Since.Format(time.RFC3339), r.Until.Format(time.RFC3339), r.Current)
	s.printf("under their own policy: %s of %d replayable decisions are byte-equal (%d decisions, %d distinct inputs)\n", share(r.Own.Equal, r.Own.Replayed), r.Own.Replayed, r.Decisions, r.Distinct)
	for _, action := range slices.Sorted(maps.Keys(r.Own.ByAction)) {
		a := r.Own.ByAction[action]
		s.printf("  %-9s %d decided, %d replayed, %d equal\n", action, a.Decisions, a.Replayed, a.Equal)
	}
	for _, why := range slices.Sorted(maps.Keys(r.Own.NotReplayable)) {
		s.printf("  not replayable, %s: %d\n", why, r.Own.NotReplayable[why])
	}
	for _, e := range r.Own.Unequal {
		s.example(e)
	}
	c := r.Cases
	s.printf("events: %s of %d replayable case decisions are equal (%d decisions, %d distinct cases; %d cases without a stored event)\n", share(c.Equal, c.Replayed), c.Replayed, c.Decisions, c.Distinct, c.Unused)
	for _, why := range slices.Sorted(maps.Keys(c.NotReplayable)) {
		s.printf("  not replayable, %s: %d\n", why, c.NotReplayable[why])
	}
	if candidate {
		s.changes(r)
	}
	s.printf("CPU: %.2f s for decisions (%d/s), %.2f s for cases (%d/s), of these %.2f s to compile the policies\n", r.CPUSeconds, r.PerSecond, c.CPUSeconds, c.PerSecond, r.LoadSeconds)
	for _, n := range r.Notes {
		s.printf("note: %s\n", n)
	}
}

func share(n, of int64) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%d (%.2f %%)", n, 100*float64(n)/float64(of))
}

func (s streams) example(e replayExample) {
	s.printf("  e.g. %s %s %s\n", strings.ReplaceAll(e.Kind, "_", " "), e.Action, e.ID)
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		s.printf("       %s: %.200s -> %.200s\n", name, e.Fields[name][0], e.Fields[name][1])
	}
}

// changes prints what a candidate would change.
func (s streams) changes(r *replayReport) {
	s.printf("under policy %.16s: %d newly allowed, %d newly denied, %d changed otherwise\n", r.Policy, r.NewlyAllowed, r.NewlyDenied, r.Changed)
	if x := r.Candidate; x != nil {
		for _, id := range slices.Sorted(maps.Keys(x.ByRule)) {
			s.printf("  rule %s: appears in %d, vanishes from %d\n", id, x.ByRule[id].Appears, x.ByRule[id].Vanishes)
		}
		for _, name := range slices.Sorted(maps.Keys(x.BySegment)) {
			n := x.BySegment[name]
			s.printf("  %s: %d newly allowed, %d newly denied, %d changed\n", name, n.NewlyAllowed, n.NewlyDenied, n.Changed)
		}
		for _, name := range slices.Sorted(maps.Keys(x.Fields)) {
			s.printf("  field %s: %d\n", name, x.Fields[name])
		}
		if x.Prices.Higher+x.Prices.Lower > 0 {
			s.printf("  prices: %d higher, %d lower, %+d cents in all\n", x.Prices.Higher, x.Prices.Lower, x.Prices.Cents)
		}
		for _, e := range x.Examples {
			s.example(e)
		}
	}
	c := r.Cases
	s.printf("  events: %d decisions newly denied, %d with other fields; %d cases newly allowed (how often they came is not known)\n", c.NewlyDenied, c.Changed, c.NewlyAllowedCases)
	for _, id := range slices.Sorted(maps.Keys(c.ByRule)) {
		s.printf("  events refused by %s: %d\n", id, c.ByRule[id])
	}
	for _, e := range c.Examples {
		s.printf("  e.g. %s, %d times: %s gains %v loses %v rules %v\n", strings.ReplaceAll(e.Kind, "_", " "), e.N, e.Case, e.Gained, e.Lost, e.Rules)
	}
}
