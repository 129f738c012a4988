package policy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// The event gate's input space is a product of closed lists, so a case has a
// number. The verdicts stand in an array, in pages that are made when first
// needed: one page for each kind and purpose. A list that grows makes room for itself.
const (
	pageSize = len(caseStates) * len(stamps) * 2 * 2 * len(tags) * len(ageBands) // gpc and dnt are the twos
	pages    = event.KindCount * len(gatePurposes)
)

// CaseSpace is how many cases of the event gate there are.
const CaseSpace = pages * pageSize

type page [pageSize]atomic.Pointer[Verdict]

type gate struct {
	pages [pages]atomic.Pointer[page]

	mu    sync.Mutex
	fresh map[event.CaseID][]byte
}

// slot is where a case's verdict stands, nil if the case is outside the lists.
func (g *gate) slot(c EventCase) *atomic.Pointer[Verdict] {
	i := c.number()
	if i < 0 {
		return nil
	}
	at := &g.pages[i/pageSize]
	p := at.Load()
	for p == nil {
		at.CompareAndSwap(nil, new(page))
		p = at.Load()
	}
	return &p[i%pageSize]
}

// number is the case's place in the order of EnumerateCases, -1 if it has none.
func (c EventCase) number() int {
	purpose, state, stamp, tag, age := purposeNumber(c.Purpose), stateNumber(c.State), stampNumber(c.Stamp), tagNumber(c.Tag), ageNumber(c.Age)
	if purpose < 0 || state < 0 || stamp < 0 || tag < 0 || age < 0 || int(c.Kind) >= event.KindCount {
		return -1
	}
	n := int(c.Kind)*len(gatePurposes) + purpose
	n = (n*len(caseStates)+state)*len(stamps) + stamp
	n = (n*2+bit(c.GPC))*2 + bit(c.DNT)
	return (n*len(tags)+tag)*len(ageBands) + age
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// EnumerateCases walks the whole input space of the event gate.
func EnumerateCases() iter.Seq[EventCase] {
	return func(yield func(EventCase) bool) {
		for n := range CaseSpace {
			if !yield(caseNumbered(n)) {
				return
			}
		}
	}
}

func caseNumbered(n int) EventCase {
	next := func(size int) (i int) { n, i = n/size, n%size; return i }
	c := EventCase{Age: ageBands[next(len(ageBands))], Tag: tags[next(len(tags))], DNT: next(2) == 1, GPC: next(2) == 1}
	c.Stamp, c.State, c.Purpose = stamps[next(len(stamps))], caseStates[next(len(caseStates))], gatePurposes[next(len(gatePurposes))]
	c.Kind = event.Kind(n)
	return c
}

// caseFacts is the case as Rego and the snapshot see it.
type caseFacts struct {
	Age     string          `json:"age"`
	DNT     bool            `json:"dnt"`
	GPC     bool            `json:"gpc"`
	Kind    string          `json:"kind"`
	Purpose consent.Purpose `json:"purpose"`
	Stamp   Stamp           `json:"stamp"`
	State   CaseState       `json:"state"`
	Tag     Tag             `json:"tag"`
}

func (c EventCase) facts() caseFacts {
	return caseFacts{Kind: c.Kind.String(), Purpose: c.Purpose, State: c.State, Stamp: c.Stamp, GPC: c.GPC, DNT: c.DNT, Tag: c.Tag, Age: c.Age}
}

// MarshalJSON is the canonical form that the case id is the digest of.
func (c EventCase) MarshalJSON() ([]byte, error) {
	f := c.facts()
	_, b := facts(&f)
	return b, nil
}

// UnmarshalJSON reads what MarshalJSON writes. An unknown kind is an error.
func (c *EventCase) UnmarshalJSON(b []byte) error {
	var f caseFacts
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	for _, k := range event.Kinds {
		if k.String() == f.Kind {
			*c = EventCase{Kind: k, Purpose: f.Purpose, State: f.State, Stamp: f.Stamp, GPC: f.GPC, DNT: f.DNT, Tag: f.Tag, Age: f.Age}
			return nil
		}
	}
	return fmt.Errorf("unknown kind %q", f.Kind)
}

// ParseCase reads what NewCases gave.
func ParseCase(b []byte) (EventCase, error) {
	var c EventCase
	if err := json.Unmarshal(b, &c); err != nil {
		return EventCase{}, fmt.Errorf("reading case: %w", err)
	}
	return c, nil
}

// caseID is the first 63 bits of the digest of the case's canonical form.
func caseID(canonical []byte) event.CaseID {
	sum := sha256.Sum256(canonical)
	return event.CaseID(binary.BigEndian.Uint64(sum[:]) >> 1)
}

// Event judges a case of the event gate, once per distinct case. An error is a
// refusal. The verdict's slices are shared: do not change them.
func (r *Rules) Event(ctx context.Context, c EventCase) (Verdict, error) {
	c.Age = orUnknown(c.Age)
	at := r.events.slot(c)
	if at != nil {
		if v := at.Load(); v != nil {
			return *v, nil
		}
	}
	v, canonical, err := r.judgeEvent(ctx, c)
	if err != nil {
		return v, err
	}
	if at != nil { // whoever finds the verdict must find the case too: it goes first
		r.events.remember(v.ID, canonical)
		at.CompareAndSwap(nil, &v)
	}
	return v, nil
}

func (r *Rules) judgeEvent(ctx context.Context, c EventCase) (Verdict, []byte, error) {
	f := c.facts()
	input, canonical := facts(&f)
	refused := Verdict{ID: caseID(canonical), Rules: failClosed}
	a, err := r.ask(ctx, EntryEvent, input)
	if err != nil {
		return refused, nil, err
	}
	v := Verdict{ID: refused.ID, Allowed: a.flag("allowed"), Rules: a.list("rules"), Night: a.list("night")}
	for _, name := range a.list("keep") {
		field, ok := event.FieldNamed(name)
		if !ok {
			return refused, nil, fmt.Errorf("judging event: there is no field %q to keep", name)
		}
		v.Keep = v.Keep.With(field)
	}
	if a.err != nil {
		return refused, nil, fmt.Errorf("judging event: %w", a.err)
	}
	return v, canonical, nil
}

func (g *gate) remember(id event.CaseID, canonical []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.fresh == nil {
		g.fresh = map[event.CaseID][]byte{}
	}
	g.fresh[id] = canonical
}

// NewCases gives the cases judged for the first time since the last call, by id.
// Those who judge a case at once may bring it up twice. Whoever takes cases must
// not let anybody use a verdict of theirs before they are stored.
func (r *Rules) NewCases() map[event.CaseID][]byte {
	r.events.mu.Lock()
	defer r.events.mu.Unlock()
	fresh := r.events.fresh
	r.events.fresh = nil
	return fresh
}
