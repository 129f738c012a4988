package policy

import (
	"slices"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Delta is what differs between two verdicts of a case.
type Delta struct {
	Was, Is        bool // allowed
	Gained, Lost   event.FieldSet
	Appear, Vanish []string // rules that refuse now, and no longer
	key            string
}

// Changed is some kinds of event for a purpose in some states that come out
// otherwise, with the circumstances of each change.
type Changed struct {
	Kinds   []event.Kind
	Purpose consent.Purpose
	States  []CaseState
	Changes []BoxChange
}

// BoxChange is a change under some circumstances.
type BoxChange struct {
	Box   Box
	Delta Delta
}

// Differences counts cases by how they changed.
type Differences struct {
	NewlyKept   int `json:"newly_kept"`
	NoLonger    int `json:"no_longer_kept"`
	OtherFields int `json:"other_fields"`
	OtherRules  int `json:"other_rules"` // refused before and after, by other rules
	Same        int `json:"same"`
}

// Diff says what changed from one table to another.
func Diff(was, is *Table, n Narrow) ([]Changed, Differences) {
	known, changes := map[[2]uint32]uint32{}, []Delta{}
	byText := map[string]uint32{}
	look := func(i int) uint32 {
		pair := [2]uint32{was.at[i], is.at[i]}
		if at, ok := known[pair]; ok {
			return at
		}
		c := changeOf(was.verdicts[pair[0]], is.verdicts[pair[1]])
		at, ok := byText[c.key]
		if !ok {
			at = uint32(len(changes))
			changes, byText[c.key] = append(changes, c), at
		}
		known[pair] = at
		return at
	}
	var out []Changed
	var count Differences
	boxed := map[string][]labelled{}
	for _, g := range alike(n, look) {
		x := Changed{Purpose: gatePurposes[g.purpose]}
		for _, c := range g.cells {
			count.add(changes[c], len(g.kinds)*len(g.states))
		}
		for _, b := range boxes(boxed, g.cells, func(c uint32) int {
			if changes[c].none() {
				return -1
			}
			return int(c)
		}) {
			x.Changes = append(x.Changes, BoxChange{b.box, changes[b.label]})
		}
		if len(x.Changes) == 0 {
			continue
		}
		for _, k := range g.kinds {
			x.Kinds = append(x.Kinds, event.Kind(k))
		}
		for _, s := range g.states {
			x.States = append(x.States, caseStates[s])
		}
		out = append(out, x)
	}
	return out, count
}

func changeOf(was, is Verdict) Delta {
	c := Delta{Was: was.Allowed, Is: is.Allowed, Gained: is.Keep &^ was.Keep, Lost: was.Keep &^ is.Keep, Appear: missing(is.Rules, was.Rules), Vanish: missing(was.Rules, is.Rules)}
	c.key = strings.Join([]string{string([]byte{byte(bit(c.Was)), byte(bit(c.Is))}), strings.Join(c.Gained.Names(), " "), strings.Join(c.Lost.Names(), " "), strings.Join(c.Appear, " "), strings.Join(c.Vanish, " ")}, "\n")
	if c.none() {
		c.key = ""
	}
	return c
}

// missing are those of a that b lacks.
func missing(a, b []string) (out []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

func (c *Delta) none() bool {
	return c.Was == c.Is && c.Gained|c.Lost == 0 && len(c.Appear)+len(c.Vanish) == 0
}

func (d *Differences) add(c Delta, n int) {
	switch {
	case c.none():
		d.Same += n
	case c.Is && !c.Was:
		d.NewlyKept += n
	case c.Was && !c.Is:
		d.NoLonger += n
	case c.Gained|c.Lost != 0:
		d.OtherFields += n
	default:
		d.OtherRules += n
	}
}
