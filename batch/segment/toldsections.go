package segment

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// toldSection is a part of the report that is told as one, numbers, words and verdict: what a
// night recommends never stands beside numbers of another night.
type toldSection struct {
	name  string        // that the names of its numbers begin with
	about string        // what it is about: told again only while that is the same
	at    reflect.Value // where the report has it
}

// toldSections lists the sections that are there.
func (r *Report) toldSections() (out []toldSection) {
	if r == nil {
		return nil
	}
	add := func(name string, at any, about ...any) {
		out = append(out, toldSection{name, fmt.Sprint(about...), reflect.ValueOf(at).Elem()})
	}
	if s := r.Value; s != nil {
		add("value", &r.Value, s.Known, s.Model, s.HorizonDays)
	}
	if s := r.Need; s != nil {
		add("need", &r.Need, s.Known, s.Version)
	}
	if s := r.Offer; s != nil {
		add("offer_effect", &r.Offer, s.Known)
	}
	for i, m := range r.Micro {
		add(fmt.Sprintf("micro_segments[%d]", m.Label), &r.Micro[i])
	}
	for i, s := range r.Variants {
		add(fmt.Sprintf("variant_board[%s]", cmp.Or(round.Replace(s.Slot), fmt.Sprint(i))), &r.Variants[i], s.about()...)
	}
	numbers := r.numbers()
	for i, s := range out {
		for _, n := range numbers {
			if s.has(n) && tellings[n.path].as == isPersons {
				out[i].about += fmt.Sprint(" ", n.name, n.value() != nil)
			}
		}
	}
	return out
}

// about is what visitors notice of a slot: which shares are in force and come to be, and an alarm.
func (s VariantSection) about() []any {
	out := []any{s.Known, s.Promotion != nil && s.Promotion.Promoted, s.Alarm != nil && s.Alarm.Alarm}
	for _, v := range s.Rows {
		out = append(out, " "+v.Variant, v.NowPPM)
	}
	return out
}

func (s toldSection) has(n place) bool { return strings.HasPrefix(n.name, s.name+".") }

// sectionOf is the section that a number is in.
func sectionOf(all []toldSection, n place) (toldSection, bool) {
	at := slices.IndexFunc(all, func(s toldSection) bool { return s.has(n) })
	if at < 0 {
		return toldSection{}, false
	}
	return all[at], true
}

// tellSections tells a section as the last report did while all of its numbers of persons are
// told again and it is about the same; else all of its figures anew.
func (t *teller) tellSections(r *Report) {
	last := t.last.toldSections()
	for _, s := range r.toldSections() {
		at := slices.IndexFunc(last, func(b toldSection) bool { return b.name == s.name && b.about == s.about })
		if at >= 0 && t.allAgain(r, s) {
			s.at.Set(last[at].at)
		}
	}
}

// allAgain reports whether all of a section's numbers of persons are as they were told.
func (t *teller) allAgain(r *Report, s toldSection) bool {
	return !slices.ContainsFunc(r.numbers(), func(n place) bool {
		told, here := t.told[n.name]
		return here && s.has(n) && !(t.again[n.name] && slices.Equal(one(told), t.memory.told[n.name]))
	})
}

// few reports whether a number of persons is not told, or is under k: then nothing is told anew
// of them. A number that is told again may stand above a true one that is.
func (t *teller) few(name string) bool {
	return t.told[name] == nil || t.count[name] > 0 && t.count[name] < t.now
}

// fewWords are of what is withheld for the number of its persons: none of it says that they are
// few now.
var (
	fewWords = Words{De: "zu wenige, oder es waren kürzlich zu wenige", En: "too few, or lately too few"}
	fewKnown = Words{De: "Zu wenige, oder es waren kürzlich zu wenige.", En: "Too few, or lately too few."}
)

// withhold lets sections know nothing where the persons whom they know something of are few.
func (t *teller) withhold(r *Report) {
	if s := r.Value; s != nil && s.Known && t.few("value.persons") {
		*s = ValueSection{Reason: &fewKnown, HorizonDays: s.HorizonDays, Persons: s.Persons, Parameters: []Parameter{}, Flags: []Words{}, Spread: []ValueBin{}, Tiers: []ValueTier{}, Against: []ValueBeside{}}
	}
	if s := r.Need; s != nil && s.Known && (t.few("need.sessions") || t.few("need.needing")) {
		*s = NeedSection{Reason: &fewKnown, Sessions: s.Sessions, Needing: s.Needing, Verdict: NotKnown, Bins: []CalibrationBin{}, Points: []CardPoint{}}
	}
	if s := r.Offer; s != nil && s.Known {
		t.withholdOffer(s)
	}
	for _, s := range r.toldSections() {
		if slot, is := s.at.Addr().Interface().(*VariantSection); is && slot.Known && t.few(s.name+".promotion.persons") {
			slot.Known, slot.Reason, slot.Promotion = false, &fewKnown, nil
			for i := range slot.Rows {
				slot.Rows[i].Estimate = nil
			}
		}
	}
}

func (t *teller) withholdOffer(s *OfferSection) {
	switch {
	case t.few("offer_effect.offered.persons") || t.few("offer_effect.held_out.persons"):
		*s = OfferSection{Reason: &fewKnown, Offered: Arm{Persons: s.Offered.Persons}, HeldOut: Arm{Persons: s.HeldOut.Persons}}
	case s.Recommend && (s.Target == nil || *s.Target == 0):
		s.Recommend, s.Advice = false, &Words{De: "Der erwartete Gewinn liegt bei zu wenigen Personen über null.", En: "The expected gain is above zero for too few persons."}
	}
}
