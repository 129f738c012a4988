package hosttest

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
)

// ErrFault is what a planned fault returns. It says nothing about whether the
// write was kept: a caller must not guess.
var ErrFault = errors.New("storage fault")

// Fate is what becomes of one call.
type Fate int

// The fates. Faults come in pairs: to the caller both look the same.
const (
	Fine Fate = iota
	Lost      // it failed and was not kept
	Kept      // it failed but was kept
)

// Plan chooses the fate of every call from a seed. The n-th call of a method has
// the same fate in every run with that seed, whatever the other methods do.
type Plan struct {
	Seed     uint64
	PerMille int      // share of calls that fail; half of the failing writes are kept
	Methods  []string // empty: all
}

// Break puts a plan in force from the next call on. The zero Plan ends it.
func (m *Memory) Break(p Plan) {
	m.faults.Lock()
	defer m.faults.Unlock()
	m.plan, m.calls = p, map[string]uint64{}
}

// FailNext gives the next call of one method a fate, before any plan. Further
// calls of FailNext queue up.
func (m *Memory) FailNext(method string, f Fate) {
	m.faults.Lock()
	defer m.faults.Unlock()
	m.queued[method] = append(m.queued[method], f)
}

// write does what the fate of this call says.
func (m *Memory) write(method string, do func() error) error {
	switch m.fate(method) {
	case Lost:
		return fmt.Errorf("%s: %w", method, ErrFault)
	case Kept:
		_ = do() // the caller learns only of the fault
		return fmt.Errorf("%s: %w", method, ErrFault)
	}
	return do()
}

// read fails for either fault: a read keeps nothing.
func (m *Memory) read(method string) error {
	if m.fate(method) != Fine {
		return fmt.Errorf("%s: %w", method, ErrFault)
	}
	return nil
}

func (m *Memory) fate(method string) Fate {
	m.faults.Lock()
	defer m.faults.Unlock()
	if q := m.queued[method]; len(q) > 0 {
		m.queued[method] = q[1:]
		return q[0]
	}
	n := m.calls[method]
	m.calls[method] = n + 1
	return m.plan.fate(method, n)
}

func (p Plan) fate(method string, n uint64) Fate {
	if p.PerMille == 0 || len(p.Methods) > 0 && !contains(p.Methods, method) {
		return Fine
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(method))
	r := rand.New(rand.NewPCG(p.Seed, h.Sum64()+n))
	if r.IntN(1000) >= p.PerMille {
		return Fine
	}
	return Lost + Fate(r.IntN(2))
}

func contains(all []string, one string) bool {
	for _, s := range all {
		if s == one {
			return true
		}
	}
	return false
}
