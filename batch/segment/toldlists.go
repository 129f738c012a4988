package segment

import (
	"cmp"
	"slices"
	"strings"
)

// Elements of these lists are there because somebody is in them: whoever was told of one that
// is not there tonight is told that nobody is.
var peopled = []string{"offers[]", "unmet_needs.products[]", "past_term[]"}

// tellNone tells of those elements what it is to tell of none, so that it is remembered.
func (t *teller) tellNone(r *Report, tonight []place) {
	here := map[string]bool{"unmet_needs.products[]": r.Unmet == nil}
	for _, n := range tonight {
		here[n.name] = true
	}
	for name := range t.memory.told {
		path := pathOf(name)
		if of := slices.IndexFunc(peopled, func(list string) bool { return strings.HasPrefix(path, list) }); of >= 0 && !here[peopled[of]] && !here[name] {
			t.told[name] = t.tell(name, 0)
		}
	}
}

// shorten leaves out what a list has only by persons or acts who are not told, and of unmet
// needs all but the most: by what is told, so that the order betrays nothing else either.
func (r *Report) shorten(t *teller) {
	for i := range r.Offers {
		r.Offers[i].Reasons = spoken(r.Offers[i].Reasons)
	}
	r.Offers = slices.DeleteFunc(r.Offers, func(o OfferCount) bool { return o.Count == 0 })
	if r.Unmet != nil {
		r.Unmet.Products = mostWanted(r.Unmet.Products, t)
	}
}

func spoken(rules []RuleCount) []RuleCount {
	rules = slices.DeleteFunc(rules, func(c RuleCount) bool { return c.Count == 0 })
	slices.SortStableFunc(rules, func(a, b RuleCount) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Rule, b.Rule)) })
	return rules
}

// mostWanted are the products that are listed. One that no earlier report had must exceed
// others by a step: a few persons neither bring a product into the list nor drive one out.
func mostWanted(all []UnmetProduct, t *teller) []UnmetProduct {
	rank := func(p UnmetProduct) int64 {
		if p.Persons == nil {
			return 0
		}
		if _, known := t.memory.told[unmetName(p)]; known || t.date == "" {
			return *p.Persons
		}
		return *p.Persons - t.now
	}
	out := slices.DeleteFunc(all, func(p UnmetProduct) bool { return rank(p) <= 0 })
	order := func(by func(UnmetProduct) int64) {
		slices.SortFunc(out, func(a, b UnmetProduct) int {
			return cmp.Or(cmp.Compare(by(b), by(a)), cmp.Compare(a.Product, b.Product))
		})
	}
	order(rank)
	out = out[:min(len(out), unmetTop)]
	order(func(p UnmetProduct) int64 { return *p.Persons })
	return out
}

func unmetName(p UnmetProduct) string {
	return "unmet_needs.products[" + round.Replace(p.Product) + "].persons"
}
