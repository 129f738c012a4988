package policy

import (
	"encoding/binary"
	"slices"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// A table in few lines that say as much as all of it: event kinds and states whose
// cases come out alike stand together, and within them boxes of circumstances.

// Kept is what is kept under some circumstances.
type Kept struct {
	Box  Box
	Keep event.FieldSet
}

// Refusal is a rule with the circumstances under which it refuses.
type Refusal struct {
	Rule  string
	Boxes []Box
}

// Block says what becomes of some kinds of event for a purpose in some states. What
// no box of Kept holds is refused, by every rule that has a box for it.
type Block struct {
	Kinds   []event.Kind
	Purpose consent.Purpose
	States  []CaseState
	Kept    []Kept
	Refused []Refusal
	Night   []Refusal // the same refusals as the night names them
}

// Cases is how many cases a block stands for.
func (b *Block) Cases() int { return len(b.Kinds) * len(b.States) * boxCases }

// verdict is what a block says of the circumstances with a number.
func (b *Block) verdict(cell int) (v Verdict) {
	v.Rules, v.Night = []string{}, []string{}
	for _, k := range b.Kept {
		if k.Box.has(cell) {
			v.Allowed, v.Keep = true, k.Keep
		}
	}
	named := func(all []Refusal) (ids []string) {
		ids = []string{}
		for _, r := range all {
			if slices.ContainsFunc(r.Boxes, func(b Box) bool { return b.has(cell) }) {
				ids = append(ids, r.Rule)
			}
		}
		return ids
	}
	v.Rules, v.Night = named(b.Refused), named(b.Night)
	return v
}

// Narrow chooses a part of a table; zero fields do not.
type Narrow struct {
	Kind    *event.Kind
	Purpose consent.Purpose
}

// group is a part of the table whose cases come out alike, by place in the lists.
type group struct {
	purpose       int
	kinds, states []int
	cells         []uint32 // by circumstances
}

// alike groups kinds, then states, by what look says of their cases.
func alike(n Narrow, look func(number int) uint32) (out []group) {
	for p, purpose := range gatePurposes {
		if n.Purpose != "" && n.Purpose != purpose {
			continue
		}
		for _, kinds := range together(event.KindCount, func(k int) string {
			if n.Kind != nil && int(*n.Kind) != k {
				return ""
			}
			return signature(look, (k*len(gatePurposes)+p)*pageSize, pageSize)
		}) {
			page := (kinds[0]*len(gatePurposes) + p) * pageSize
			for _, states := range together(len(caseStates), func(s int) string { return signature(look, page+s*boxCases, boxCases) }) {
				g := group{purpose: p, kinds: kinds, states: states}
				for cell := range boxCases {
					g.cells = append(g.cells, look(page+states[0]*boxCases+cell))
				}
				out = append(out, g)
			}
		}
	}
	return out
}

// together puts numbers below n with equal, non-empty signatures together.
func together(n int, sign func(int) string) (out [][]int) {
	known := map[string]int{}
	for i := range n {
		s := sign(i)
		if s == "" {
			continue
		}
		at, ok := known[s]
		if !ok {
			at = len(out)
			known[s], out = at, append(out, nil)
		}
		out[at] = append(out[at], i)
	}
	return out
}

func signature(look func(int) uint32, from, n int) string {
	b := make([]byte, 0, 4*n)
	for i := range n {
		b = binary.LittleEndian.AppendUint32(b, look(from+i))
	}
	return string(b)
}

// Blocks gives the table, or a part of it, purpose by purpose.
func (t *Table) Blocks(n Narrow) []Block {
	var out []Block
	boxed := map[string][]labelled{}
	for _, g := range alike(n, func(i int) uint32 { return t.at[i] }) {
		b := Block{Purpose: gatePurposes[g.purpose]}
		for _, k := range g.kinds {
			b.Kinds = append(b.Kinds, event.Kind(k))
		}
		for _, s := range g.states {
			b.States = append(b.States, caseStates[s])
		}
		for _, x := range boxes(boxed, g.cells, func(v uint32) int {
			if !t.verdicts[v].Allowed {
				return -1
			}
			return int(v)
		}) {
			b.Kept = append(b.Kept, Kept{x.box, t.verdicts[x.label].Keep})
		}
		b.Refused = t.refusals(boxed, g.cells, func(v Verdict) []string { return v.Rules })
		b.Night = t.refusals(boxed, g.cells, func(v Verdict) []string { return v.Night })
		out = append(out, b)
	}
	return out
}

// refusals gives each rule that refuses among the cells, with its circumstances.
func (t *Table) refusals(boxed map[string][]labelled, cells []uint32, ids func(Verdict) []string) (out []Refusal) {
	var all []string
	for _, v := range slices.Compact(slices.Sorted(slices.Values(cells))) {
		all = append(all, ids(t.verdicts[v])...)
	}
	slices.Sort(all)
	for _, id := range slices.Compact(all) {
		r := Refusal{Rule: id}
		for _, x := range boxes(boxed, cells, func(v uint32) int { return bit(slices.Contains(ids(t.verdicts[v]), id)) - 1 }) {
			r.Boxes = append(r.Boxes, x.box)
		}
		out = append(out, r)
	}
	return out
}

// Row is cases of one verdict.
type Row struct {
	Kinds   []event.Kind
	Purpose consent.Purpose
	States  []CaseState
	Box     Box
	Verdict Verdict
}

// Cases is how many cases a row stands for.
func (r *Row) Cases() int { return len(r.Kinds) * len(r.States) * r.Box.Cases() }

// Rows gives the table, or a part of it, as rows of one verdict each.
func (t *Table) Rows(n Narrow, each func(Row) error) error {
	boxed := map[string][]labelled{}
	for _, g := range alike(n, func(i int) uint32 { return t.at[i] }) {
		r := Row{Purpose: gatePurposes[g.purpose]}
		for _, k := range g.kinds {
			r.Kinds = append(r.Kinds, event.Kind(k))
		}
		for _, s := range g.states {
			r.States = append(r.States, caseStates[s])
		}
		for _, x := range boxes(boxed, g.cells, func(v uint32) int { return int(v) }) {
			r.Box, r.Verdict = x.box, t.verdicts[x.label]
			if err := each(r); err != nil {
				return err
			}
		}
	}
	return nil
}
