package policy

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
)

// Table holds the verdict of every case of the event gate.
type Table struct {
	Digests decide.Digests
	Judged  int // cases that OPA judged; the others are the same to the rules

	verdicts []Verdict // distinct; without ids
	at       []uint32  // case number → verdict
	rules    *Rules
}

// Table judges the whole input space of the event gate. Cases that no rule can tell
// apart are judged once (apart.go).
func (r *Rules) Table(ctx context.Context) (*Table, error) {
	if len(r.queries) != 1 || !r.Has(EntryEvent) {
		return nil, fmt.Errorf("making the table of cases: load the %s entry alone", EntryEvent)
	}
	classes, err := r.tellApart(ctx)
	if err != nil {
		return nil, err
	}
	group, first := groups(classes)
	verdicts, err := r.judgeAll(ctx, first)
	if err != nil {
		return nil, fmt.Errorf("making the table of cases: %w", err)
	}
	t := &Table{Digests: r.digests, Judged: len(first), at: group, rules: r}
	place, known := make([]uint32, len(first)), map[string]uint32{}
	for i, v := range verdicts {
		v.ID = 0
		text := string(v.canonical(nil))
		n, ok := known[text]
		if !ok {
			n = uint32(len(t.verdicts))
			known[text], t.verdicts = n, append(t.verdicts, v)
		}
		place[i] = n
	}
	for n, g := range t.at {
		t.at[n] = place[g]
	}
	return t, nil
}

// groups gives each case number its group of cases that are the same to the rules,
// and the first case of each group.
func groups(classes []apart) (group []uint32, first []int) {
	group, known := make([]uint32, CaseSpace), map[uint64]uint32{}
	for n := range CaseSpace {
		kind, purpose, in := split(n)
		c := classes[purpose]
		key := uint64(purpose)<<16 | uint64(c["kind"][kind])
		for d, i := range in {
			key = key<<5 | uint64(c[caseDims[d].name][i])
		}
		g, ok := known[key]
		if !ok {
			g = uint32(len(first))
			known[key], first = g, append(first, n)
		}
		group[n] = g
	}
	return group, first
}

// split takes a case number apart into places in the closed lists.
func split(n int) (kind, purpose int, in [len(caseDims)]int) {
	for d := len(caseDims) - 1; d >= 0; d-- {
		size := len(caseDims[d].values)
		n, in[d] = n/size, n%size
	}
	return n / len(gatePurposes), n % len(gatePurposes), in
}

// judgeAll asks OPA about cases, on all processors. It remembers nothing.
func (r *Rules) judgeAll(ctx context.Context, numbers []int) ([]Verdict, error) {
	out, errs := make([]Verdict, len(numbers)), make([]error, runtime.GOMAXPROCS(0))
	var next atomic.Int64
	var all sync.WaitGroup
	for w := range errs {
		all.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(numbers) {
					return
				}
				if errs[w] = ctx.Err(); errs[w] == nil {
					out[i], _, errs[w] = r.judgeEvent(ctx, caseNumbered(numbers[i]))
				}
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Verdict gives the verdict of a case; false if the case is outside the lists.
func (t *Table) Verdict(c EventCase) (Verdict, bool) {
	n := c.number()
	if n < 0 {
		return Verdict{}, false
	}
	return t.verdicts[t.at[n]], true
}

// Verdicts is how many distinct verdicts there are.
func (t *Table) Verdicts() int { return len(t.verdicts) }

// canonical is a verdict as JSON: what it keeps by name, and why not.
func (v Verdict) canonical(b []byte) []byte {
	list := func(b []byte, name string, items []string) []byte {
		b = append(append(append(b, '"'), name...), `":[`...)
		for i, s := range items {
			b = appendString(comma(b, i), s)
		}
		return append(b, ']')
	}
	keep := slices.Sorted(slices.Values(v.Keep.Names()))
	b = append(b, `{"allowed":`...)
	b = append(b, fmt.Sprint(v.Allowed)...)
	b = list(append(b, ','), "keep", keep)
	b = list(append(b, ','), "night", v.Night)
	b = list(append(b, ','), "rules", v.Rules)
	return append(b, '}')
}

// Proof says how it is known that a table is complete, and names its whole content.
type Proof struct {
	Lists    map[string]int `json:"lists"`    // closed list → length
	Product  int            `json:"product"`  // of the lengths
	Cases    int            `json:"cases"`    // enumerated
	Distinct int            `json:"distinct"` // ids among them
	Allowed  int            `json:"allowed"`  // cases of which something is kept
	Judged   int            `json:"judged"`   // by OPA
	Verdicts int            `json:"verdicts"` // distinct
	Digest   string         `json:"digest"`   // SHA-256 over every case and its verdict, in order
}

// Complete reports a proof that holds.
func (p Proof) Complete() bool { return p.Product == p.Cases && p.Cases == p.Distinct }

// Proof enumerates every case: the lists' lengths multiply to their count, each case
// number leads to its case and back, and no two cases share an id. Whoever makes the
// same table gets the same digest: SHA-256 over the lines "CASE VERDICT\n", both
// canonical JSON, in the order of EnumerateCases.
func (t *Table) Proof() (Proof, error) {
	p := Proof{Lists: map[string]int{"kind": event.KindCount, "purpose": len(gatePurposes)}, Product: event.KindCount * len(gatePurposes), Judged: t.Judged, Verdicts: len(t.verdicts)}
	for _, d := range caseDims {
		p.Lists[d.name] = len(d.values)
		p.Product *= len(d.values)
	}
	texts := make([][]byte, len(t.verdicts))
	for i, v := range t.verdicts {
		texts[i] = append(v.canonical([]byte{' '}), '\n')
	}
	sum, line, ids := sha256.New(), make([]byte, 0, 1024), make([]uint64, 0, CaseSpace)
	for c := range EnumerateCases() {
		if c.number() != p.Cases {
			return p, fmt.Errorf("proving the table: case %d comes back as %d", p.Cases, c.number())
		}
		v := t.at[p.Cases]
		p.Allowed += bit(t.verdicts[v].Allowed)
		p.Cases++
		line = c.canonical(line[:0])
		ids = append(ids, uint64(caseID(line)))
		_, _ = sum.Write(append(line, texts[v]...)) // a hash takes everything
	}
	slices.Sort(ids)
	p.Distinct = len(slices.Compact(ids))
	p.Digest = hex.EncodeToString(sum.Sum(nil))
	return p, nil
}

// canonical appends what MarshalJSON gives, without looking at types.
func (c EventCase) canonical(b []byte) []byte {
	text := func(b []byte, name, value string) []byte {
		b = append(append(b, name...), `":"`...)
		return append(append(b, value...), '"')
	}
	flag := func(b []byte, name string, value bool) []byte {
		b = append(append(b, name...), `":`...)
		if value {
			return append(b, "true"...)
		}
		return append(b, "false"...)
	}
	b = text(b, `{"age`, c.Age)
	b = flag(b, `,"dnt`, c.DNT)
	b = flag(b, `,"gpc`, c.GPC)
	b = text(b, `,"kind`, c.Kind.String())
	b = text(b, `,"purpose`, string(c.Purpose))
	b = text(b, `,"stamp`, string(c.Stamp))
	b = text(b, `,"state`, string(c.State))
	return append(text(b, `,"tag`, string(c.Tag)), '}')
}

// KindNamed finds an event kind; false if there is none of the name.
func KindNamed(name string) (event.Kind, bool) {
	for _, k := range event.Kinds {
		if strings.EqualFold(k.String(), name) {
			return k, true
		}
	}
	return 0, false
}

// GatePurpose reports a purpose that the event gate decides.
func GatePurpose(name string) (consent.Purpose, bool) {
	i := purposeNumber(consent.Purpose(name))
	return consent.Purpose(name), i >= 0
}
