package main

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
)

type auditSampleCmd struct {
	place
	N      int     `help:"How many of each stratum; 0: computed from --margin for the random sample, 10 of each other stratum."`
	Seed   string  `default:"1" help:"The same seed draws the same sample of the same log."`
	Since  moment  `placeholder:"TIME" help:"RFC 3339, inclusive; default: all that is kept."`
	Until  moment  `placeholder:"TIME" help:"RFC 3339, exclusive."`
	Margin float64 `default:"0.05" help:"Half-width wanted of a share's 95 % interval: sets the size of the random sample."`
	Lang   string  `enum:"de,en" default:"en" help:"Language: de or en."`
	Format string  `enum:"csv,json" default:"csv" help:"csv: a worksheet to fill in; json."`
}

// strata are what an auditor looks at more closely than chance would.
var strata = []struct {
	name       string
	why, whyDe string
	in         func(decide.Record, facts) bool
}{
	{"random", "every decision, by chance alone", "jede Entscheidung, allein durch Zufall", func(decide.Record, facts) bool { return true }},
	{"denial", "something was refused", "etwas wurde abgelehnt", func(_ decide.Record, f facts) bool { return f.denied }},
	{"near_threshold", "a score within 5 points of a threshold, or a claim within 1 % of what is true", "ein Bedarf bis 5 Punkte neben einer Schwelle, oder eine Werbeaussage bis 1 % neben der Wahrheit", func(_ decide.Record, f facts) bool { return f.near }},
	{"minor", "somebody known to be under 18", "jemand, der bekanntermaßen unter 18 ist", func(_ decide.Record, f facts) bool { return f.Age == "u16" || f.Age == "16_17" }},
	{"sensitive", "a sensitive product, page or group", "ein sensibles Produkt, eine sensible Seite oder Gruppe", func(r decide.Record, f facts) bool {
		return f.Special || f.SpecialProduct || f.UsesSpecial || slices.ContainsFunc(r.Rules, func(id string) bool { return strings.HasPrefix(id, "SPC-") })
	}},
	{"new_policy", "judged by the policy in force, after another", "nach den geltenden Regeln beurteilt, nach anderen davor", nil},
}

// facts are what strata are told by.
type facts struct {
	Age            string `json:"age"`
	Special        bool   `json:"special"`
	SpecialProduct bool   `json:"special_product"`
	UsesSpecial    bool   `json:"uses_special"`
	Need           int64  `json:"need"`
	NeedHint       int64  `json:"need_hint"`
	NeedHuman      int64  `json:"need_human"`
	Quote          struct {
		Announcement struct {
			Percent int64 `json:"pct"`
		} `json:"announcement"`
	} `json:"quote"`
	Facts struct {
		MaxPercent int64 `json:"max_pct"`
	} `json:"facts"`
	denied, near bool
}

// nearPoints is how close to a threshold a score is near it.
const nearPoints = 5

func factsOf(r decide.Record) (f facts) {
	_ = json.Unmarshal(r.Input, &f) // what an input does not say counts as no
	var out struct {
		Allowed, Published *bool
		Offer, Mode        string
		Price              *bool `json:"price_allowed"`
		Claim              *bool `json:"claim_allowed"`
	}
	_ = json.Unmarshal(r.Result, &out)
	no := func(b *bool) bool { return b != nil && !*b }
	f.denied = no(out.Allowed) || no(out.Published) || no(out.Price) || no(out.Claim) || out.Offer == "none" || out.Mode == "default"
	within := func(a, b, d int64) bool { return b > 0 && a-b <= d && b-a <= d }
	f.near = r.Action == decide.ActionEscalate && f.Need > 0 && (within(f.Need, f.NeedHint, nearPoints) || within(f.Need, f.NeedHuman, nearPoints)) ||
		f.Quote.Announcement.Percent > 0 && within(f.Quote.Announcement.Percent, f.Facts.MaxPercent, 1)
	return f
}

// lot is a record with the number that its seed and id draw. The lowest are taken, so
// the sample does not depend on the order in which the log is read.
type lot struct {
	n      uint64
	record decide.Record
}

// draw keeps the lowest lots of a stratum.
type draw struct {
	most  int
	kept  lots
	count int
}

type lots []lot

func (l lots) Len() int           { return len(l) }
func (l lots) Less(i, j int) bool { return l[i].n > l[j].n }
func (l lots) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }
func (l *lots) Push(x any)        { *l = append(*l, x.(lot)) }
func (l *lots) Pop() any {
	old := *l
	x := old[len(old)-1]
	*l = old[:len(old)-1]
	return x
}

func (d *draw) add(l lot) {
	if d.count++; d.most <= 0 {
		return
	}
	if len(d.kept) < d.most {
		heap.Push(&d.kept, l)
	} else if l.n < d.kept[0].n {
		d.kept[0] = l
		heap.Fix(&d.kept, 0)
	}
}

func number(seed, stratum, id string) uint64 {
	sum := sha256.Sum256([]byte(seed + "\x00" + stratum + "\x00" + id))
	return binary.BigEndian.Uint64(sum[:])
}

// sizeFor is how many of a population show a share to within a margin with 95 %
// confidence, whatever the share is, with the finite population's correction (Cochran,
// Sampling Techniques, 1977, 4.4).
func sizeFor(population int, margin float64) int {
	if population == 0 {
		return 0
	}
	n0 := 1.959963984540054 * 1.959963984540054 * 0.25 / (margin * margin)
	return min(population, int(math.Ceil(n0/(1+(n0-1)/float64(population)))))
}

// Run draws the sample and prints a worksheet.
func (c auditSampleCmd) Run(ctx context.Context, s streams) error {
	if c.N < 0 {
		return notNegative("--n", c.N)
	}
	if c.Margin <= 0 || c.Margin >= 0.5 {
		return fmt.Errorf("--margin: want a share above 0 and below 0.5, got %g", c.Margin)
	}
	return c.within(ctx, s, func(r *reached) error {
		draws, err := c.draw(ctx, r)
		if err != nil {
			return err
		}
		if draws[0].count == 0 {
			return errors.New("there is no decision in that time")
		}
		return c.print(s, draws)
	})
}

// draw reads the log twice: to count, as the size of the random sample depends on it,
// and to draw.
func (c auditSampleCmd) draw(ctx context.Context, r *reached) ([]*draw, error) {
	now, err := r.inForce(ctx)
	if err != nil {
		return nil, err
	}
	total, other := 0, false
	err = c.each(ctx, r, func(rec decide.Record) error {
		total++
		other = other || rec.Digests.Policy != now.Digests.Policy
		return nil
	})
	if err != nil {
		return nil, err
	}
	draws := make([]*draw, len(strata))
	for i := range strata {
		draws[i] = &draw{most: c.size(i, total)}
	}
	return draws, c.each(ctx, r, func(rec decide.Record) error {
		f := factsOf(rec)
		for i, st := range strata {
			in := st.in != nil && st.in(rec, f) || st.in == nil && other && rec.Digests.Policy == now.Digests.Policy
			if in {
				draws[i].add(lot{number(c.Seed, st.name, rec.ID), rec})
			}
		}
		return nil
	})
}

func (c auditSampleCmd) size(stratum, total int) int {
	switch {
	case c.N > 0:
		return c.N
	case stratum == 0:
		return sizeFor(total, c.Margin)
	}
	return 10
}

func (c auditSampleCmd) each(ctx context.Context, r *reached, do func(decide.Record) error) error {
	res, err := r.request(ctx, "GET", "/admin/records?"+between(c.Since.Time, c.Until.Time), "", nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	return cutOff(lines(res.Body, do))
}

// sampled is one line of a worksheet.
type sampled struct {
	Stratum  string          `json:"stratum"`
	Decision string          `json:"decision_id"`
	Time     time.Time       `json:"time"`
	Action   string          `json:"action"`
	Rules    []string        `json:"rules"`
	Result   json.RawMessage `json:"result"`
	Policy   string          `json:"policy"`
}

// worksheet is what an auditor fills in for each decision.
var worksheet = map[string][]string{
	"en": {"stratum", "decision_id", "time", "action", "said", "rules", "policy", "consent_seen", "reason_right", "minimal", "finding", "severity", "owner", "due", "checked_by", "checked_at"},
	"de": {"Schicht", "Entscheidung", "Zeit", "Art", "Gesagt", "Regeln", "Policy", "Einwilligung gesehen", "Grund richtig", "nur das Nötige", "Befund", "Schwere", "zuständig", "Frist", "geprüft von", "geprüft am"},
}

func (c auditSampleCmd) print(s streams, draws []*draw) error {
	if c.Format == "json" {
		return c.printJSON(s, draws)
	}
	s.printf(pick(c.Lang, "# seed %s; of %d decisions\n", "# Startwert %s; von %d Entscheidungen\n"), c.Seed, draws[0].count)
	for i, st := range strata {
		s.printf(pick(c.Lang, "# %s: %d of %d (%s)\n", "# %s: %d von %d (%s)\n"), st.name, len(draws[i].kept), draws[i].count, pick(c.Lang, st.why, st.whyDe))
	}
	w, columns := csv.NewWriter(s.out), worksheet[c.Lang]
	if err := w.Write(columns); err != nil {
		return err
	}
	for i, st := range strata {
		for _, l := range draws[i].sorted() {
			r := l.record
			row := []string{st.name, r.ID, r.Time.Format(time.RFC3339), r.Action, wordsOf(r, c.Lang), strings.Join(r.Rules, " "), fmt.Sprintf("%.16s", r.Digests.Policy)}
			if err := w.Write(append(row, make([]string, len(columns)-len(row))...)); err != nil {
				return err
			}
		}
	}
	w.Flush()
	return w.Error()
}

func (c auditSampleCmd) printJSON(s streams, draws []*draw) error {
	type stratum struct {
		Name       string    `json:"name"`
		Why        string    `json:"why"`
		Population int       `json:"population"`
		Sample     []sampled `json:"sample"`
	}
	out := struct {
		Seed   string    `json:"seed"`
		Margin float64   `json:"margin"`
		Strata []stratum `json:"strata"`
	}{Seed: c.Seed, Margin: c.Margin}
	for i, st := range strata {
		x := stratum{st.name, pick(c.Lang, st.why, st.whyDe), draws[i].count, []sampled{}}
		for _, l := range draws[i].sorted() {
			r := l.record
			x.Sample = append(x.Sample, sampled{st.name, r.ID, r.Time, r.Action, r.Rules, r.Result, r.Digests.Policy})
		}
		out.Strata = append(out.Strata, x)
	}
	return printJSON(s, out)
}

// sorted gives the sample in the order of time.
func (d *draw) sorted() []lot {
	out := slices.Clone(d.kept)
	slices.SortFunc(out, func(a, b lot) int {
		return cmp.Or(a.record.Time.Compare(b.record.Time), bytes.Compare([]byte(a.record.ID), []byte(b.record.ID)))
	})
	return out
}
