package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// Shop is what the made-up shop is drawn from.
type Shop struct {
	Events   int // about so many
	Subjects int // 0: one for every 25 events
	Days     int // ingest days before AsOf; 0: 90
	Products int // 0: 10,000
	Seed     uint64
	AsOf     time.Time // midnight; zero: 2026-11-01
	Threads  int       // days written side by side; 0: one
	Lots     float64   // so many times as often as usual a content is drawn or a human offered; 0: once
}

// AsOf is the night that a shop is made for, unless it is told another.
var AsOf = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// eventsEach is how many events a subject has when nobody says how many subjects
// there are.
const eventsEach = 25

// shop is a Shop at work.
type shop struct {
	Shop
	people   []person // by rising subject
	products []string // ids
	grants   [habits][1 << len(asked)][event.KindCount]grant
	cfg      *config.Config
	slots    []slotDraw
	ladder   [2]judgedOffer // made, held out
	card     string         // digest of the scorecard

	known   map[event.CaseID][]byte
	drawn   [][]lot   // by day
	log     log       // of decisions
	written int       // days whose decisions are
	read    time.Time // when consent is read, for the snapshot in the making
	rate    float64   // visits a day of a subject of weight 1
}

// person is a subject, with what does not change from day to day.
type person struct {
	subject consent.Subject
	no      uint64 // the number that its draws begin with
	weight  float32
	habit   habit
	yes     yes
}

// habit is what a subject decided.
type habit uint8

const (
	agreed    habit = iota // analytics and personalisation, from the start
	measured               // analytics only
	withdrew               // agreed, and took personalisation back; of 45 one on the last day
	regranted              // took it back and agreed again in the middle of the days
	erased                 // agreed; nothing but its events is left
	young                  // agreed, and is 16 or 17
	habits
)

// habitOf gives a subject's habit: of a thousand 90 measured, 20 withdrew, 20 regranted,
// 5 erased, 20 young.
func habitOf(u float64) habit {
	for i, below := range []float64{.845, .935, .955, .975, .980} {
		if u < below {
			return habit(i)
		}
	}
	return young
}

// begin draws the people and asks the rules, which are those of the default configuration,
// what of each kind of event may be kept, and what may be shown and offered.
func begin(ctx context.Context, in Shop, rules *policy.Rules) (*shop, error) {
	if in.Events < 1 {
		return nil, errors.New("making up a shop: want at least one event")
	}
	if in.Subjects == 0 {
		in.Subjects = max(1, in.Events/eventsEach)
	}
	if in.Days == 0 {
		in.Days = 90
	}
	if in.Products == 0 {
		in.Products = 10_000
	}
	if in.Lots == 0 {
		in.Lots = 1
	}
	if in.AsOf.IsZero() {
		in.AsOf = AsOf
	}
	s := &shop{Shop: in, products: make([]string, in.Products), people: make([]person, in.Subjects), drawn: make([][]lot, in.Days), cfg: config.Default()}
	for i := range s.products {
		s.products[i] = fmt.Sprint("p", i)
	}
	s.rate = float64(in.Events) / float64(in.Subjects) / float64(in.Days) / eventsAVisit
	for i := range s.people {
		s.people[i] = s.draw(uint64(i))
	}
	slices.SortFunc(s.people, func(a, b person) int { return bytes.Compare(a.subject[:], b.subject[:]) })
	if err := s.judge(ctx, rules); err != nil {
		return nil, err
	}
	return s, s.judgeLots(ctx, rules)
}

// The streams of draws, one for each use.
const (
	ofPeople = iota + 1
	ofVisits
	ofKeys
	ofLots
	ofContents
	ofOffers
)

func (s *shop) draw(no uint64) person {
	r := learn.NewRandom(s.Seed, ofPeople, no)
	p := person{no: no}
	binary.BigEndian.PutUint64(p.subject[:8], r.Uint64())
	binary.BigEndian.PutUint64(p.subject[8:], r.Uint64())
	p.weight = float32(-math.Log(1 - r.Float64())) // exponential: many come once, few often
	p.habit = habitOf(r.Float64())
	for i, a := range asked {
		if r.Float64() < a.share && p.habit != measured {
			p.yes |= 1 << i
		}
	}
	return p
}

// first is the first ingest day.
func (s *shop) first() time.Time { return s.AsOf.AddDate(0, 0, -s.Days) }

// linkedTo is the account that a device belongs to: of every 12 subjects one is
// such a device. Of these, one in a hundred becomes it while the night runs.
func (s *shop) linkedTo(i int) (account int, linked bool) {
	if s.people[i].no%1200 == 0 && s.read.Before(s.AsOf.Add(between)) {
		return 0, false
	}
	return i + 1, s.people[i].no%12 == 0 && i+1 < len(s.people) && s.people[i+1].no%12 != 0
}

// categories of the catalogue.
var categories = func() []string {
	out := make([]string, 40)
	for i := range out {
		out[i] = fmt.Sprint("c", i)
	}
	return out
}()
