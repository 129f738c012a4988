package hosttest

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/anishathalye/porcupine"

	"github.com/handschlag/handschlag/consent"
)

// Door is a way into a shop: the flow itself, or HTTP. Each call is about one
// device and the purposes Watched; an error means that the shop answered none.
type Door interface {
	// Say gives or takes back a purpose.
	Say(device string, yes bool, p consent.Purpose) error
	// Ingest sends an event that says yes to every purpose: for which was it admitted?
	Ingest(device, message string) (consent.Set, error)
	// Offer asks for an offer that the shop makes whenever adviser_assist is given.
	Offer(device string) (made bool, err error)
	// Given asks which purposes stand.
	Given(device string) (consent.Set, error)
	// Kept says for which purposes the shop holds a section of a profile.
	Kept(device string) (consent.Set, error)
}

// Watched are the purposes that histories are about.
var Watched = []consent.Purpose{consent.Analytics, consent.AdviserAssist}

// Histories says how many histories to run, and from which seed.
type Histories struct {
	Seed    uint64
	First   int // number of the first: the same seed and number make the same calls
	Count   int
	Workers int // histories at a time; each has three clients
}

// Linearised is what running histories found.
type Linearised struct {
	Histories, Calls int
	Overlaps         int      // reads that overlapped a change of the same purpose
	Withdrawals      int      // acknowledged
	Refusals         int      // calls without an answer (503): they promise nothing
	Wrong            []string // what no order of the calls explains
}

// Linearise lets clients give, withdraw, ingest and ask for offers about one
// device at once, and looks for an order of the calls that explains all answers
// and agrees with real time (Porcupine). With such an order, no event was admitted
// and no offer made after an acknowledged withdrawal: the calls of clients that
// follow each other keep their order. Once all are still, what is not given must
// not be kept in the profile.
func Linearise(d Door, h Histories) Linearised {
	var (
		out  Linearised
		mu   sync.Mutex
		next atomic.Int64
		work sync.WaitGroup
	)
	for range max(h.Workers, 1) {
		work.Go(func() {
			for i := next.Add(1) - 1; i < int64(h.Count); i = next.Add(1) - 1 {
				one := runHistory(d, h.Seed, h.First+int(i))
				mu.Lock()
				out.add(one)
				mu.Unlock()
			}
		})
	}
	work.Wait()
	return out
}

func (l *Linearised) add(o Linearised) {
	l.Histories++
	l.Calls += o.Calls
	l.Overlaps += o.Overlaps
	l.Withdrawals += o.Withdrawals
	l.Refusals += o.Refusals
	l.Wrong = append(l.Wrong, o.Wrong...)
}

// history is one device's calls. Its clock counts: what returned before another
// call began has the smaller number.
type history struct {
	door   Door
	device string
	clock  atomic.Int64
	mu     sync.Mutex
	by     map[consent.Purpose][]porcupine.Operation
	out    Linearised
}

const (
	clients        = 3
	callsPerClient = 4
)

func runHistory(d Door, seed uint64, n int) Linearised {
	h := &history{door: d, device: fmt.Sprintf("history-%016x-%08d", seed, n), by: map[consent.Purpose][]porcupine.Operation{}}
	start := make(chan struct{})
	var all sync.WaitGroup
	for c := range clients {
		draw := rand.New(rand.NewPCG(seed, uint64(n*clients+c)))
		all.Go(func() {
			<-start
			for k := range callsPerClient {
				h.call(c, draw, fmt.Sprintf("%d-%d", c, k))
			}
		})
	}
	close(start)
	all.Wait()
	h.judge()
	return h.out
}

// call makes one drawn call and notes it for each purpose that it is about.
func (h *history) call(client int, draw *rand.Rand, message string) {
	p := Watched[draw.IntN(len(Watched))]
	kind, yes := draw.IntN(10), draw.IntN(2) == 0
	begun := h.clock.Add(1)
	var seen consent.Set
	var err error
	about := Watched
	switch {
	case kind < 4:
		about = []consent.Purpose{p}
		if err = h.door.Say(h.device, yes, p); err == nil {
			h.note(client, about, begun, func(consent.Purpose) step { return step{writes: true, given: yes} })
		}
	case kind < 7:
		seen, err = h.door.Ingest(h.device, message)
	case kind < 9:
		about = []consent.Purpose{consent.AdviserAssist}
		var made bool
		if made, err = h.door.Offer(h.device); made {
			seen = seen.With(consent.AdviserAssist)
		}
	default:
		seen, err = h.door.Given(h.device)
	}
	switch {
	case err != nil && kind < 4: // nobody knows whether it counts
		h.wrong("a consent call failed: %v", err)
	case err != nil:
		h.mu.Lock()
		h.out.Refusals++
		h.mu.Unlock()
	case kind >= 4:
		h.note(client, about, begun, func(p consent.Purpose) step { return step{given: seen.Has(p)} })
	}
}

func (h *history) note(client int, about []consent.Purpose, begun int64, of func(consent.Purpose) step) {
	done := h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out.Calls++
	for _, p := range about {
		s := of(p)
		if s.writes && !s.given {
			h.out.Withdrawals++
		}
		h.by[p] = append(h.by[p], porcupine.Operation{ClientId: client, Input: s, Call: begun, Output: s, Return: done})
	}
}

// step is a call as one purpose sees it: it writes the register, or read it.
type step struct{ writes, given bool }

// register is the model: a purpose is given or not, not at first. A call that
// writes sets it; any other must have seen it as it is.
var register = porcupine.Model{
	Init: func() any { return false },
	Step: func(state, input, _ any) (bool, any) {
		s := input.(step)
		if s.writes {
			return true, s.given
		}
		return state.(bool) == s.given, state
	},
}

func (h *history) wrong(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.out.Wrong = append(h.out.Wrong, h.device+": "+fmt.Sprintf(format, args...))
}

// judge looks for an order for each purpose, then at what is left behind.
func (h *history) judge() {
	for p, calls := range h.by {
		h.out.Overlaps += overlaps(calls)
		if !porcupine.CheckOperations(register, calls) {
			h.wrong("%s: no order explains %s", p, inOrder(calls))
		}
	}
	given, err := h.door.Given(h.device)
	if err != nil {
		h.wrong("reading the state at the end: %v", err)
		return
	}
	kept, err := h.door.Kept(h.device)
	if err != nil {
		h.wrong("reading the profile at the end: %v", err)
		return
	}
	for _, p := range Watched {
		if kept.Has(p) && !given.Has(p) {
			h.wrong("%s: not given, and the profile keeps it", p)
		}
	}
}

// overlaps counts reads during which a change of the same purpose was under way.
func overlaps(calls []porcupine.Operation) (n int) {
	for _, r := range calls {
		if !r.Input.(step).writes && slices.ContainsFunc(calls, func(w porcupine.Operation) bool {
			return w.Input.(step).writes && w.Call < r.Return && r.Call < w.Return
		}) {
			n++
		}
	}
	return n
}

func inOrder(calls []porcupine.Operation) (out string) {
	for _, c := range slices.SortedFunc(slices.Values(calls), func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) }) {
		s := c.Input.(step)
		word := map[step]string{{true, true}: "gives", {true, false}: "withdraws", {false, true}: "sees a yes", {false, false}: "sees a no"}[s]
		out += fmt.Sprintf("[%d-%d client %d %s] ", c.Call, c.Return, c.ClientId, word)
	}
	return out
}
