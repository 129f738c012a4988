package flow

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// record begins the decision record of a judgement.
func (f *Flow) record(now time.Time, action string, s consent.Subject, rules []string, res policy.Result) decide.Record {
	if rules == nil {
		rules = []string{}
	}
	return decide.Record{
		ID: newID(now), Time: now, Action: action, Subject: s, Input: res.Input, Result: res.Output,
		Digests: res.Digests, Binary: f.binary, Rules: rules,
	}
}

// staffRecord begins the record of what a member of staff did, where no rule
// package was asked.
func (f *Flow) staffRecord(now time.Time, action, actor string, in, out any) (decide.Record, error) {
	input, err := decide.Canonical(in)
	if err != nil {
		return decide.Record{}, err
	}
	output, err := decide.Canonical(out)
	if err != nil {
		return decide.Record{}, err
	}
	r := f.record(now, action, consent.Subject{}, nil, policy.Result{Input: input, Output: output, Digests: f.rules.Digests()})
	r.Actor = actor
	return r, nil
}

// decided makes the record durable. No answer leaves before it returns.
//
// ADM-02: a kind of decision that has no words is not released.
func (f *Flow) decided(ctx context.Context, r *decide.Record) error {
	if !decide.Rendered(r.Action) {
		return unavailable("releasing a decision", fmt.Errorf("there are no words for %q", r.Action))
	}
	if err := f.host.AppendDecision(ctx, r); err != nil {
		return unavailable("writing a decision record", err)
	}
	return nil
}

// decidedAll makes records durable, many at a time: hosts commit in groups.
func (f *Flow) decidedAll(ctx context.Context, rs []*decide.Record) error {
	errs := make([]error, len(rs))
	slots := make(chan struct{}, 32)
	var wg sync.WaitGroup
	for i, r := range rs {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = f.decided(ctx, r)
			<-slots
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// count adds live figures; at is the decision's time.
func (f *Flow) count(ctx context.Context, at time.Time, names ...string) error {
	m := make(map[string]int64, len(names))
	for _, n := range names {
		m[n]++
	}
	if err := f.host.Count(ctx, at, m); err != nil {
		return unavailable("counting", err)
	}
	return nil
}
