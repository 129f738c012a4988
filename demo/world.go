package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"time"
)

// World is the file's clicks with what the file lacks, invented from a seed: which
// sessions are the same visitor, what the visitor answered in the banner, and the
// times of day.
type World struct {
	Seed     string
	Days     []time.Time
	Extra    time.Time             // the day after the file's last: the companion day
	Visits   map[time.Time][]Visit // by day, in order of start
	Visitors []Visitor
	Products []Product
	Clicks   int
}

// Visitor is an invented person behind one or more real sessions.
type Visitor struct {
	ID     string // anonymousId
	Answer Answer
	Trains bool    // says yes to model_training, too, if anything is asked of it
	Buys   float64 // the chance that a visit ends with an order
}

// Answer is what a visitor said in the banner.
type Answer int

// The answers, with their invented shares in answerShares.
const (
	Silent    Answer = iota // leaves the banner alone
	Refuses                 // reject
	Counts                  // save: analytics only
	Accepts                 // accept: everything shown
	AcceptsIt               // accept, and an explicit yes for the shop's sensitive category
)

var answerShares = []struct {
	Answer Answer
	Share  float64
}{{Silent, 0.06}, {Refuses, 0.24}, {Counts, 0.10}, {Accepts, 0.48}, {AcceptsIt, 0.12}}

// Visit is one real session with invented times.
type Visit struct {
	Visitor int // index in World.Visitors
	First   bool
	Start   time.Time
	Views   []View
}

// View is one real click with its invented time.
type View struct {
	Click
	At time.Time
}

// Product is one of the file's clothing models. Its class and stock are invented.
type Product struct {
	ID, Category, Class string
	Cents, Stock        int64
}

// NewWorld reads the file and keeps one visitor in every `every` (1 keeps all),
// chosen by the digest of the visitor, so that whole visitors stay together.
func NewWorld(seed string, every int) (*World, error) {
	clicks, err := Clicks()
	if err != nil {
		return nil, err
	}
	w := &World{Seed: seed, Visits: map[time.Time][]Visit{}, Products: productsOf(clicks)}
	pool := map[int][]int{} // country → visitors seen
	ids := 0
	kept := map[int]int{} // visitor number → index, for those in the sample
	for from := 0; from < len(clicks); {
		if d := clicks[from].Day.AddDate(0, 0, 1); d.After(w.Extra) {
			w.Extra = d
		}
		to := from + 1
		for to < len(clicks) && clicks[to].Session == clicks[from].Session {
			to++
		}
		r := w.dice("session", clicks[from].Session)
		who := w.whoIs(r, pool[clicks[from].Country], ids)
		if who == ids {
			ids++
			pool[clicks[from].Country] = append(pool[clicks[from].Country], who)
		}
		if w.digest("visitor", who)%uint64(every) == 0 {
			w.add(who, kept, clicks[from:to], r)
		}
		from = to
	}
	for d := range w.Visits {
		v := w.Visits[d]
		sort.SliceStable(v, func(i, j int) bool { return v[i].Start.Before(v[j].Start) })
		w.Days = append(w.Days, d)
	}
	sort.Slice(w.Days, func(i, j int) bool { return w.Days[i].Before(w.Days[j]) })
	w.markFirst()
	return w, nil
}

// whoIs invents returning visitors: a third of the sessions belong to one of the
// last forty visitors of the same country.
func (w *World) whoIs(r *rand.Rand, seen []int, next int) int {
	if len(seen) > 40 {
		seen = seen[len(seen)-40:]
	}
	if len(seen) > 0 && r.Float64() < 0.34 {
		return seen[r.IntN(len(seen))]
	}
	return next
}

func (w *World) add(who int, kept map[int]int, clicks []Click, r *rand.Rand) {
	i, ok := kept[who]
	if !ok {
		i = len(w.Visitors)
		kept[who] = i
		w.Visitors = append(w.Visitors, w.visitor(who))
	}
	at := clicks[0].Day.Add(startOfVisit(r))
	v := Visit{Visitor: i, Start: at}
	for _, c := range clicks {
		at = at.Add(time.Duration(8+r.IntN(110)) * time.Second)
		v.Views = append(v.Views, View{Click: c, At: at})
	}
	w.Clicks += len(clicks)
	w.Visits[clicks[0].Day] = append(w.Visits[clicks[0].Day], v)
}

// visitor invents a person. Far more of them buy than in any shop, each at a rate of their own: the
// sample is small, and the night learns from 200 buyers at least.
func (w *World) visitor(who int) Visitor {
	r := w.dice("customer", who)
	return Visitor{ID: w.idOf(who), Answer: answer(w.dice("answer", who)), Trains: r.Float64() < .8, Buys: math.Sqrt(r.Float64())}
}

// startOfVisit invents a time of day between 06:00 and 20:00 UTC, busiest in the evening.
func startOfVisit(r *rand.Rand) time.Duration {
	h := 6 + 14*max(r.Float64(), r.Float64())
	return time.Duration(h * float64(time.Hour)).Truncate(time.Second)
}

func (w *World) markFirst() {
	seen := make([]bool, len(w.Visitors))
	for _, d := range w.Days {
		for i := range w.Visits[d] {
			v := &w.Visits[d][i]
			v.First, seen[v.Visitor] = !seen[v.Visitor], true
		}
	}
}

func answer(r *rand.Rand) Answer {
	x := r.Float64()
	for _, a := range answerShares {
		if x -= a.Share; x < 0 {
			return a.Answer
		}
	}
	return Silent
}

// productsOf lists the models by id. Class and stock are invented: the dearest are
// premium, the sale is simple, one model in nine is sold out.
func productsOf(clicks []Click) []Product {
	by := map[string]Product{}
	for _, c := range clicks {
		p := Product{ID: c.Model, Category: c.Category, Class: "standard", Cents: c.Cents, Stock: 40}
		if _, ok := by[c.Model]; ok {
			continue
		}
		switch {
		case c.Cents >= 6200:
			p.Class = "premium"
		case c.Category == "sale":
			p.Class = "simple"
		}
		by[c.Model] = p
	}
	all := make([]Product, 0, len(by))
	for _, p := range by {
		all = append(all, p)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	for i := range all {
		if i%9 == 4 {
			all[i].Stock = 0
		}
	}
	return all
}

func (w *World) sum(what string, n int) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", w.Seed, what, n))
}

func (w *World) digest(what string, n int) uint64 {
	s := w.sum(what, n)
	return binary.BigEndian.Uint64(s[:8])
}

func (w *World) dice(what string, n int) *rand.Rand {
	s := w.sum(what, n)
	return rand.New(rand.NewPCG(binary.BigEndian.Uint64(s[:8]), binary.BigEndian.Uint64(s[8:16])))
}

func (w *World) idOf(who int) string {
	s := w.sum("id", who)
	return "demo-" + hex.EncodeToString(s[:12])
}
