package segment

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/value"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// buyersOf lets people order on days of their own, at rates of their own, some of them
// until they leave. All are profiled; the first trained may be learnt from, too.
func (s *shop) buyersOf(people, trained, days int) (orders map[consent.Subject][]time.Time) {
	return s.buyersSlowing(people, trained, days, 0)
}

// buyersSlowing are such buyers; who leaves goes on to order, at a rate of all who did.
func (s *shop) buyersSlowing(people, trained, days int, slower float64) (orders map[consent.Subject][]time.Time) {
	orders = map[consent.Subject][]time.Time{}
	for n := range people {
		who, r := subject(n), learn.NewRandom(11, uint64(n))
		s.says(who, consent.Given, monday.Add(-time.Hour), consent.PersonalisationContent)
		if n < trained {
			s.says(who, consent.Given, monday.Add(-time.Hour), consent.ModelTraining)
		}
		rate, alive := .35*r.Float64()*r.Float64(), true
		for d := range days {
			now := rate
			if !alive {
				now = slower
			}
			if d == 0 && r.Float64() > .5 || d > 0 && r.Float64() > now {
				continue
			}
			at := monday.AddDate(0, 0, d).Add(10 * time.Hour)
			s.sees(who, event.OrderCompleted, at, event.Fields{OrderKey: int64(n*1000 + d + 1), CartCents: 2000 + int64(n%50)*100, Currency: "EUR"})
			orders[who] = append(orders[who], at)
			alive = alive && r.Float64() > .1
		}
	}
	return orders
}

// What the night expects of each buyer is what the model says of their own order days.
func TestTheNightExpectsWhatTheModelSays(t *testing.T) {
	s := newShop(t)
	orders := s.buyersOf(600, 600, 30)
	n := until(t, s.night(monday.AddDate(0, 0, 30)), "building segments")
	if n.valued == nil {
		t.Fatal("nothing was learnt")
	}
	want := modelOf(t, orders, n.in.AsOf, n.valued.Slowing != nil)
	if math.Abs(want.Orders.R-n.valued.Orders.R) > 1e-6 || math.Abs(want.Spend.Q-n.valued.Spend.Q) > 1e-6 {
		t.Errorf("the night's model is %+v, by hand %+v", n.valued, want)
	}
	for who, at := range orders {
		e := want.Outlook(90).Expect(trailOf(at, n.in.AsOf), value.Spend{Orders: len(at), Cents: centsOf(who), Weight: 1})
		var cents, alive int64
		query := fmt.Sprintf("select expected_value_cents, alive_pct from values_expected where person = '%s'::uuid", who)
		if err := n.db.one(t.Context(), query, &cents, &alive); err != nil {
			t.Fatal(err)
		}
		if math.Abs(float64(cents)-e.Cents) > 1 || math.Abs(float64(alive)-100*e.Alive) > .51 {
			t.Fatalf("%v: the night expects %d cents, alive %d %%; by hand %.1f, %.1f %%", who, cents, alive, e.Cents, 100*e.Alive)
		}
	}
}

// Of BG/NBD and Slowing the night uses the one that, four weeks ago, was nearer to what each
// buyer has ordered since: reckoned here buyer by buyer. Where buyers slow down and go on, that is Slowing.
func TestTheNightUsesTheModelThatWasNearer(t *testing.T) {
	for _, slower := range []float64{0, .1} {
		s := newShop(t)
		orders := s.buyersSlowing(600, 600, 84, slower)
		n := until(t, s.night(monday.AddDate(0, 0, 84)), "building segments")
		then := n.in.AsOf.AddDate(0, 0, -checkDays)
		known := map[consent.Subject][]time.Time{}
		for who, at := range orders {
			if i, _ := slices.BinarySearchFunc(at, then, time.Time.Compare); i > 0 {
				known[who] = at[:i]
			}
		}
		m := modelOf(t, known, then, true)
		wrong := func(m value.Model) float64 {
			sum := 0.0
			for who, at := range known {
				off := m.Outlook(checkDays).Expect(trailOf(at, then), value.Spend{}).Orders - float64(len(orders[who])-len(at))
				sum += off * off / float64(len(known))
			}
			return math.Sqrt(sum)
		}
		slowing, plain := wrong(m), wrong(plainly(&m))
		c := n.valueChoice
		if c == nil || math.Abs(c.plain-plain) > 1e-6 || math.Abs(c.slowing-slowing) > 1e-6 || c.buyers != int64(len(known)) {
			t.Fatalf("the night found %+v; by hand BG/NBD %.6f, Slowing %.6f, of %d buyers", c, plain, slowing, len(known))
		}
		if used := n.valued.Slowing != nil; used != (slowing < plain) {
			t.Errorf("BG/NBD was off by %.4f, Slowing by %.4f; the night uses Slowing: %t", plain, slowing, used)
		}
		if slower > 0 && n.valued.Slowing == nil {
			t.Errorf("buyers slow down, and the night did not see it: BG/NBD %.4f, Slowing %.4f", plain, slowing)
		}
	}
}

// modelOf fits the model to the order days of every buyer.
func modelOf(t *testing.T, orders map[consent.Subject][]time.Time, asOf time.Time, slowing bool) value.Model {
	t.Helper()
	var trails []value.Trail
	var spends []value.Spend
	for who, at := range orders {
		trails = append(trails, trailOf(at, asOf))
		spends = append(spends, value.Spend{Orders: len(at), Cents: centsOf(who), Weight: 1})
	}
	m, err := value.FitTrails(trails, spends)
	if err != nil {
		t.Fatal(err)
	}
	if !slowing {
		m = plainly(&m)
	}
	return m
}

func trailOf(at []time.Time, asOf time.Time) value.Trail {
	days := func(d time.Duration) int { return int(d.Hours()/24 + .5) }
	first := at[0].Truncate(24 * time.Hour)
	t := value.Trail{Age: days(asOf.Sub(first)), Weight: 1}
	for _, a := range at[1:] {
		t.Days = append(t.Days, days(a.Truncate(24*time.Hour).Sub(first)))
	}
	return t
}

func centsOf(who consent.Subject) float64 {
	for n := 0; ; n++ {
		if subject(n) == who {
			return float64(2000 + n%50*100)
		}
	}
}

// Training needs a yes of its own (BAT-08): who gave none changes no parameter, and is
// scored all the same.
func TestNobodyIsLearntFromWithoutAYes(t *testing.T) {
	models := [2]*value.Model{}
	for i, others := range []int{0, 300} {
		s := newShop(t)
		s.buyersOf(500+others, 500, 20)
		n := until(t, s.night(monday.AddDate(0, 0, 20)), "building segments")
		models[i] = n.valued
		var scored int
		if err := n.db.one(t.Context(), "select count(*) from values_expected where person not in (select subject from learners where purpose = 'model_training')", &scored); err != nil {
			t.Fatal(err)
		}
		if (scored > 0) != (others > 0) {
			t.Errorf("%d persons were scored without being learnt from, of %d", scored, others)
		}
	}
	if models[0] == nil || models[1] == nil || fmt.Sprint(*models[0]) != fmt.Sprint(*models[1]) {
		t.Errorf("those who said no changed the model: %+v, %+v", models[0], models[1])
	}
}

// TestTrainingTakesEveryYesOfThePerson: whoever objected to being profiled is neither
// learnt from nor scored; who said yes to training after the first order, and whose
// device took it back, are scored and not learnt from (EXP-03, BAT-01, CON-14).
func TestTrainingTakesEveryYesOfThePerson(t *testing.T) {
	s := newShop(t)
	orders := s.buyersOf(60, 60, 20)
	objected, late, device, quiet := subject(0), subject(1), subject(900), subject(901)
	row := s.subjects[objected]
	row.objections = []string{consent.Profiling}
	s.subjects[objected] = row
	delete(s.standings[late], consent.ModelTraining)
	s.says(late, consent.Given, monday.AddDate(0, 0, 19), consent.ModelTraining)
	for d, account := range map[consent.Subject]consent.Subject{device: subject(2), quiet: subject(3)} {
		s.subjects[d], s.subjects[account] = subjectRow{scope: consent.Device}, subjectRow{scope: consent.Account}
		s.links[d] = account
		s.says(d, consent.Given, monday.Add(-time.Hour), basis)
	}
	s.says(device, consent.Given, monday.Add(-time.Hour), consent.ModelTraining)
	s.says(device, consent.Withdrawn, monday.AddDate(0, 0, 3), consent.ModelTraining)
	n := until(t, s.night(monday.AddDate(0, 0, 20)), "building segments")
	for name, x := range map[string]struct {
		who             consent.Subject
		scored, trained bool
	}{
		"who objected": {objected, false, false}, "who said yes later": {late, true, false}, "whose device said no": {subject(2), true, false},
		"whose device said nothing": {subject(3), true, true}, "who said yes": {subject(4), true, true},
	} {
		if len(orders[x.who]) == 0 {
			t.Fatal(name, "bought nothing")
		}
		for _, table := range []string{"histories", "buyers"} {
			var rows, trained int
			query := fmt.Sprintf("select count(*), count(*) filter (where trained) from %s where person = %s::uuid", table, quote(x.who.String()))
			if err := n.db.one(t.Context(), query, &rows, &trained); err != nil {
				t.Fatal(err)
			}
			if (rows == 1) != x.scored || (trained == 1) != x.trained {
				t.Errorf("%s: %d rows of %s, %d of them learnt from", name, rows, table, trained)
			}
		}
	}
}

// Too few buyers: nothing is expected of anybody, and the report says why.
func TestTooFewBuyersAreNotScored(t *testing.T) {
	s := newShop(t)
	s.buyersOf(100, 100, 5)
	res := s.run(s.night(monday.AddDate(0, 0, 40)))
	if res.Report.Value == nil || res.Report.Value.Known || res.Report.Value.Reason == nil {
		t.Errorf("the report says %+v", res.Report.Value)
	}
}

// The report tells of value in numbers that add up, and shows no group under k.
func TestTheReportTellsOfValue(t *testing.T) {
	s := newShop(t)
	s.buyersOf(900, 900, 40)
	r := s.run(s.night(monday.AddDate(0, 0, 40))).Report
	v := r.Value
	if !v.Known || v.Persons == nil || len(v.Parameters) < 8 || v.Choice == nil || len(v.Against) != 4 {
		t.Fatalf("the report says %+v", v)
	}
	if slowing := strings.HasPrefix(v.Model, "Slowing"); slowing && v.Choice.Slowing > v.Choice.BGNBD || !slowing && v.Choice.Slowing < v.Choice.BGNBD {
		t.Errorf("%s is used, of %+v", v.Model, v.Choice)
	}
	expected, real := 0.0, 0.0
	for _, b := range v.Against {
		if b.Persons != nil && *b.Persons < int64(r.K) {
			t.Errorf("a group of %d persons shows", *b.Persons)
		}
		if b.Real != nil {
			expected, real = expected+b.Expected, real+float64(*b.Real)
		}
	}
	if expected < real/2 || expected > 2*real {
		t.Errorf("expected %.0f order days, %.0f came", expected, real)
	}
}
