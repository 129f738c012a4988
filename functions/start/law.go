package start

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

// lookEvery is how old a warm function's knowledge of the installed policies may
// grow: a call that comes later looks first. It leaves room below 30 s for a call
// that began just before.
const lookEvery = 25 * time.Second

// lookAgain is how soon after a look that failed another is due.
const lookAgain = 2 * time.Second

// shelf is where installed policy bundles are kept.
type shelf interface {
	// Bundles lists the revisions, highest first.
	Bundles(ctx context.Context) ([]int64, error)
	// Bundle gives a revision's file.
	Bundle(ctx context.Context, revision int64) ([]byte, error)
}

// law serves a group's routes under the policy that is in force (OPS-02): the
// program's own rules, or the highest signed bundle that is in effect. A bundle
// that may not be law leaves the last good one in place and raises an alarm, a
// line in the log.
type law struct {
	env   surroundings
	shelf shelf // nil: bundles are not looked for
	log   *slog.Logger
	under func(context.Context, *policy.Rules) (*flow.Flow, error)
	o     api.Options
	now   func() time.Time

	handler atomic.Pointer[http.Handler]
	looking sync.Mutex
	looked  time.Time
	kept    []int64
	next    time.Time // when one that waits takes effect; zero: none waits
	live    int64
	told    map[string]bool
}

// enact serves under what is law now. That it cannot be found out is an error:
// no function starts under a policy that may be repealed.
func enact(ctx context.Context, e surroundings, host flow.Host, log *slog.Logger, under func(context.Context, *policy.Rules) (*flow.Flow, error), o api.Options) (*law, error) {
	l := &law{env: e, log: log, under: under, o: o, now: utc, told: map[string]bool{}}
	if s, ok := host.(shelf); ok && e.policyKey != nil {
		l.shelf = s
		if err := l.look(ctx); err != nil {
			return nil, err
		}
	}
	if l.handler.Load() != nil {
		return l, nil
	}
	own, err := policy.Load(ctx, e.config.PolicySettings(), l.entries()...)
	if err != nil {
		return nil, err
	}
	return l, l.serve(ctx, own, policy.Revision())
}

// ServeHTTP answers under the policy in force.
func (l *law) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if l.shelf != nil && l.looking.TryLock() {
		if l.due() {
			if err := l.look(r.Context()); err != nil {
				l.looked = l.now().Add(lookAgain - lookEvery)
				l.log.Error("looking for policies", "error", err.Error(), "live", l.live)
			}
		}
		l.looking.Unlock()
	}
	(*l.handler.Load()).ServeHTTP(w, r)
}

// due says that it is time to look: the last look is too old, or a bundle's hour
// has come.
func (l *law) due() bool {
	now := l.now()
	return now.Sub(l.looked) >= lookEvery || !l.next.IsZero() && !now.Before(l.next)
}

// look takes up what was installed since the last look. An error means that we
// could not find out; what is law stays.
func (l *law) look(ctx context.Context) error {
	now := l.now()
	l.looked = now
	kept, err := l.shelf.Bundles(ctx)
	if err != nil {
		return fmt.Errorf("reading which policy is law: %w", err)
	}
	if slices.Equal(kept, l.kept) && (l.next.IsZero() || now.Before(l.next)) {
		return nil
	}
	live, next, err := l.inForce(ctx, now, kept)
	if err == nil && live != nil && live.Revision != l.live {
		err = l.take(ctx, live)
	}
	if err != nil {
		return err
	}
	l.kept, l.next = kept, next
	return nil
}

// inForce gives what is law now. One that cannot be read is not one that is refused.
func (l *law) inForce(ctx context.Context, now time.Time, kept []int64) (live *policy.Bundle, next time.Time, err error) {
	open := func(n int64) (*policy.Bundle, error) {
		raw, failed := l.shelf.Bundle(ctx, n)
		if failed != nil {
			err = fmt.Errorf("reading policy bundle %d: %w", n, failed)
			return nil, failed
		}
		return policy.OpenBundle(raw, l.env.policyKey, l.env.config.Tenant)
	}
	live, next = policy.InForce(now, kept, open, func(what string) {
		if err == nil {
			l.alarm(what)
		}
	})
	return live, next, err
}

// take makes a bundle the law, unless it is older than what is, or does not
// compile. An error means that it may be tried again.
func (l *law) take(ctx context.Context, b *policy.Bundle) error {
	if b.Revision < l.live {
		l.alarm(fmt.Sprintf("bundle %d is refused: revision %d is law, and a policy never goes back", b.Revision, l.live))
		return nil
	}
	rules, err := b.Load(ctx, l.env.config.PolicySettings(), l.entries()...)
	if err != nil {
		l.alarm(fmt.Sprintf("bundle %d is refused, the policy stays: %v", b.Revision, err))
		return nil
	}
	if err := l.serve(ctx, rules, b.Revision); err != nil {
		return err
	}
	l.log.Info("policy taken up", "revision", b.Revision, "sha256", b.Digest)
	return nil
}

// entries are what the group's rules are compiled for: its own, and the question
// that every group asks, whether a purpose may run.
func (l *law) entries() []policy.Entry {
	return append(slices.Clone(entries[l.env.group]), policy.EntryProcessing)
}

// serve swaps the handler, whole. A call under way ends under the rules that it
// began with.
func (l *law) serve(ctx context.Context, rules *policy.Rules, revision int64) error {
	f, err := l.under(ctx, rules)
	if err != nil {
		return fmt.Errorf("serving under the rules: %w", err)
	}
	h := api.New(f, l.o)
	l.handler.Store(&h)
	l.live = revision
	return nil
}

// alarm says once that a policy was refused.
func (l *law) alarm(what string) {
	if !l.told[what] {
		l.told[what] = true
		l.log.Error("policy refused", "why", what, "live", l.live)
	}
}
