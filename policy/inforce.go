package policy

import (
	"fmt"
	"time"
)

// InForce gives the bundle that is law at a moment: the highest of the kept
// revisions, listed highest first, above the program's own that opens and is in
// effect. nil means the program's own rules. next is when a later one takes
// effect; zero if none waits.
//
// One that does not open is told to alarm, and the next one counts (OPS-02).
func InForce(now time.Time, kept []int64, open func(revision int64) (*Bundle, error), alarm func(what string)) (live *Bundle, next time.Time) {
	for _, n := range kept {
		if n <= Revision() {
			break
		}
		b, err := open(n)
		if err == nil && b.Revision != n {
			err = fmt.Errorf("it holds revision %d", b.Revision)
		}
		switch {
		case err != nil:
			alarm(fmt.Sprintf("kept bundle %d is refused, an older policy stays: %v", n, err))
		case b.Release.EffectiveAt.After(now):
			if next.IsZero() || b.Release.EffectiveAt.Before(next) {
				next = b.Release.EffectiveAt
			}
		default:
			return b, next
		}
	}
	return nil, next
}
