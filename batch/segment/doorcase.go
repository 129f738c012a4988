package segment

import (
	"context"
)

// caseNumber and lastVerdict spare most events the maps.
type (
	caseNumber struct {
		id   int64
		no   int
		held bool
	}
	lastVerdict struct {
		key  uint64
		held bool
		passage
	}
)

// number gives the number of a case.
func (d *door) number(id int64) (no int, held bool) {
	n := &d.numbers[uint64(id)%uint64(len(d.numbers))]
	if !n.held || n.id != id {
		no, held := d.known[id]
		*n = caseNumber{id, no, held}
	}
	return n.no, n.held
}

// passes finds a verdict, or judges.
func (d *door) passes(ctx context.Context, last *lastVerdict, key uint64, c nightCase) (err error) {
	p, judged := d.verdicts[key]
	if !judged {
		if p, err = d.judge(ctx, c); err != nil {
			return err
		}
		d.verdicts[key] = p
	}
	*last = lastVerdict{key, true, p}
	return nil
}

func (d *door) judge(ctx context.Context, c nightCase) (passage, error) {
	v, err := d.n.verdict(ctx, c)
	p := passage{v.Allowed, v.Keep}
	if err == nil {
		d.fresh = append(d.fresh, judgement{c, p})
	}
	return p, err
}

// tell adds what was judged to table verdicts.
func (d *door) tell() error {
	err := d.n.db.fill("verdicts", func(add func(...any) error) error {
		for _, j := range d.fresh {
			if err := add(j.id, j.state, j.tag, j.age, j.allowed, int64(j.keep)); err != nil {
				return err
			}
		}
		return nil
	})
	d.fresh = nil
	return err
}
