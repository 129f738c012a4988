package bench

import (
	"context"
	"fmt"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// grant is what the gate said of a kind of event: for which purposes it is stored,
// by which cases, and what each keeps.
type grant struct {
	purposes     int64
	cases, keeps []int64
	union        event.FieldSet
}

// given are the purposes that a visitor of a habit had agreed to when events came.
func (h habit) given(beside yes) consent.Set {
	s := consent.Set(0).With(consent.EssentialService).With(consent.Analytics)
	if h == measured {
		return s
	}
	for i, a := range asked {
		if beside>>i&1 == 1 {
			s = s.With(a.purpose)
		}
	}
	return s.With(consent.PersonalisationContent)
}

func (h habit) age() string {
	if h == young {
		return "16_17"
	}
	return "adult"
}

// judge asks the rules about every kind of event of every habit.
func (s *shop) judge(ctx context.Context, rules *policy.Rules) error {
	for h := range habits {
		for beside := range s.grants[h] {
			for _, k := range event.Kinds {
				g, err := granted(ctx, rules, h, yes(beside), k)
				if err != nil {
					return fmt.Errorf("judging %s: %w", k, err)
				}
				s.grants[h][beside][k] = g
			}
		}
	}
	return nil
}

func granted(ctx context.Context, rules *policy.Rules, h habit, beside yes, k event.Kind) (g grant, err error) {
	var purposes consent.Set
	for _, p := range policy.GatePurposes {
		state := policy.StateUnknown
		if h.given(beside).Has(p) {
			state = policy.StateGiven
		}
		v, err := rules.Event(ctx, policy.EventCase{Kind: k, Purpose: p, State: state, Stamp: policy.StampYes, Tag: policy.TagNone, Age: h.age()})
		if err != nil {
			return g, err
		}
		if v.Allowed {
			purposes = purposes.With(p)
			g.cases, g.keeps, g.union = append(g.cases, int64(v.ID)), append(g.keeps, int64(v.Keep)), g.union|v.Keep
		}
	}
	g.purposes = int64(purposes)
	return g, nil
}
