package value

import "slices"

// Flag says in what respect a model is not what it seems.
type Flag string

// The flags. A flagged model is finite and may be shown, with the flag.
const (
	NoHistories   Flag = "no histories"     // nothing was given: every expectation is 0
	NoRepeat      Flag = "no repeat"        // nobody ordered twice: the rate is a guess, and low
	NobodyLeaves  Flag = "nobody leaves"    // a → 0: leaving cannot be seen in these histories
	LeavingAlike  Flag = "leaving alike"    // a or b at a bound: no spread in leaving can be seen
	OrderingAlike Flag = "ordering alike"   // r or α at a bound: no spread in rates can be seen
	SpendAlike    Flag = "spend alike"      // p, q or γ at a bound
	NoSpend       Flag = "no spend"         // no order with a value: every worth is 0
	FewRepeats    Flag = "few repeats"      // fewer than 100 buyers ordered twice
	NobodyReturns Flag = "nobody returns"   // s/β → 0: who slows down is gone, as in BG/NBD
	NotConverged  Flag = "did not converge" // the search ran out of steps
)

// Model is what the night knows about the value of buyers.
type Model struct {
	Orders        BGNBD      `json:"orders"`
	Slowing       *Slowing   `json:"slowing,omitempty"` // only of FitTrails
	Spend         GammaGamma `json:"spend"`
	Buyers        float64    `json:"buyers"`
	LogLikelihood float64    `json:"log_likelihood"` // of Orders
	Flags         []Flag     `json:"flags,omitempty"`
}

// Fit estimates a model by maximum likelihood. An error names a history or a spend
// that cannot be; whatever else is wrong with them is a flag, and the model finite.
// The order and the grouping of what is given change nothing.
func Fit(histories []History, spends []Spend) (Model, error) {
	groups, err := grouped(histories)
	if err != nil {
		return Model{}, err
	}
	spend, more, err := fitSpend(spends)
	if err != nil {
		return Model{}, err
	}
	m := fitGroups(groups)
	m.Spend, m.Flags = spend, tidy(append(m.Flags, more...))
	return m, nil
}

// fitGroups fits the orders of grouped histories.
func fitGroups(groups []History) (m Model) {
	repeaters := 0.0
	for _, h := range groups {
		m.Buyers += h.Weight
		if h.Repeat > 0 {
			repeaters += h.Weight
		}
	}
	switch {
	case m.Buyers == 0:
		m.Flags = []Flag{NoHistories}
		return m
	case repeaters == 0:
		m.Orders, m.Flags = noRepeat(groups), []Flag{NoRepeat}
	default:
		m.Orders, m.Flags = fitOrders(groups)
	}
	if repeaters > 0 && repeaters < 100 {
		m.Flags = append(m.Flags, FewRepeats)
	}
	m.LogLikelihood = m.Orders.LogLikelihood(groups)
	return m
}

// tidy sorts flags, each once.
func tidy(flags []Flag) []Flag {
	slices.Sort(flags)
	return slices.Compact(flags)
}

// FitTrails estimates Slowing beside what Fit does. It takes some CPU-seconds for
// ten thousand distinct trails; where there are more, Fit histories and give a sample of
// the trails to Follow.
func FitTrails(trails []Trail, spends []Spend) (Model, error) {
	histories := make([]History, len(trails))
	for i, t := range trails {
		if fault := t.fault(); fault != "" {
			return Model{}, t.error(i, fault)
		}
		histories[i] = t.History()
	}
	m, err := Fit(histories, spends)
	if err != nil {
		return m, err
	}
	return m.Follow(trails)
}

// Follow gives the model Slowing, fitted to trails of buyers such as those that it is of, its
// search beginning at Orders. Where nobody ordered twice there is none.
func (m Model) Follow(trails []Trail) (Model, error) {
	groups, err := groupedTrails(trails)
	if err != nil || m.Buyers == 0 || len(groups) == 0 || slices.Contains(m.Flags, NoRepeat) {
		return m, err
	}
	slowing, flags := fitSlowing(groups, m.Orders)
	m.Slowing = &slowing
	m.Flags = tidy(append(slices.Clone(m.Flags), flags...))
	return m, nil
}

// Expectation is what a buyer is expected to do.
type Expectation struct {
	Orders float64 `json:"orders"` // order days within the horizon, at most one a day
	Alive  float64 `json:"alive"`  // probability that they are still a customer
	Cents  float64 `json:"cents"`  // orders × cents of an order
}

// Expect tells what a buyer will do in the coming days. spend is the mean over the
// buyer's orders; without orders it is everybody's mean.
func (m Model) Expect(h History, spend Spend, horizonDays float64) Expectation {
	if m.Buyers == 0 || h.fault() != "" {
		return Expectation{}
	}
	e := Expectation{Orders: min(m.Orders.Orders(h, horizonDays), max(horizonDays, 0)), Alive: m.Orders.Alive(h)}
	if m.Spend.P > 0 {
		e.Cents = e.Orders * m.Spend.Mean(spend)
	}
	return e
}
