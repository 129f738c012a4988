package flow

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// SampleRatio compares a slot's assignments with what the weights promised.
type SampleRatio struct {
	Slot   string  `json:"slot"`
	N      int64   `json:"n"` // independent draws compared
	ChiSq  float64 `json:"chi_square"`
	Degree int     `json:"degrees_of_freedom"`
	P      float64 `json:"p"`
	Alarm  bool    `json:"alarm"` // p < 0.001
}

const (
	ratioAlarm = 0.001  // a healthy slot alarms once in 1,000 looks
	ratioLeast = 5.0    // expected count under which variants are pooled
	ratioMost  = 20_000 // most recent decisions looked at
)

// drawn adds up, for one slot, what was drawn and what the weights expected. A
// visitor who keeps a variant counts once: later calls are no new draws.
type drawn struct {
	n        int64
	observed map[string]float64
	expected map[string]float64
	seen     map[string]bool
}

// ratios reads the most recent variant decisions of the period. Expectations
// are summed per draw, so that changed weights and changed eligibility are no
// alarm.
func (f *Flow) ratios(ctx context.Context, from, to time.Time) ([]SampleRatio, error) {
	slots := map[string]*drawn{}
	q := DecisionQuery{Action: decide.ActionVariant, From: from, To: to, Limit: 500}
	for looked := 0; looked < ratioMost; {
		rs, cursor, err := f.host.SearchDecisions(ctx, q)
		if err != nil {
			return nil, unavailable("reading decisions", err)
		}
		for _, r := range rs {
			if err := f.add(ctx, slots, r); err != nil {
				return nil, err
			}
		}
		if looked += len(rs); cursor == "" || len(rs) == 0 {
			break
		}
		q.Cursor = cursor
	}
	out := make([]SampleRatio, 0, len(slots))
	for _, slot := range slices.Sorted(maps.Keys(slots)) {
		out = append(out, slots[slot].ratio(slot))
	}
	return out, nil
}

func (f *Flow) add(ctx context.Context, slots map[string]*drawn, r decide.Record) error {
	var in struct {
		Slot string `json:"slot"`
	}
	var out variantResult
	if r.PPM == 0 || json.Unmarshal(r.Input, &in) != nil || json.Unmarshal(r.Result, &out) != nil {
		return nil // nothing was drawn
	}
	d := slots[in.Slot]
	if d == nil {
		d = &drawn{observed: map[string]float64{}, expected: map[string]float64{}, seen: map[string]bool{}}
		slots[in.Slot] = d
	}
	if out.Sticky && !r.Subject.IsZero() {
		if d.seen[r.Subject.String()] {
			return nil
		}
		d.seen[r.Subject.String()] = true
	}
	weights, err := f.weightsOf(ctx, r.Digests.Weights, in.Slot, out.Segment)
	if err != nil {
		return err
	}
	d.n++
	d.observed[out.Variant]++
	var sum float64
	for _, v := range out.Eligible {
		sum += float64(weights[v])
	}
	for _, v := range out.Eligible {
		if sum > 0 {
			d.expected[v] += float64(weights[v]) / sum
		} else {
			d.expected[v] += 1 / float64(len(out.Eligible))
		}
	}
	return nil
}

// weightsOf are the weights that a decision named; none named is an equal share.
func (f *Flow) weightsOf(ctx context.Context, digest, slot, segment string) (map[string]int64, error) {
	if digest == "" {
		return decide.Uniform(variantIDs(f.cfg.Slots[slot])), nil
	}
	if p := f.night.Load(); p != nil && p.weightsDigest == digest {
		return p.Weights.Slots[slot][segment], nil
	}
	b, err := f.host.Document(ctx, digest)
	if err != nil {
		return nil, unavailable("reading the weights of a decision", err)
	}
	var w decide.Weights
	if err := json.Unmarshal(b, &w); err != nil {
		return nil, unavailable("reading the weights of a decision", err)
	}
	return w.Slots[slot][segment], nil
}

// ratio is Pearson's test. Variants expected fewer than 5 times are pooled.
func (d *drawn) ratio(slot string) SampleRatio {
	var chi, pooledO, pooledE float64
	cells := 0
	add := func(o, e float64) { chi += (o - e) * (o - e) / e; cells++ }
	names := maps.Clone(d.expected)
	maps.Copy(names, d.observed) // a variant drawn without any weight belongs to the pool
	for _, v := range slices.Sorted(maps.Keys(names)) {
		if o, e := d.observed[v], d.expected[v]; e >= ratioLeast {
			add(o, e)
		} else {
			pooledO, pooledE = pooledO+o, pooledE+e
		}
	}
	if pooledE > 0 {
		add(pooledO, pooledE)
	} else if pooledO > 0 {
		return SampleRatio{Slot: slot, N: d.n, ChiSq: math.MaxFloat64, Degree: max(cells, 1), P: 0, Alarm: true}
	}
	r := SampleRatio{Slot: slot, N: d.n, ChiSq: chi, Degree: max(cells-1, 0), P: 1}
	if r.Degree > 0 {
		r.P = upperGamma(float64(r.Degree)/2, chi/2)
	}
	r.Alarm = r.P < ratioAlarm
	return r
}

// upperGamma is the regularised upper incomplete gamma function Q(a, x): the
// p-value of a chi-square of 2x with 2a degrees of freedom.
func upperGamma(a, x float64) float64 {
	if x <= 0 {
		return 1
	}
	lg, _ := math.Lgamma(a)
	front := math.Exp(a*math.Log(x) - x - lg)
	if x < a+1 { // the series of P(a, x)
		term := 1 / a
		sum := term
		for n := 1.0; math.Abs(term) > sum*1e-15 && n < 10_000; n++ {
			term *= x / (a + n)
			sum += term
		}
		return max(0, 1-front*sum)
	}
	const tiny = 1e-300 // Lentz's continued fraction of Q(a, x)
	b := x + 1 - a
	c, d := 1/tiny, 1/b
	h := d
	for n := 1.0; n < 10_000; n++ {
		an := -n * (n - a)
		b += 2
		if d = an*d + b; math.Abs(d) < tiny {
			d = tiny
		}
		if c = b + an/c; math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		if h *= d * c; math.Abs(d*c-1) < 1e-15 {
			break
		}
	}
	return front * h
}
