package segment

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/handschlag/handschlag/consent"
)

func TestTheDoorFindsWhomItKnowsHoweverFewCome(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	known := map[consent.Subject]bool{}
	var all []consent.Subject
	for i := range 4000 { // many that begin alike, up to the last byte
		s := consent.Subject{byte(random.IntN(3)), 7: byte(random.IntN(4)), 8: byte(random.IntN(5)), 15: byte(random.IntN(256))}
		all, known[s] = append(all, s), i%2 == 0
	}
	slices.SortFunc(all, func(a, b consent.Subject) int { return bytes.Compare(a[:], b[:]) })
	all = slices.Compact(all)
	d := &door{}
	for _, s := range all {
		if known[s] {
			d.facts = append(d.facts, fact{subject: s, restricted: true})
		}
	}
	for _, share := range []float64{1, 0.1, 0.003} {
		asked, from := 0, 0
		for _, s := range all {
			if random.Float64() > share {
				continue
			}
			var f fact
			f, from = d.of(s, from)
			if f.subject != s || f.restricted != known[s] {
				t.Fatalf("of %x the door says known: %v, want %v", s, f.restricted, known[s])
			}
			asked++
		}
		if asked == 0 {
			t.Fatal("nobody asked")
		}
	}
}
