package segment

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// memory is what the last report told, by the names of its numbers, and what reports before
// it told of numbers that it has not.
type memory struct {
	date  string               // of the last report; "": there is none
	step  int64                // that its numbers of persons go in; 1: they are exact
	k     int64                // under which it told none
	told  map[string][]float64 // nil: withheld
	since map[string]string    // the night that told it last, of numbers that the last report has not
	last  *Report              // nil: there is none
}

// tellings of one night.
type teller struct {
	memory
	now   int64             // k of tonight
	night string            // its date
	told  map[string]*int64 // tonight's numbers of persons
	count map[string]int64  // the true ones
	again map[string]bool   // which of them are the last report's
}

// inSteps is a number of persons as it is told at first: none, nothing if it is under k, else
// the multiple of k below it. Whatever is added or subtracted of such numbers, each hides k-1.
func inSteps(count, k int64) *int64 {
	if count > 0 && count < k {
		return nil
	}
	return new(count / k * k)
}

// tell is a number of persons as it is told tonight: as it was, until the true one is k away
// from all that it could have been then. So nights that differ by fewer than k persons tell
// the same, and what is told moves by k at least (EXP-07).
func (t *teller) tell(name string, count int64) *int64 {
	last, known := t.memory.told[name]
	if !known {
		return inSteps(count, t.now)
	}
	low, high := int64(1), t.k-1
	if len(last) == 0 && t.step == 1 { // an earlier version withheld for other reasons, too
		high = math.MaxInt64 - t.now
	}
	if len(last) > 0 {
		low, high = int64(last[0]), int64(last[0])
		if low > 0 {
			high += t.step - 1
		}
	}
	if count <= low-t.now || count >= high+t.now {
		return inSteps(count, t.now)
	}
	t.again[name] = true
	if len(last) == 0 {
		return nil
	}
	return inSteps(low, t.now)
}

// tellNumbers brings the numbers of a report from what is true to what is told.
func (t *teller) tellNumbers(r *Report) error {
	all := r.numbers()
	t.count = map[string]int64{}
	for _, n := range all {
		switch tellings[n.path].as {
		case isUnnamed:
			return fmt.Errorf("the report has a number %s of which nobody said how it is told", n.path)
		case isPersons:
			if v := n.value(); v != nil {
				told := t.tell(n.name, int64(v[0]))
				t.told[n.name], t.count[n.name] = told, int64(v[0])
				n.set(one(told))
			}
		}
	}
	t.tellNone(r, all)
	t.withhold(r)
	sections := r.toldSections()
	for _, n := range r.numbers() {
		if len(tellings[n.path].of) > 0 {
			_, within := sectionOf(sections, n)
			t.tellFigure(n, within)
		}
	}
	t.tellSections(r)
	return nil
}

func one(n *int64) []float64 {
	if n == nil {
		return nil
	}
	return []float64{float64(*n)}
}

// tellFigure tells a figure again where one of its numbers of persons is told again, unless
// that is up to its section, and nothing where one of them is not told.
func (t *teller) tellFigure(n place, within bool) {
	of, fewest, again, few := tellings[n.path].of, int64(math.MaxInt64), false, false
	for _, path := range of {
		name := n.among(path)
		told := t.told[name]
		if told == nil {
			n.set(nil)
			return
		}
		fewest, again, few = min(fewest, *told), again || t.again[name], few || t.few(name)
	}
	v, known := t.memory.told[n.name]
	switch tonight := n.value(); {
	case known && again && !within:
		n.set(v)
	case few:
		n.set(nil)
	case tonight != nil:
		n.set(coarse(tellings[n.path].as, tonight, float64(max(fewest, t.now)), float64(t.now)))
	}
}

// coarse rounds a figure of some persons: to an eighth of its interval, which is half its
// standard error; a share without one to half of what that is of a share of so many; else to
// the part of it that k of them have on average. None of these shows one person.
func coarse(as kind, v []float64, persons, k float64) []float64 {
	out := slices.Clone(v)
	for i, x := range v {
		unit := below(math.Abs(x) * k / persons)
		switch spread := math.Abs(x) * (1 - math.Abs(x)); {
		case as == isCut:
			return out
		case len(v) == 3 && v[2] > v[1]:
			unit = above((v[2] - v[1]) / 8)
		case as == isShare:
			unit = above(max(1/persons, math.Sqrt(max(0, spread)/persons)/2))
		}
		if unit > 0 {
			out[i] = math.Round(x/unit) * unit
		}
	}
	return out
}

// below is the largest of 1, 2 and 5 times a power of ten that is not above x.
func below(x float64) float64 {
	if x <= 0 {
		return 0
	}
	ten := math.Pow(10, math.Floor(math.Log10(x)))
	for _, unit := range []float64{5, 2} {
		if unit*ten <= x {
			return unit * ten
		}
	}
	return ten
}

// above is the smallest of them that is not below x.
func above(x float64) float64 { return 1 / below(1/x) }

// ToldBefore is a number that an earlier report told and this one does not tell. When it comes
// back it is held against that.
type ToldBefore struct {
	Name string    `json:"name"`
	Date string    `json:"date"`
	Told []float64 `json:"told"` // null: withheld, under k
}

// remembered lists what is not told tonight though it was, for as many days as features look
// back: then none of the persons' acts counts any more. What a list leaves out tonight is
// remembered as it would be told tonight.
func (t *teller) remembered(r *Report, featureDays int) {
	here, told := map[string]bool{}, map[string]bool{}
	for _, n := range r.numbers() {
		here[n.name], told[n.name] = true, t.tells(n)
	}
	night, _ := time.Parse(time.DateOnly, t.night)
	first := night.AddDate(0, 0, -featureDays).Format(time.DateOnly)
	r.ToldBefore = []ToldBefore{}
	for name, last := range t.memory.told {
		date := cmp.Or(t.since[name], t.date)
		if told[name] || here[name] && t.withheld(name) {
			continue
		}
		if now, counted := t.told[name]; counted && !t.again[name] {
			date, last = t.night, one(now)
		}
		if date >= first {
			r.ToldBefore = append(r.ToldBefore, ToldBefore{name, date, last})
		}
	}
	slices.SortFunc(r.ToldBefore, func(a, b ToldBefore) int { return cmp.Compare(a.Name, b.Name) })
}

// withheld reports a number that was null when it was last told, or a figure of one.
func (m memory) withheld(name string) bool {
	return m.told[name] == nil || slices.ContainsFunc(tellings[pathOf(name)].of, func(path string) bool {
		return m.told[place{name: name}.among(path)] == nil
	})
}

// tells reports whether tonight says something of a number, if only that it is under k: a
// number of persons if they were counted, a figure if all were that it is of.
func (t *teller) tells(n place) bool {
	telling := tellings[n.path]
	if telling.as == isPersons {
		_, counted := t.told[n.name]
		return counted
	}
	return !slices.ContainsFunc(telling.of, func(path string) bool {
		_, counted := t.told[n.among(path)]
		return !counted
	})
}
