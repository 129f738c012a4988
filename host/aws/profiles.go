package aws

import (
	"context"
	"fmt"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// held is a profile as it lies in its table; n counts its writes, 0 is none, and by
// names the update that wrote it last.
type held struct {
	profile.Profile
	n  uint64
	by string
}

func profileKey(s consent.Subject) item { return item{"s": str(subjectKey(s))} }

// Profile reads a subject's profile.
func (h *Host) Profile(ctx context.Context, s consent.Subject) (profile.Profile, error) {
	p, err := h.profile(ctx, s)
	return p.Profile, err
}

func (h *Host) profile(ctx context.Context, s consent.Subject) (p held, err error) {
	i, err := h.get(ctx, tableProfile, profileKey(s))
	if err != nil || i == nil {
		return p, err
	}
	p.n, p.by = uint64(numOf(i, "n")), strOf(i, "by")
	if err := p.UnmarshalBinary(binOf(i, "p")); err != nil {
		return p, fmt.Errorf("reading profile: %w", err)
	}
	return p, nil
}

// UpdateProfile saves what change makes of the profile, in one transaction with a
// check of every state that it depends on: a withdrawal binds at once, whichever
// process took it. An update that finds itself done, by a try whose answer was lost,
// is not applied again.
func (h *Host) UpdateProfile(ctx context.Context, s consent.Subject, given []flow.StateAt, change func(profile.Profile) profile.Profile) error {
	by := randomName()
	err := again(ctx, func() error {
		before, err := h.profile(ctx, s)
		if err != nil || before.by == by {
			return err
		}
		p := change(before.Profile)
		p.Subject = s
		t := h.transaction()
		if err := t.putProfile(s, before, p, by); err != nil {
			return err
		}
		if err := t.given(s, given); err != nil {
			return err
		}
		return t.commit(ctx)
	})
	if err != nil {
		return fmt.Errorf("saving profile: %w", err)
	}
	return nil
}

// putProfile replaces a profile that is still as it was read.
func (t *transaction) putProfile(s consent.Subject, was held, is profile.Profile, by string) error {
	body, err := is.MarshalBinary()
	if err != nil {
		return fmt.Errorf("writing profile: %w", err)
	}
	i := profileKey(s)
	i["p"], i["n"] = bin(body), num(was.n+1)
	condition, values := was.unchanged()
	if by != "" {
		i["by"] = str(by)
	}
	t.put(tableProfile, i, condition, values, errAgain)
	return nil
}

func (p held) unchanged() (condition string, values item) {
	if p.n == 0 {
		return "attribute_not_exists(s)", nil
	}
	return "n = :n", item{":n": num(p.n)}
}

// given checks the states that a write depends on. The subject's own says that it
// was not erased, if it has any.
func (t *transaction) given(s consent.Subject, given []flow.StateAt) error {
	at := map[consent.Subject]uint64{}
	for _, g := range given {
		if was, twice := at[g.Subject]; twice && was != g.Version || g.Subject.IsZero() && g.Version > 0 {
			return flow.ErrMoved
		} else if twice || g.Subject.IsZero() {
			continue
		}
		at[g.Subject] = g.Version
		values := item{}
		condition := unmoved(consent.State{Version: g.Version}, values)
		if len(values) == 0 {
			values = nil
		}
		t.check(tableBook, stateKey(g.Subject), condition, values, flow.ErrMoved)
	}
	if at[s] == 0 {
		t.alive(s)
	}
	return nil
}

// devicesAtOnce is how many devices of an account one transaction has room for:
// DynamoDB takes 100 items, and 4 MB.
const devicesAtOnce = 60

// unground takes out of the profiles of a record's subject, and of the devices
// linked to it, the sections that the record takes. A profile that keeps all it has
// is checked: nobody may add a section meanwhile.
func (h *Host) unground(ctx context.Context, t *transaction, b *booking) error {
	who := []consent.Subject{b.rec.Subject}
	if b.was.links > 0 {
		devices, err := h.devicesOf(ctx, b.rec.Subject)
		if err != nil {
			return err
		}
		b.more = devices[min(len(devices), devicesAtOnce):]
		who = append(who, devices[:len(devices)-len(b.more)]...)
	}
	was, is := make([]held, len(who)), make([]profile.Profile, len(who))
	err := each(ctx, len(who), 8, func(ctx context.Context, i int) (err error) {
		was[i], is[i], err = h.withoutGround(ctx, who[i], *b)
		return err
	})
	for i, s := range who {
		if err != nil {
			return err
		}
		if len(is[i].Sections) < len(was[i].Sections) {
			err = t.putProfile(s, was[i], is[i], "")
			continue
		}
		condition, values := was[i].unchanged()
		t.check(tableProfile, profileKey(s), condition, values, errAgain)
	}
	return err
}

// withoutGround gives a profile as it is, and without what a record takes from it.
func (h *Host) withoutGround(ctx context.Context, s consent.Subject, b booking) (held, profile.Profile, error) {
	was, err := h.profile(ctx, s)
	if err != nil || len(was.Sections) == 0 {
		return was, was.Profile, err
	}
	ground, err := h.ground(ctx, s, b.next.State)
	if err != nil {
		return was, was.Profile, err
	}
	broken := h.opts.Invalid.Broken(b.was.State, b.next.State, b.rec)
	if gone := was.TakenBy(b.rec, s == b.rec.Subject, broken, ground); len(gone) > 0 {
		return was, was.Without(gone...), nil
	}
	return was, was.Profile, nil
}

// ground is what a subject's profile rests on. next stands in for the stored state
// of its subject.
func (h *Host) ground(ctx context.Context, s consent.Subject, next consent.State) (g profile.Ground, err error) {
	read := func(s consent.Subject) (consent.State, error) {
		if s == next.Subject {
			return next, nil
		}
		st, err := h.stored(ctx, s)
		return st.State, err
	}
	g.Invalid = h.opts.Invalid
	if g.Own, err = read(s); err != nil {
		return g, err
	}
	account, err := h.AccountOf(ctx, s)
	if err == nil && !account.IsZero() {
		g.Account, err = read(account)
	}
	return g, err
}

// ungroundMore does for the devices that the record's transaction had no room for
// what it did for the others. Their profiles take nothing in meanwhile that rests on
// the state before.
func (h *Host) ungroundMore(ctx context.Context, b booking) error {
	return each(ctx, len(b.more), 8, func(ctx context.Context, i int) error {
		return again(ctx, func() error {
			was, is, err := h.withoutGround(ctx, b.more[i], b)
			if err != nil || len(is.Sections) == len(was.Sections) {
				return err
			}
			t := h.transaction()
			if err := t.putProfile(b.more[i], was, is, ""); err != nil {
				return err
			}
			return t.commit(ctx)
		})
	})
}
