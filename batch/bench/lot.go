package bench

import (
	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/profile"
)

// How often a lot is drawn in a visit of who agreed to it: for a content in one of some 80
// visits of the whole shop, for the offer of a human in one of some 50.
const (
	contentVisits = .035
	offerVisits   = .045
)

// lot is a draw of a visit: of a content, or of whether a human is offered.
type lot struct {
	at    int64 // ms
	who   int32 // place among people
	day   int16
	visit int16 // of the day
	offer bool
}

// stream gives what a lot is drawn from, the same whenever it is asked for.
func (s *shop) stream(p *person, l lot) *learn.Random {
	kind := uint64(ofContents)
	if l.offer {
		kind = ofOffers
	}
	return learn.NewRandom(s.Seed, kind, p.no, uint64(l.day), uint64(l.visit))
}

// lots draws what a visit is shown and offered. Where that works, the visit ends in an
// order that else it would not have ended in.
func (s *shop) lots(p *person, day, visit int, acts []act) {
	may := s.kept(p, day)
	if may&(toTests|toAdvice) == 0 || !s.bears(p, day) {
		return
	}
	r, works := learn.NewRandom(s.Seed, ofLots, p.no, uint64(day), uint64(visit)), 0.0
	if shown := r.Float64() < contentVisits*s.Lots; shown && may&toTests != 0 {
		l := lot{at: acts[0].at, day: int16(day), visit: int16(visit)}
		works += s.content(p, l).works()
		acts[0].lots = append(acts[0].lots, l)
	}
	if offered := r.Float64() < offerVisits*s.Lots; offered && may&toAdvice != 0 {
		l := lot{at: acts[len(acts)/2].at, day: int16(day), visit: int16(visit), offer: true}
		works += s.offer(p, l).works()
		acts[0].lots = append(acts[0].lots, l)
	}
	if last := &acts[len(acts)-1]; r.Float64() < works {
		last.kind, last.quantity, last.order = event.OrderCompleted, 1, 1+int64(r.Uint64()>>2)
	}
}

// bears reports that a subject's decision records bear its pseudonym on a day.
func (s *shop) bears(p *person, day int) bool {
	return p.habit == agreed || p.habit == withdrew || p.habit == regranted && day > s.Days/2
}

// content is one that was drawn.
type content struct {
	slot          *slotDraw
	login         int // 1: logged in
	variant, seed string
	ppm           int64
}

func (s *shop) content(p *person, l lot) content {
	c := content{slot: &s.slots[s.stream(p, l).IntN(len(s.slots))]}
	if p.no%12 == 0 {
		c.login = 1
	}
	c.variant, c.ppm, c.seed = decide.DrawVariant(drawKey, p.subject.String(), c.slot.name, c.slot.equal, c.slot.judged[c.login].eligible)
	return c
}

// works is how many more visits in a hundred a content makes order.
func (c content) works() (points float64) {
	for factor, level := range c.slot.factors[c.variant] {
		points += better[factor+"="+level]
	}
	return points
}

// better are the contents that help; the others change nothing.
var better = map[string]float64{"headline=sizes": .06, "headline=advice": .02, "image=people": .02, "proof=returns": .02, "help=size_table": .05, "place=beside": .01}

// offer is the offer of a human that was made, or held out.
type offer struct {
	heldOut  bool
	ppm      int64
	seed     string
	features map[string]int64
	score    decide.Score
	outcome  string // of the contact; "": nobody took it up
	seconds  int64  // that the contact took
}

// offer draws what was known of the visit, so much that the ladder offers a human, and
// what came of it.
func (s *shop) offer(p *person, l lot) (o offer) {
	r, card := s.stream(p, l), s.cfg.Scorecard
	for o.score.Total < s.cfg.Offers.NeedHuman {
		o.features = map[string]int64{}
		for _, f := range card.Features {
			if b := f.Bins[r.IntN(len(f.Bins))]; b.Points > 0 && r.Float64() < .4 {
				o.features[f.Name] = b.AtLeast + int64(r.IntN(2))
			}
		}
		o.score = card.Score(o.features)
	}
	o.heldOut, o.ppm, o.seed = decide.Holdout(drawKey, p.subject, s.first().AddDate(0, 0, int(l.day)), s.cfg.Offers.Holdout)
	if !o.heldOut && r.Float64() < .2+.1*float64(o.guides()) {
		o.outcome, o.seconds = "not_needed", 30+int64(r.IntN(600))
		if r.Float64() < .4+.15*float64(o.guides())+.1*float64(min(1, o.features[profile.CheckoutErrors])) {
			o.outcome = [...]string{"helped", "helped", "sold", "follow_up"}[r.IntN(4)]
		}
	}
	return o
}

// guides is how often the size guide was opened, up to twice.
func (o offer) guides() int64 { return min(2, o.features[profile.SizeGuideOpens]) }

// works is how many more visits an offer makes order: those of who was unsure about sizes.
func (o offer) works() float64 {
	if o.heldOut {
		return 0
	}
	return .02 + .08*float64(o.guides())
}
