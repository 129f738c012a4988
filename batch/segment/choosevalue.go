package segment

import (
	"math"

	"github.com/handschlag/handschlag/batch/learn/value"
)

// valueChoice is how far both models were off, in order days of a buyer (root mean square), of
// the buyers that may be learnt from, in the checkDays after what they were fitted to. nil:
// nothing could be held against anything, and BG/NBD is used.
type valueChoice struct {
	buyers         int64
	plain, slowing float64
}

// choose holds what a model with Slowing expected against what came.
func choose(m *value.Model, shared []buyers) *valueChoice {
	if m == nil || m.Slowing == nil {
		return nil
	}
	c, slow, plain, came := &valueChoice{}, m.Outlook(checkDays), plainly(m).Outlook(checkDays), int64(0)
	for _, b := range shared {
		c.buyers, came = c.buyers+int64(b.Weight), came+b.came
		wrong := func(o *value.Outlook) float64 {
			e := o.Expect(b.Trail, value.Spend{}).Orders
			return b.Weight*e*e - 2*e*float64(b.came) + float64(b.cameTwice)
		}
		c.plain, c.slowing = c.plain+wrong(plain), c.slowing+wrong(slow)
	}
	if came == 0 {
		return nil
	}
	c.plain, c.slowing = math.Sqrt(c.plain/float64(c.buyers)), math.Sqrt(c.slowing/float64(c.buyers))
	return c
}

// better reports whether Slowing was nearer.
func (c *valueChoice) better() bool { return c != nil && c.slowing < c.plain }

// use leaves a model the part that was chosen.
func (c *valueChoice) use(m *value.Model) *value.Model {
	if m == nil || c.better() {
		return m
	}
	plain := plainly(m)
	return &plain
}

// plainly is a model without Slowing.
func plainly(m *value.Model) value.Model {
	out := *m
	out.Slowing = nil
	return out
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
	outlook := m.Outlook(checkDays)
	for _, b := range shared {
		at := &out[min(len(b.Days), 3)]
		at.orders = min(len(b.Days), 3) + 1
		at.persons, at.later = at.persons+b.all, at.later+b.later
		at.expected += float64(b.all) * outlook.Expect(b.Trail, value.Spend{}).Orders
	}
	for i := range out {
		out[i].expected = math.Round(out[i].expected*10) / 10
	}
	return out
}
