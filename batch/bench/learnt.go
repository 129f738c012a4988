package bench

import (
	"fmt"

	"github.com/handschlag/handschlag/batch/segment"
)

// Learnt is what one of the models of a night was made from, and whether it says something.
type Learnt struct {
	Name string `json:"name"`
	Rows *int64 `json:"rows"` // that it was made from, as far as the report tells; null: it withholds them
	Of   string `json:"of"`   // what they are
	What string `json:"what"` // it says
}

// learnt reads the night's report. decided is how many had decided anew at the second reading
// of consent.
func learnt(r segment.Report, decided int64) []Learnt {
	value, groups := Learnt{Name: "value", Of: "buyers", What: "not known"}, Learnt{Name: "micro-segments", Of: "buyers in groups"}
	if r.Value != nil {
		value.add(r.Value.Persons)
		if r.Value.Known {
			value.What = r.Value.Model
		}
	}
	if len(r.Micro) == 0 {
		groups.Rows = new(int64)
	}
	for _, g := range r.Micro {
		groups.add(g.Persons)
	}
	groups.What = fmt.Sprint(len(r.Micro), " groups")
	out := []Learnt{{"second reading", &decided, "subjects who decided anew", "taken out"}, value, groups, offers(r), points(r)}
	for _, v := range r.Variants {
		out = append(out, contents(v))
	}
	return out
}

func offers(r segment.Report) Learnt {
	l := Learnt{Name: "offers", Of: "persons", What: "don't know"}
	if r.Offer != nil {
		l.add(r.Offer.Offered.Persons)
		l.add(r.Offer.HeldOut.Persons)
		if r.Offer.Known {
			l.What = "an effect"
		}
	}
	return l
}

func points(r segment.Report) Learnt {
	l := Learnt{Name: "need", Of: "offers", What: "don't know"}
	if r.Need != nil {
		l.add(r.Need.Sessions)
		if r.Need.Known {
			l.What = fmt.Sprintf("AUC %.3f", r.Need.AUC.Mean)
		}
	}
	return l
}

func contents(v segment.VariantSection) Learnt {
	l := Learnt{Name: "variants of " + v.Slot, Of: "draws"}
	estimated := 0
	for _, row := range v.Rows {
		l.add(row.N)
		if row.Estimate != nil {
			estimated++
		}
	}
	l.What = fmt.Sprintf("%d of %d variants estimated", estimated, len(v.Rows))
	if v.Promotion != nil && v.Promotion.Promoted {
		l.What += ", new shares"
	}
	return l
}

// From says how many rows, or that the report withholds it.
func (l Learnt) From() string {
	if l.Rows == nil {
		return "withheld"
	}
	return fmt.Sprint(*l.Rows)
}

// add counts what the report tells of some of the rows.
func (l *Learnt) add(rows *int64) {
	if rows == nil {
		return
	}
	if l.Rows == nil {
		l.Rows = new(int64)
	}
	*l.Rows += *rows
}
