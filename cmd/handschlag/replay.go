package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

type auditReplayCmd struct {
	place
	Since         string `default:"30d" placeholder:"DAYS|DATE" help:"30d, a date, or a time: how far to go back. Days count from the newest decision or event that is kept."`
	Until         string `placeholder:"DATE" help:"A date or a time, exclusive; else everything since."`
	Policy        string `placeholder:"REV" help:"Candidate: a folder of rules, or the beginning of a policy digest kept with decisions."`
	JSON          bool   `help:"Print the report as JSON: what a release of the policy needs."`
	Lang          string `enum:"de,en" default:"en" help:"Language: de or en."`
	LimitExamples int    `default:"3" placeholder:"N" help:"How many examples of each kind."`
}

// Run judges decisions again: by the rules that judged them, which must give the same
// bytes, and by a candidate, to see what it would change.
func (c auditReplayCmd) Run(ctx context.Context, s streams) error {
	if c.LimitExamples < 0 {
		return notNegative("--limit-examples", c.LimitExamples)
	}
	return c.within(ctx, s, func(r *reached) error {
		now, err := r.inForce(ctx)
		if err != nil {
			return err
		}
		from, to, err := c.span(ctx, r)
		if err != nil {
			return err
		}
		p := &replay{reached: r, now: now, report: newReport(from, to, now, c.LimitExamples), loaded: map[decide.Digests]*judges{}, inputs: map[[16]byte]bool{}}
		if c.Policy != "" {
			if p.candidate, err = r.revision(ctx, c.Policy, now); err != nil {
				return fmt.Errorf("--policy: %w", err)
			}
			p.report.Policy = p.candidate.Digests().Policy
		}
		if err := p.run(ctx, from, to); err != nil {
			return err
		}
		if p.report.Decisions+p.report.Cases.Decisions == 0 {
			return fmt.Errorf("nothing was decided from %s to %s", from.Format(time.RFC3339), to.Format(time.RFC3339))
		}
		if c.JSON {
			err = printJSON(s, p.report)
		} else {
			replayText{s, cmp.Or(c.Lang, "en")}.print(p.report, p.candidate != nil)
		}
		return errors.Join(err, p.report.verdict())
	})
}

// span reads --since and --until. Days go back from the newest decision or event that is
// kept, whatever the clock says later: the same folder gives the same window, for
// decisions and events alike.
func (c auditReplayCmd) span(ctx context.Context, r *reached) (from, to time.Time, err error) {
	if c.Until != "" {
		if to, err = dateOrTime(c.Until); err != nil {
			return from, to, fmt.Errorf("--until: %w", err)
		}
	} else {
		newest, err := r.newest(ctx)
		if err != nil {
			return from, to, err
		}
		if to = newest.last(); to.IsZero() || to.After(newest.Now) {
			to = newest.Now
		}
		to = to.Truncate(time.Millisecond).Add(time.Millisecond)
	}
	if days, ok := strings.CutSuffix(c.Since, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 36500 {
			return from, to, fmt.Errorf("--since: want days like 30d, a date or a time, got %q", c.Since)
		}
		return to.AddDate(0, 0, -n), to, nil
	}
	if from, err = dateOrTime(c.Since); err != nil {
		return from, to, fmt.Errorf("--since: %w", err)
	}
	if !from.Before(to) {
		return from, to, fmt.Errorf("--since %s: nothing was decided after it, or --until is before it", c.Since)
	}
	return from, to, nil
}

func dateOrTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("want a date like 2026-11-21 or a time like 2026-11-21T06:00:00Z, got %q", s)
	}
	return t.UTC(), nil
}

// replay judges decisions again, on all processors.
type replay struct {
	*reached
	now       policyAnswer
	candidate *policy.Rules

	loading sync.Mutex // of loaded and load
	loaded  map[decide.Digests]*judges
	load    time.Duration // CPU time

	mu     sync.Mutex // of report and inputs
	report *replayReport
	inputs map[[16]byte]bool
}

// judges are the rules of one revision, loaded when first needed; why says why they
// cannot be.
type judges struct {
	rules *policy.Rules
	why   string
}

func (p *replay) run(ctx context.Context, from, to time.Time) error {
	began := cpuTime()
	if err := p.decisions(ctx, from, to); err != nil {
		return err
	}
	p.report.Distinct, p.report.CPUSeconds = int64(len(p.inputs)), (cpuTime() - began).Seconds()
	began = cpuTime()
	if err := p.cases(ctx, from, to); err != nil {
		return err
	}
	p.report.Cases.CPUSeconds, p.report.LoadSeconds = (cpuTime() - began).Seconds(), p.load.Seconds()
	p.report.finish()
	return nil
}

// path is an audit route with its range.
func auditPath(route string, from, to time.Time) string {
	q := url.Values{"from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
	return "/admin/" + route + "?" + q.Encode()
}

// decisions streams the records of the range through workers.
func (p *replay) decisions(ctx context.Context, from, to time.Time) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	lines := make(chan []byte, 256)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for line := range lines {
				if err := p.decision(ctx, line); err != nil {
					stop(err)
				}
			}
		})
	}
	err := p.lines(ctx, auditPath("records", from, to), func(line []byte) error {
		select {
		case lines <- bytes.Clone(line):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(lines)
	all.Wait()
	if why := context.Cause(ctx); why != nil {
		return why
	}
	return err
}

// decision judges one record, by its own rules and by the candidate.
func (p *replay) decision(ctx context.Context, line []byte) error {
	if ctx.Err() != nil {
		return nil
	}
	var r decide.Record
	if err := json.Unmarshal(line, &r); err != nil {
		return fmt.Errorf("reading a decision: %w", err)
	}
	own := p.judged(ctx, r)
	d := judgedDecision{record: r, own: own}
	if p.candidate != nil && flow.Unreplayable(&r) == "" {
		d.then = p.by(ctx, p.candidate, r)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inputs[inputKey(&r)] = true
	p.report.add(d)
	return nil
}

// judged replays a record by the rules that it names.
func (p *replay) judged(ctx context.Context, r decide.Record) flow.Replayed {
	if why := flow.Unreplayable(&r); why != "" {
		return flow.Replayed{Why: why}
	}
	j := p.judges(ctx, decide.Digests{Policy: r.Digests.Policy, Capabilities: r.Digests.Capabilities})
	if j.why != "" {
		return flow.Replayed{Why: j.why}
	}
	return *p.by(ctx, j.rules, r)
}

// by replays a record by some rules. Rules that give no verdict deny.
func (p *replay) by(ctx context.Context, rules *policy.Rules, r decide.Record) *flow.Replayed {
	x := flow.Replayer{Rules: rules, Weights: func(ctx context.Context, digest string) (w decide.Weights, err error) {
		d, err := p.kept(ctx, digest)
		if err != nil {
			return w, err
		}
		return w, json.Unmarshal(d.Body, &w)
	}}
	out, err := x.Replay(ctx, r)
	if err != nil {
		out = flow.Replayed{Result: json.RawMessage(`{}`), Rules: []string{"CON-11"}}
	}
	return &out
}

// judges loads a revision once. A revision that is gone, or no longer compiles, is
// told as the reason why its decisions cannot be judged again.
func (p *replay) judges(ctx context.Context, d decide.Digests, entries ...policy.Entry) *judges {
	p.loading.Lock()
	defer p.loading.Unlock()
	if j, ok := p.loaded[d]; ok {
		return j
	}
	j, began := &judges{}, cpuTime()
	rules, err := p.rulesOf(ctx, d, entries...)
	p.load += cpuTime() - began
	if err != nil {
		j.why = fmt.Sprintf("its policy %.16s cannot be loaded: %v", d.Policy, err)
	}
	j.rules = rules
	p.loaded[d] = j
	return j
}
