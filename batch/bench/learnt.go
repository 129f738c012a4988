package bench

import (
	"fmt"

	"github.com/handschlag/handschlag/batch/segment"
)

// Learnt is what one of the models of a night was made from, and whether it says something.
type Learnt struct {
	Name string `json:"name"`
	Rows int64  `json:"rows"` // that it was made from
	Of   string `json:"of"`   // what they are
	What string `json:"what"` // it says
}

// learnt reads the night's report. decided is how many had decided anew at the second reading
// of consent.
func learnt(r segment.Report, decided int64) []Learnt {
	value, groups := Learnt{Name: "value", Of: "buyers", What: "not known"}, Learnt{Name: "micro-segments", Of: "buyers in groups"}
	if r.Value != nil {
		value.Rows = number(r.Value.Persons)
		if r.Value.Known {
			value.What = r.Value.Model
		}
	}
	for _, g := range r.Micro {
		groups.Rows += number(g.Persons)
	}
	groups.What = fmt.Sprint(len(r.Micro), " groups")
	out := []Learnt{{"second reading", decided, "subjects who decided anew", "taken out"}, value, groups, offers(r), points(r)}
	for _, v := range r.Variants {
		out = append(out, contents(v))
	}
	return out
}

func offers(r segment.Report) Learnt {
	l := Learnt{Name: "offers", Of: "persons", What: "don't know"}
	if r.Offer != nil {
		l.Rows = number(r.Offer.Offered.Persons) + number(r.Offer.HeldOut.Persons)
		if r.Offer.Known {
			l.What = "an effect"
		}
	}
	return l
}

func points(r segment.Report) Learnt {
	l := Learnt{Name: "need", Of: "offers", What: "don't know"}
	if r.Need != nil {
		l.Rows = number(r.Need.Sessions)
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
		l.Rows += number(row.N)
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

func number(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}
