package segment

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/batch/learn/value"
)

// fewestBuyers is how many buyers a value model is made from at least; below, every
// expected value is unknown.
const fewestBuyers = 200

// mostSpends is from how many buyers the worth of orders is estimated at most: those
// with the smallest pseudonyms, which are random.
const mostSpends = 20_000

// checkDays is how far back the model is also fitted, to hold what it expected then
// against what came.
const checkDays = 28

// mostTrails is from how many buyers Slowing is estimated at most: those, too.
const mostTrails = 2_000

// buyers is a trail, how many share it, and their later order days. Its weight counts
// those who may be learnt from.
type buyers struct {
	value.Trail
	text      string // in histories
	all       int64
	later     int64 // of all
	sampled   int64
	came      int64 // order days in the days after, of those who may be learnt from
	cameTwice int64 // the sum of their squares
}

// learnValue fits how often buyers come back and what they spend, and expects the value
// of each of them. Only who said yes to training is learnt from; the rest is scored by
// what was learnt. Too few: nobody is scored. First it does so as of four weeks ago. What
// came since then chooses between BG/NBD and Slowing for tonight, as what had come in the
// four weeks before chooses for the model of then.
func (n *night) learnValue(ctx context.Context) error {
	if err := n.db.set(ctx, "check_days", strconv.Itoa(checkDays)); err != nil {
		return err
	}
	before, shared, err := n.fitValue(ctx, n.in.AsOf.AddDate(0, 0, -2*checkDays), true)
	if err != nil {
		return err
	}
	earlier := choose(before, shared)
	then, shared, err := n.fitValue(ctx, n.in.AsOf.AddDate(0, 0, -checkDays), true)
	if err != nil {
		return err
	}
	n.valueChoice = choose(then, shared)
	n.valueThen = compare(earlier.use(then), shared)
	if n.valued, shared, err = n.fitValue(ctx, n.in.AsOf, n.valueChoice.better()); err != nil {
		return err
	}
	if err := n.expect(ctx, shared); err != nil {
		return err
	}
	return n.db.table(ctx, "values_expected")
}

// fitValue makes histories as of a day, and fits the model to those that it may be made
// from: nil if they are too few.
func (n *night) fitValue(ctx context.Context, day time.Time, slowing bool) (*value.Model, []buyers, error) {
	if err := n.db.set(ctx, "history_day", "date "+quote(day.Format(time.DateOnly))); err != nil {
		return nil, nil, err
	}
	if err := n.db.table(ctx, "histories"); err != nil {
		return nil, nil, err
	}
	shared, err := n.buyers(ctx)
	if err != nil || n.buyersTrained < fewestBuyers {
		return nil, shared, err
	}
	spends, err := n.spends(ctx)
	if err != nil {
		return nil, nil, err
	}
	var histories []value.History
	var trails []value.Trail
	for _, b := range shared {
		histories = append(histories, b.History())
		if b.sampled > 0 {
			trails = append(trails, value.Trail{Days: b.Days, Age: b.Age, Weight: float64(b.sampled)})
		}
	}
	m, err := value.Fit(histories, spends)
	if err == nil && slowing {
		m, err = m.Follow(trails)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("fitting value: %w", err)
	}
	return &m, shared, nil
}

// buyers reads the table histories, grouped by trail, and counts who may be learnt from.
func (n *night) buyers(ctx context.Context) (out []buyers, err error) {
	n.buyersTrained = 0
	err = n.db.each(ctx, fmt.Sprintf(`with sampled as (select person from histories where trained order by person limit %d)
		select trail, age_days, count(*), count(*) filter (where trained), count(*) filter (where person in (from sampled)), sum(later_days)::bigint,
			coalesce(sum(later_days) filter (where trained), 0)::bigint, coalesce(sum(later_days * later_days) filter (where trained), 0)::bigint
		from histories group by trail, age_days order by all`, mostTrails), func(scan func(...any) error) error {
		var age, may int64
		var b buyers
		if err := scan(&b.text, &age, &b.all, &may, &b.sampled, &b.later, &b.came, &b.cameTwice); err != nil {
			return err
		}
		if b.text != "" {
			for day := range strings.SplitSeq(b.text, ",") {
				d, err := strconv.Atoi(day)
				if err != nil {
					return err
				}
				b.Days = append(b.Days, d)
			}
		}
		b.Age, b.Weight = int(age), float64(may)
		out = append(out, b)
		n.buyersTrained += may
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading histories: %w", err)
	}
	return out, nil
}

func (n *night) spends(ctx context.Context) (out []value.Spend, err error) {
	err = n.db.each(ctx, fmt.Sprintf(`select repeats + 1, cents from (
		select person, repeats, cents from histories where trained and cents > 0 order by person limit %d
	) order by person`, mostSpends), func(scan func(...any) error) error {
		var orders, cents int64
		if err := scan(&orders, &cents); err != nil {
			return err
		}
		out = append(out, value.Spend{Orders: int(orders), Cents: float64(cents) / float64(orders), Weight: 1})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading what orders were worth: %w", err)
	}
	return out, nil
}

// expect fills table expectations: what each history that anybody has lets expect. It
// stays empty without a model, and then nobody is in values_expected.
func (n *night) expect(ctx context.Context, shared []buyers) error {
	var m value.Model
	if n.valued != nil {
		m = *n.valued
	} else {
		shared = nil
	}
	for name, v := range map[string]float64{"spend_p": m.Spend.P, "spend_q": m.Spend.Q, "spend_gamma": m.Spend.Gamma} {
		if err := n.db.set(ctx, name, strconv.FormatFloat(v, 'g', -1, 64)+"::double"); err != nil {
			return err
		}
	}
	if err := n.db.exec(ctx, "create or replace table expectations (trail varchar, age_days bigint, orders double, alive double)"); err != nil {
		return fmt.Errorf("making table expectations: %w", err)
	}
	return n.db.fill("expectations", func(add func(...any) error) error {
		outlook := m.Outlook(float64(n.in.Config.Learning.HorizonDays))
		for _, b := range shared {
			e := outlook.Expect(b.Trail, value.Spend{})
			if err := add(b.text, int64(b.Age), e.Orders, e.Alive); err != nil {
				return err
			}
		}
		return nil
	})
}
