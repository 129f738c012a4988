package policy

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// A table in few lines that say as much as all of it: event kinds and states whose
// cases come out alike stand together, and within them boxes of circumstances.

// boxDims are the circumstances of a box: all of a case but kind, purpose and state.
var boxDims = caseDims[1:]

// Box is a set of circumstances: of each fact one of these values. Its text names
// facts that matter; it is empty for the box of all.
type Box [len(caseDims) - 1]uint8

// boxCases is how many circumstances there are.
var boxCases = func() int {
	n := 1
	for _, d := range boxDims {
		n *= len(d.values)
	}
	return n
}()

// Has reports whether the circumstances with this number lie in the box.
func (b Box) has(cell int) bool {
	for d := len(boxDims) - 1; d >= 0; d-- {
		size := len(boxDims[d].values)
		if b[d]>>(cell%size)&1 == 0 {
			return false
		}
		cell /= size
	}
	return true
}

// Cases is how many circumstances lie in the box.
func (b Box) Cases() int {
	n := 1
	for _, values := range b {
		n *= bits.OnesCount8(values)
	}
	return n
}

// Facts gives the values of each fact, by its name; a fact of which every value is
// in the box has none.
func (b Box) Facts() map[string][]string {
	out := map[string][]string{}
	for d, values := range b {
		if bits.OnesCount8(values) == len(boxDims[d].values) {
			continue
		}
		for i, v := range boxDims[d].values {
			if values>>i&1 == 1 {
				out[boxDims[d].name] = append(out[boxDims[d].name], strings.Trim(v.String(), `"`))
			}
		}
	}
	return out
}

// BoxFacts names the facts of a box, in order.
func BoxFacts() (names []string) {
	for _, d := range boxDims {
		names = append(names, d.name)
	}
	return names
}

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

// labelled is a box whose circumstances share a label.
type labelled struct {
	box   Box
	label int
}

// boxes lays the cells into few disjoint boxes by label; a negative label is left
// out. known remembers what was laid before.
func boxes(known map[string][]labelled, cells []uint32, label func(uint32) int) []labelled {
	labels, key := make([]int, len(cells)), make([]byte, 0, 4*len(cells))
	for i, c := range cells {
		labels[i] = label(c)
		key = binary.LittleEndian.AppendUint32(key, uint32(int32(labels[i])))
	}
	if out, ok := known[string(key)]; ok {
		return out
	}
	var best []labelled
	for i, order := range orders {
		laid := lay(labels, order, Box{}, 0)
		if i == 0 || len(laid) < len(best) {
			best = laid
		}
	}
	known[string(key)] = best
	return best
}

// orders are all orders of a box's facts: which one comes out shortest depends on
// the rules.
var orders = func() (out [][]int) {
	var next func(so []int, left []int)
	next = func(so, left []int) {
		if len(left) == 0 {
			out = append(out, slices.Clone(so))
		}
		for i, d := range left {
			next(append(slices.Clone(so), d), slices.Concat(left[:i], left[i+1:]))
		}
	}
	all := make([]int, len(boxDims))
	for i := range all {
		all[i] = i
	}
	next(nil, all)
	return out
}()

// stride is how far apart two neighbours of a fact are.
func stride(d int) int {
	n := 1
	for _, x := range boxDims[d+1:] {
		n *= len(x.values)
	}
	return n
}

// lay splits by the first fact of the order: values whose cells are alike stay
// together, and each such group is split by the rest.
func lay(labels []int, order []int, b Box, at int) (out []labelled) {
	if len(order) == 0 {
		if labels[at] < 0 {
			return nil
		}
		return []labelled{{b, labels[at]}}
	}
	d := order[0]
	for _, values := range together(len(boxDims[d].values), func(i int) string { return cube(nil, labels, order[1:], at+i*stride(d)) }) {
		b[d] = 0
		for _, i := range values {
			b[d] |= 1 << i
		}
		out = append(out, lay(labels, order[1:], b, at+values[0]*stride(d))...)
	}
	return out
}

// cube is the signature of the cells that lie beyond a place.
func cube(sign []byte, labels []int, order []int, at int) string {
	return string(appendCube(sign, labels, order, at))
}

func appendCube(sign []byte, labels []int, order []int, at int) []byte {
	if len(order) == 0 {
		return binary.LittleEndian.AppendUint32(sign, uint32(int32(labels[at])))
	}
	for i := range boxDims[order[0]].values {
		sign = appendCube(sign, labels, order[1:], at+i*stride(order[0]))
	}
	return sign
}

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
