package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// cpuTime is what this process has used so far, on all processors.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// inputKey tells inputs apart.
func inputKey(r *decide.Record) [16]byte {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%s %s ", r.Action, r.Digests.Policy)
	_, _ = h.Write(r.Input)
	return [16]byte(h.Sum(nil))
}

// cases judges the event gate's cases again: each stored event stands for a decision
// of every purpose that admitted it.
func (p *replay) cases(ctx context.Context, from, to time.Time) error {
	is, err := p.rulesOf(ctx, p.now.Digests, policy.EntryEvent)
	if err != nil {
		return err
	}
	then := is
	if p.candidate != nil {
		then = p.candidate
	}
	c := &p.report.Cases
	return p.lines(ctx, auditPath("cases", from, to), func(line []byte) error {
		var u usedCase
		if err := json.Unmarshal(bytes.TrimSpace(line), &u); err != nil {
			return fmt.Errorf("reading a case: %w", err)
		}
		if u.Counter != "" {
			c.Refused[u.Counter[len("refused/"):]] = u.N
			return nil
		}
		ec, err := policy.ParseCase(u.Case)
		if err != nil {
			c.Decisions += u.N
			c.NotReplayable["its case is not kept, or of another program"] += u.N
			return nil
		}
		if u.N == 0 {
			return p.unusedCase(ctx, ec, is, then)
		}
		return p.usedCase(ctx, u, ec, then)
	})
}

// usedCase judges a case that stored events name.
func (p *replay) usedCase(ctx context.Context, u usedCase, ec policy.EventCase, then *policy.Rules) error {
	c := &p.report.Cases
	c.Decisions += u.N
	c.Distinct++
	j := p.judges(ctx, decide.Digests{Policy: u.Policy, Capabilities: p.now.Digests.Capabilities}, policy.EntryEvent)
	if j.why != "" {
		c.NotReplayable[j.why] += u.N
		return nil
	}
	was, err := j.rules.Event(ctx, ec)
	c.Replayed += u.N
	if err == nil && was.Allowed && was.Keep == u.Keep {
		c.Equal += u.N
	} else {
		c.differs(p.report.limit, ec, u.N)
	}
	is, err := then.Event(ctx, ec)
	switch {
	case p.candidate == nil:
	case err != nil || !is.Allowed:
		c.NewlyDenied += u.N
		c.example(p.report.limit, caseExample{Case: u.Case, N: u.N, Kind: "newly_denied", Lost: u.Keep.Names(), Rules: is.Rules})
	case is.Keep != u.Keep:
		c.Changed += u.N
		c.example(p.report.limit, caseExample{Case: u.Case, N: u.N, Kind: "changed", Gained: (is.Keep &^ u.Keep).Names(), Lost: (u.Keep &^ is.Keep).Names()})
	}
	if p.candidate != nil && !is.Allowed {
		for _, id := range refusing(is.Rules) {
			c.ByRule[id] += u.N
		}
	}
	return nil
}

// refusing names what refuses; without a rule it is the lack of one that allows.
func refusing(rules []string) []string {
	if len(rules) == 0 {
		return []string{"no rule"}
	}
	return rules
}

// unusedCase judges a case of which only counters tell: refused, or erased since.
func (p *replay) unusedCase(ctx context.Context, ec policy.EventCase, is, then *policy.Rules) error {
	c := &p.report.Cases
	c.Unused++
	if p.candidate == nil {
		return nil
	}
	was, err := is.Event(ctx, ec)
	if err != nil {
		return err
	}
	now, err := then.Event(ctx, ec)
	if err == nil && now.Allowed && !was.Allowed {
		c.NewlyAllowedCases++
		body, err := ec.MarshalJSON()
		c.example(p.report.limit, caseExample{Case: body, Kind: "newly_allowed", Gained: now.Keep.Names(), Rules: was.Rules})
		return err
	}
	return nil
}
