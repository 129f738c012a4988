package segment

import (
	"context"
	"fmt"
	"math"
	"strconv"
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

// buyers is a history, how many share it, and their later order days.
type buyers struct {
	value.History
	all   int64
	later int64
}

// learnValue fits how often buyers come back and what they spend, and expects the value
// of each of them. Only who said yes to training is learnt from; the rest is scored by
// what was learnt. Too few: nobody is scored. First it does so as of four weeks ago.
func (n *night) learnValue(ctx context.Context) error {
	then, shared, err := n.fitValue(ctx, n.in.AsOf.AddDate(0, 0, -checkDays))
	if err != nil {
		return err
	}
	n.valueThen = compare(then, shared)
	if n.valued, shared, err = n.fitValue(ctx, n.in.AsOf); err != nil {
		return err
	}
	if err := n.expect(ctx, shared); err != nil {
		return err
	}
	return n.db.table(ctx, "values_expected")
}

// fitValue makes histories as of a day, and fits the model to those that it may be made
// from: nil if they are too few.
func (n *night) fitValue(ctx context.Context, day time.Time) (*value.Model, []buyers, error) {
	if err := n.db.set(ctx, "history_day", "date "+quote(day.Format(time.DateOnly))); err != nil {
		return nil, nil, err
	}
	if err := n.db.table(ctx, "histories"); err != nil {
		return nil, nil, err
	}
	var shared []buyers
	var trained []value.History
	n.buyersTrained = 0
	err := n.db.each(ctx, `select repeats, last_days, age_days, count(*), count(*) filter (where trained), sum(later_days)::bigint
		from histories group by repeats, last_days, age_days order by all`, func(scan func(...any) error) error {
		var repeats, last, age, may int64
		var b buyers
		if err := scan(&repeats, &last, &age, &b.all, &may, &b.later); err != nil {
			return err
		}
		b.History = value.History{Repeat: int(repeats), Last: int(last), Age: int(age), Weight: float64(may)}
		shared, trained = append(shared, b), append(trained, b.History)
		n.buyersTrained += may
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading histories: %w", err)
	}
	if n.buyersTrained < fewestBuyers {
		return nil, shared, nil
	}
	spends, err := n.spends(ctx)
	if err != nil {
		return nil, nil, err
	}
	m, err := value.Fit(trained, spends)
	if err != nil {
		return nil, nil, fmt.Errorf("fitting value: %w", err)
	}
	return &m, shared, nil
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
	if err := n.db.exec(ctx, "create or replace table expectations (repeats bigint, last_days bigint, age_days bigint, orders double, alive double)"); err != nil {
		return fmt.Errorf("making table expectations: %w", err)
	}
	return n.db.fill("expectations", func(add func(...any) error) error {
		for _, b := range shared {
			e := m.Expect(b.History, value.Spend{}, float64(n.in.Config.Learning.HorizonDays))
			if err := add(int64(b.Repeat), int64(b.Last), int64(b.Age), e.Orders, e.Alive); err != nil {
				return err
			}
		}
		return nil
	})
}

// beside is what was expected of buyers with so many order days, and what came.
type beside struct {
	orders         int // 4: four or more
	persons, later int64
	expected       float64
}

// compare holds what a model expected of checkDays against what came, by order days before.
func compare(m *value.Model, shared []buyers) []beside {
	if m == nil {
		return nil
	}
	out := make([]beside, 4)
	for _, b := range shared {
		at := &out[min(b.Repeat, 3)]
		at.orders = min(b.Repeat, 3) + 1
		at.persons, at.later = at.persons+b.all, at.later+b.later
		at.expected += float64(b.all) * m.Expect(b.History, value.Spend{}, checkDays).Orders
	}
	for i := range out {
		out[i].expected = math.Round(out[i].expected*10) / 10
	}
	return out
}
