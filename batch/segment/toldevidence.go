package segment

import (
	"fmt"
	"path/filepath"
)

// reportEvidence fills the tables that checks read of the report, from what was written
// tonight and what the last report told.
func (n *night) reportEvidence() error {
	_, sum, err := digestFile(filepath.Join(n.runDir(), reportFile))
	if err != nil {
		return err
	}
	r, err := readReport(filepath.Join(n.runDir(), reportFile), sum)
	if err != nil {
		return err
	}
	last, err := n.lastTold()
	if err != nil {
		return err
	}
	numbers := r.numbers()
	if err := n.evidenceOf("report_told", "report_figures", numbers, memory{told: r.tells(), step: r.Step, last: r}); err != nil {
		return err
	}
	return n.evidenceOf("report_before", "report_figures_before", numbers, last)
}

// evidenceOf fills two tables with what a report told of tonight's numbers: persons, and
// figures with each number that they are of.
func (n *night) evidenceOf(persons, figures string, numbers []place, of memory) error {
	err := n.db.fill(persons, func(add func(...any) error) error {
		for _, x := range numbers {
			told, known := of.told[x.name]
			if !known || tellings[x.path].as != isPersons {
				continue
			}
			if err := add(x.name, whole(told), of.step == int64(n.k)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return n.db.fill(figures, func(add func(...any) error) error {
		sections := of.last.toldSections()
		for _, x := range numbers {
			figure, known := of.told[x.name]
			if !known || len(tellings[x.path].of) == 0 {
				continue
			}
			rests, about := restsOn(x, sections, numbers)
			for _, name := range rests {
				if err := add(x.name, name, about, fmt.Sprint(figure)); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// restsOn names the numbers of persons that a figure is told again with, and what it is about:
// in a section all of its numbers, else those that it is made of.
func restsOn(x place, sections []toldSection, numbers []place) (names []string, about string) {
	s, within := sectionOf(sections, x)
	for _, n := range numbers {
		if within && s.has(n) && tellings[n.path].as == isPersons {
			names = append(names, n.name)
		}
	}
	if !within {
		for _, path := range tellings[x.path].of {
			names = append(names, x.among(path))
		}
	}
	return names, s.about
}

// whole is a number for a table; nil is null.
func whole(v []float64) any {
	if v == nil {
		return nil
	}
	return int64(v[0])
}
