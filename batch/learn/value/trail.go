package value

import (
	"cmp"
	"fmt"
	"slices"
)

// Trail is the days of orders of all buyers who share them. It tells more than a
// History: how long each pause between two orders was.
type Trail struct {
	Days   []int   `json:"days"`   // of the repeat orders, in days since the first one, ascending
	Age    int     `json:"age"`    // days from the first order to as of
	Weight float64 `json:"weight"` // how many buyers have it
}

// History is what BG/NBD knows of a trail.
func (t Trail) History() History {
	h := History{Repeat: len(t.Days), Age: t.Age, Weight: t.Weight}
	if h.Repeat > 0 {
		h.Last = t.Days[h.Repeat-1]
	}
	return h
}

// fault says what is impossible about a trail, or "".
func (t Trail) fault() string {
	before := 0
	for _, d := range t.Days {
		if d <= before {
			return "days that do not ascend from 1"
		}
		before = d
	}
	return t.History().fault()
}

func (t Trail) error(i int, fault string) error {
	return fmt.Errorf("trail %d (%d repeats, age %d, weight %g) has %s", i, len(t.Days), t.Age, t.Weight, fault)
}

// groupedTrails sorts trails, shortest first, and adds up equal ones.
func groupedTrails(trails []Trail) ([]Trail, error) {
	sorted := slices.Clone(trails)
	for i, t := range sorted {
		if fault := t.fault(); fault != "" {
			return nil, t.error(i, fault)
		}
	}
	slices.SortFunc(sorted, func(a, b Trail) int {
		return cmp.Or(len(a.Days)-len(b.Days), slices.Compare(a.Days, b.Days), a.Age-b.Age, cmp.Compare(a.Weight, b.Weight))
	})
	var out []Trail
	for _, t := range sorted {
		if n := len(out); n > 0 && out[n-1].Age == t.Age && slices.Equal(out[n-1].Days, t.Days) {
			out[n-1].Weight += t.Weight
		} else if t.Weight > 0 {
			out = append(out, t)
		}
	}
	return out, nil
}
