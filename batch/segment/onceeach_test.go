package segment

import (
	"fmt"
	"testing"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// EXP-07: what one person does many times moves no number of the report by a step: searches and
// ends of the offer ladder count persons.
func TestOnePersonsManyActsMoveNothing(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	ends := func(who, count int, at time.Time) {
		for i := range count {
			s.decisions = append(s.decisions, decide.Record{ID: fmt.Sprint("end", len(s.decisions)), Time: at.Add(time.Duration(i) * time.Second), Action: decide.ActionEscalate, Subject: subject(who), Rules: []string{"ESC-09"},
				Input: body(t, policy.EscalateInput{Need: 50}), Result: body(t, policy.EscalateVerdict{Offer: "hint", Rules: []string{"ESC-09"}})})
		}
	}
	searches := func(who, count int, at time.Time) {
		for i := range count {
			s.sees(subject(who), event.ProductsSearched, at.Add(time.Duration(i)*time.Minute), event.Fields{QueryKey: 3})
		}
	}
	told := func(r Report) string {
		return string(mustJSON(t, []any{r.Unmet.Asked, r.Unmet.Searches, r.Offers}))
	}
	for who := range 30 {
		ends(who, 1, monday)
		searches(who, 1, monday.Add(time.Hour))
	}
	first := reportOn(t, s, 1)
	if len(first.Offers) != 1 || first.Offers[0].Count != 25 || first.Offers[0].Reasons[0].Count != 25 || *first.Unmet.Asked < 25 {
		t.Fatalf("told %s", told(first))
	}
	ends(1, 60, monday.AddDate(0, 0, 1)) // of one
	searches(1, 60, monday.AddDate(0, 0, 1))
	if next := told(reportOn(t, s, 2)); next != told(first) {
		t.Errorf("60 more of one person: %s, before %s", next, told(first))
	}
	s.erase(subject(1))
	if third := told(reportOn(t, s, 3)); third != told(first) {
		t.Errorf("without that person: %s, before %s", third, told(first))
	}
}
