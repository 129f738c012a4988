package segment

import (
	"context"
	"fmt"
	"regexp"
	"slices"
)

// Class is a group of persons alike in all that a reader of a report is told, with
// how many of them have each value of a sensitive outcome.
type Class struct {
	Name     string
	Persons  int64
	Outcomes map[string]int64
}

// leastAnonymousK is the smallest class that may be called anonymous (EXP-07),
// whatever smaller k a configuration suppresses by.
const leastAnonymousK = 25

// Smallest is the k of k-anonymity: the size of the smallest class.
func Smallest(classes []Class) (k int64) {
	for i, c := range classes {
		if i == 0 || c.Persons < k {
			k = c.Persons
		}
	}
	return k
}

// Diversity is the l of l-diversity: how many values the sensitive outcome has in
// the class where it has fewest. One means that belonging tells it.
func Diversity(classes []Class) (l int) {
	for i, c := range classes {
		values := 0
		for _, persons := range c.Outcomes {
			if persons > 0 {
				values++
			}
		}
		if i == 0 || values < l {
			l = values
		}
	}
	return l
}

// Isolates reports whether two numbers about the same persons differ by a group
// that is smaller than k: whoever knows both knows that group's (EXP-07).
func Isolates(one, other, k int64) bool {
	d := max(one, other) - min(one, other)
	return d > 0 && d < k
}

// likeID finds what could be a key or pseudonym of a person in a text.
var likeID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b`)

// notAnonymous says why a report may not be called anonymous; nothing if it may
// (BAT-07). k alone is never enough.
func notAnonymous(body []byte, classes []Class, k int) (why []string) {
	if likeID.Match(body) {
		why = append(why, "it holds what may be an id")
	}
	if k < leastAnonymousK {
		why = append(why, fmt.Sprintf("k is %d, less than %d", k, leastAnonymousK))
	}
	if len(classes) > 0 && Smallest(classes) < int64(k) {
		why = append(why, "a group is smaller than k")
	}
	if slices.ContainsFunc(classes, func(c Class) bool { return c.Outcomes["special"] > 0 && Diversity([]Class{c}) < 2 }) {
		why = append(why, "everybody in a group shares something sensitive")
	}
	for i, a := range classes {
		for _, b := range classes[:i] {
			if within(a, b) && Isolates(a.Persons, b.Persons, int64(k)) {
				why = append(why, "two groups differ by fewer than k")
			}
		}
	}
	return slices.Compact(why)
}

// within reports two classes that bear one name: the same group, told twice.
func within(a, b Class) bool { return a.Name == b.Name }

// shownClasses are the segments whose size the report tells, with who of their
// members showed something sensitive.
func (n *night) shownClasses(ctx context.Context) (classes []Class, err error) {
	query := `select s.segment, sum(w.persons)::bigint,
			coalesce(sum(w.persons) filter (where k.tag <> 'none' or list_contains(getvariable('special_segments'), s.segment)), 0)::bigint
		from crowds as w join kinds as k using (kind) join segment_names as s on get_bit(w.segments, s.place) = 1 join cells as c using (segment)
		where c.members is not null group by s.segment order by s.segment`
	err = n.db.each(ctx, query, func(scan func(...any) error) error {
		c := Class{Outcomes: map[string]int64{}}
		var special int64
		if err := scan(&c.Name, &c.Persons, &special); err != nil {
			return err
		}
		c.Outcomes["special"], c.Outcomes["none"] = special, c.Persons-special
		classes = append(classes, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing groups for the test of anonymity: %w", err)
	}
	return classes, nil
}
