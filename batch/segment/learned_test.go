package segment

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// learner consents to everything that nights learn from.
func (s *shop) learner(who consent.Subject) {
	s.says(who, consent.Given, monday.Add(-time.Hour), consent.PersonalisationContent, consent.AdviserAssist, consent.ModelTraining, consent.Experimentation)
}

func (s *shop) orders1(who consent.Subject, key int64, at time.Time, cents int64) {
	s.sees(who, event.OrderCompleted, at, event.Fields{OrderKey: key, CartCents: cents, Currency: "EUR"})
}

// offers records an offer of a human: made, or held out.
func (s *shop) offers(who consent.Subject, n int, at time.Time, heldOut bool, features map[string]int64) (id string) {
	v := policy.EscalateVerdict{Offer: "human", Rules: []string{"ESC-01"}}
	ppm := int64(500_000)
	if heldOut {
		v = policy.EscalateVerdict{Offer: "none", HeldOut: true, Rules: []string{"OFFER-HOLDOUT"}}
	}
	id = fmt.Sprintf("offer-%06d", n)
	s.decisions = append(s.decisions, decide.Record{
		ID: id, Time: at, Action: decide.ActionEscalate, Subject: who, PPM: ppm, Seed: "seed", Rules: v.Rules,
		Input: body(s.t, policy.EscalateInput{Need: 50, Features: features, Holdout: heldOut}), Result: body(s.t, v),
	})
	return id
}

// closes records how an adviser ended the contact that an offer led to.
func (s *shop) closes(who consent.Subject, decision, outcome string, at time.Time) {
	s.decisions = append(s.decisions, decide.Record{
		ID: "closed-" + decision, Time: at, Action: decide.ActionHandover, Subject: who, Actor: "adviser:amy", Rules: []string{},
		Input: body(s.t, map[string]any{"contact_id": "c", "decision_id": decision, "channel": "chat"}), Result: body(s.t, map[string]any{"outcome": outcome, "seconds": 60}),
	})
}

func body(t failer, v any) json.RawMessage {
	b, err := decide.Canonical(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// helpful is a shop in which offers make one in five order who would not have, among
// those who opened the size guide, and nobody else.
func helpful(t *testing.T, people int, shuffled bool) *shop {
	s := newShop(t)
	for n := range people {
		who, r := subject(n), learn.NewRandom(5, uint64(n))
		s.learner(who)
		at := monday.Add(time.Duration(n) * time.Second)
		held, unsure := r.Float64() < .5, int64(r.IntN(2))
		chance := .1
		if !held && unsure == 1 {
			chance = .3
		}
		if r.Float64() < chance {
			s.orders1(who, int64(n+1), at.Add(time.Hour), 20_000)
		}
		if shuffled {
			held = r.Float64() < .5
		}
		id := s.offers(who, n, at, held, map[string]int64{profile.SizeGuideOpens: unsure, profile.CheckoutErrors: int64(r.IntN(2))})
		if !held && r.Float64() < .5 {
			s.closes(who, id, "helped", at.Add(30*time.Minute))
		}
	}
	return s
}

func needing() decide.Scorecard {
	card := decide.Scorecard{Version: "1"}
	for _, name := range []string{profile.SizeGuideOpens, profile.CheckoutErrors} {
		card.Features = append(card.Features, decide.Feature{Name: name, Bins: []decide.Bin{{AtLeast: 1, Points: 20}}})
	}
	return card
}

// Where offers work and for whom is published as what a contact gains: some 120 euros of
// sales times the margin of 30 %, for those who opened the size guide.
func TestTheNightFindsWhomOffersHelp(t *testing.T) {
	s := helpful(t, 4000, false)
	in := s.night(monday.AddDate(0, 0, 9))
	in.Config.Scorecard, in.Config.Offers.CostCents = needing(), 400
	res := s.run(in)
	g := res.Publication.Gain
	if g == nil || g.Fits(profile.CatalogueVersion()) != nil {
		t.Fatalf("no gain was published: %+v", res.Report.Offer)
	}
	// Half of the offers led to a contact, so a contact gains twice what an offer does:
	// 20 % of 200 euros × 30 % margin × 2 = 24 euros.
	unsure := g.Score(map[string]int64{profile.SizeGuideOpens: 1}).Total
	sure := g.Score(map[string]int64{}).Total
	if unsure < 1200 || unsure > 3600 || sure > unsure/2 {
		t.Errorf("a contact gains %d cents where the size guide was opened, else %d; want about 2400 and 0", unsure, sure)
	}
	if o := res.Report.Offer; !o.Known || !o.Recommend || o.Conversion.Low <= 0 || *o.Offered.Persons+*o.HeldOut.Persons <= 4000-2*25 {
		t.Errorf("the report says %+v", o)
	}
}

// What is drawn without any effect is not claimed, nor published.
func TestWithoutAnEffectTheNightSaysDontKnow(t *testing.T) {
	s := helpful(t, 2000, true)
	in := s.night(monday.AddDate(0, 0, 9))
	in.Config.Scorecard = needing()
	res := s.run(in)
	if res.Publication.Gain != nil || res.Report.Offer.Known || res.Report.Offer.Recommend || res.Report.Offer.Reason == nil {
		t.Errorf("published %+v, the report says %+v", res.Publication.Gain, res.Report.Offer)
	}
}

// Who gave no yes to training is in no figure; nor are offers whose time is not over.
func TestOffersCountOnlyWithConsentAndWhenTheirTimeIsOver(t *testing.T) {
	s := newShop(t)
	for n := range 4 {
		s.learner(subject(n))
		s.offers(subject(n), n, monday.AddDate(0, 0, map[int]int{3: 5}[n]), n%2 == 0, nil)
	}
	s.says(subject(0), consent.Withdrawn, monday.AddDate(0, 0, 1), consent.ModelTraining)
	s.says(subject(1), consent.Given, monday.AddDate(0, 0, 1), consent.AdviserAssist) // after the offer
	n := until(t, s.night(monday.AddDate(0, 0, 9)), "learning what offers change")
	var who []string
	err := n.db.each(t.Context(), "select person::varchar from offer_results", func(scan func(...any) error) error {
		var p string
		err := scan(&p)
		who = append(who, p)
		return err
	})
	if err != nil || len(who) != 1 {
		t.Errorf("%v count, %v; want the third alone", who, err)
	}
}

// A return corrects what the night thinks of a decision, however late it comes (R12).
func TestALateReturnCorrectsTheReward(t *testing.T) {
	s := newShop(t)
	for n := range 3 {
		s.learner(subject(n))
		s.offers(subject(n), n, monday, false, nil)
		s.orders1(subject(n), int64(n+1), monday.Add(time.Hour), 10_000)
	}
	s.sees(subject(1), event.OrderRefunded, monday.AddDate(0, 0, 20), event.Fields{OrderKey: 2, CartCents: 4_000, Currency: "EUR"})
	s.sees(subject(2), event.OrderCancelled, monday.AddDate(0, 0, 2), event.Fields{OrderKey: 3})
	for days, want := range map[int][]int64{15: {0, 10_000, 10_000}, 25: {0, 6_000, 10_000}} {
		n := until(t, s.night(monday.AddDate(0, 0, days)), "learning what offers change")
		var got []int64
		err := n.db.each(t.Context(), "select net_cents from offer_results order by net_cents", func(scan func(...any) error) error {
			var cents int64
			err := scan(&cents)
			got = append(got, cents)
			return err
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("after %d days the rewards are %v, %v; want %v", days, got, err, want)
		}
		n.end()
	}
}

// draws records a content that was drawn under weights.
func (s *shop) draws(who consent.Subject, n int, at time.Time, variant string, ppm int64, w decide.Weights) {
	s.decisions = append(s.decisions, decide.Record{
		ID: fmt.Sprintf("draw-%06d", n), Time: at, Action: decide.ActionVariant, Subject: who, PPM: ppm, Seed: "seed", Rules: []string{},
		Digests: decide.Digests{Weights: w.Digest()}, Input: body(s.t, map[string]any{"slot": "home_hero"}),
		Result: body(s.t, map[string]any{"variant": variant, "mode": "contextual", "sticky": true, "eligible": []string{"a", "b", "c"}}),
	})
}

// audience draws contents for people, of whom those who see a order far more often.
func (s *shop) audience(people int, day time.Time, w decide.Weights) {
	shares := decide.Propensities(w.Slots["home_hero"][""], []string{"a", "b", "c"})
	for n := range people {
		n += 10_000 * int(day.Sub(monday).Hours()/24)
		who, r := subject(n), learn.NewRandom(9, uint64(n))
		s.learner(who)
		at, v := day.Add(time.Duration(n%10_000)*time.Second), "c"
		if x := r.Float64() * decide.Million; x < float64(shares["a"]) {
			v = "a"
		} else if x < float64(shares["a"]+shares["b"]) {
			v = "b"
		}
		s.draws(who, n, at, v, shares[v], w)
		if r.Float64() < map[string]float64{"a": .3, "b": .1, "c": .1}[v] {
			s.orders1(who, int64(n+1), at.Add(time.Hour), 5_000)
		}
		s.sees(who, event.ProductViewed, day.AddDate(0, 0, 1), event.Fields{Product: "p1"})
	}
}

// A content that is surely better gets the larger share, every other keeps its floor, and
// the next night goes on from there; doing the night again gives the same.
func TestTheBetterContentGetsTheLargerShare(t *testing.T) {
	s := newShop(t)
	equal, err := learn.Versioned(map[string]map[string]map[string]int64{"home_hero": {"": decide.Uniform([]string{"a", "b", "c"})}})
	if err != nil {
		t.Fatal(err)
	}
	s.audience(4000, monday, equal)
	in := s.night(monday.AddDate(0, 0, 9))
	first := s.run(in)
	shares := first.Publication.Weights.Slots["home_hero"][""]
	if shares["a"] < 900_000 || shares["b"] < learn.Floor || shares["c"] < learn.Floor || first.Publication.Weights.Validate(learn.Floor) != nil {
		t.Fatalf("shares are %v; the report says %+v", shares, first.Report.Variants)
	}
	if again := s.run(in); again.Publication.Run != first.Publication.Run {
		t.Errorf("the same night again is run %s, was %s", again.Publication.Run, first.Publication.Run)
	}
	second := s.run(s.night(monday.AddDate(0, 0, 10)))
	if got := second.Publication.Weights.Slots["home_hero"][""]; got["a"] < 900_000 {
		t.Errorf("the night after gives %v", got)
	}
	if now := second.Report.Variants[0].Rows[0]; now.NowPPM != shares["a"] || now.Variant != "a" {
		t.Errorf("the night after goes on from %+v, want %d", now, shares["a"])
	}
}

// Too few draws change nothing; draws that do not fit the shares ring the alarm.
func TestFewDrawsChangeNothingAndWrongOnesAlarm(t *testing.T) {
	s := newShop(t)
	s.everyday(40, 1)
	first := s.run(s.night(monday.AddDate(0, 0, 1)))
	w := first.Publication.Weights
	for n := range 300 {
		who := subject(5000 + n)
		s.learner(who)
		s.draws(who, n, monday.AddDate(0, 0, 1).Add(time.Duration(n)*time.Second), "a", 333_334, w)
	}
	res := s.run(s.night(monday.AddDate(0, 0, 2)))
	if fmt.Sprint(res.Publication.Weights) != fmt.Sprint(w) {
		t.Errorf("weights changed to %v", res.Publication.Weights)
	}
	n := until(t, s.night(monday.AddDate(0, 0, 2)), "deciding exports")
	if a := n.proposals[0].Alarm; !a.Fired || a.N != 300 || math.IsNaN(a.P) {
		t.Errorf("everybody saw a, and the alarm is %+v", a)
	}
	n.end()
}

// VAR-03: whoever withdrew from tests since the draw, or agreed only after it, is in no
// alarm; and of the ten of 300 who are left the report does not tell how many there are.
func TestVAR03TheAlarmDoesNotCountWhoWithdrewFromTests(t *testing.T) {
	s := newShop(t)
	s.everyday(40, 1)
	w := s.run(s.night(monday.AddDate(0, 0, 1))).Publication.Weights
	for n := range 300 {
		who := subject(5000 + n)
		s.learner(who)
		s.draws(who, n, monday.AddDate(0, 0, 1).Add(time.Duration(n)*time.Second), "a", 333_334, w)
		switch {
		case n >= 290:
		case n%3 == 0:
			s.says(who, consent.Given, monday.AddDate(0, 0, 1).Add(time.Hour), consent.Experimentation) // after the draw
		case n%3 == 1:
			s.says(who, consent.Withdrawn, monday.AddDate(0, 0, 1).Add(time.Hour), consent.PersonalisationContent)
		default:
			s.says(who, consent.Withdrawn, monday.AddDate(0, 0, 1).Add(time.Hour), consent.Experimentation)
		}
	}
	n := until(t, s.night(monday.AddDate(0, 0, 2)), "deciding exports")
	defer n.end()
	a := n.proposals[0].Alarm
	if a.N != 10 {
		t.Errorf("the alarm is %+v, want one of ten", a)
	}
	r := Report{Variants: []VariantSection{{Slot: "s", Alarm: &RatioAlarm{N: &a.N, ChiSquare: a.ChiSquare, Degrees: a.Degrees, P: a.P, Alarm: a.Fired}}}}
	if told := toldAfter(t, memory{}, &r).Variants[0].Alarm; told.N != nil || told.ChiSquare != 0 || told.P != 0 || told.Alarm != a.Fired {
		t.Errorf("the report tells %s of %+v", mustJSON(t, told), a)
	}
}

// Somebody who drew on a device and then with the account is one person, and counts once.
func TestAPersonWhoDrewTwiceIsInTheAlarmOnce(t *testing.T) {
	s := newShop(t)
	s.everyday(40, 1)
	w := s.run(s.night(monday.AddDate(0, 0, 1))).Publication.Weights
	for n := range 60 {
		who := subject(5000 + n)
		s.learner(who)
		s.draws(who, n, monday.AddDate(0, 0, 1).Add(time.Duration(n)*time.Second), "a", 333_334, w)
		s.subjects[who] = subjectRow{scope: consent.Device}
		if n%2 == 1 {
			s.subjects[who] = subjectRow{scope: consent.Account}
			s.links[subject(4999+n)] = who
		}
	}
	n := until(t, s.night(monday.AddDate(0, 0, 2)), "deciding exports")
	defer n.end()
	if a := n.proposals[0].Alarm; a.N != 30 {
		t.Errorf("the alarm is %+v, want one of thirty", a)
	}
}
