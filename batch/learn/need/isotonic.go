package need

import (
	"cmp"
	"slices"
)

// pool is rows that share one probability.
type pool struct{ sum, yes, all float64 } // sum of s

func (p pool) share() float64 { return p.yes / p.all }

// isotonic pools adjacent violators (Barlow, Bartholomew, Bremner, Brunk, 1972) and runs straight
// from the middle of one pool to that of the next (centred; Oron, Flournoy, Statistics in
// Biopharmaceutical Research 9, 2017): the card's own points lie a little beside those of the
// folds, and a step between them would give a whole bin its neighbour's share. Shares are kept
// from 0 and 1 by one half row of either outcome, for no surprise is without end.
func isotonic(rows []Row, s []float64) Curve {
	order := make([]int, len(rows))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s[a], s[b]) })
	var pools []pool
	for at, i := range order {
		w := rows[i].weight()
		if at == 0 || s[i] != s[order[at-1]] {
			pools = append(pools, pool{})
		}
		p := &pools[len(pools)-1]
		p.sum, p.yes, p.all = p.sum+w*s[i], p.yes+w*one(rows[i].Y), p.all+w
	}
	var merged []pool
	for _, p := range pools {
		for len(merged) > 0 && merged[len(merged)-1].share() >= p.share() {
			last := merged[len(merged)-1]
			p = pool{last.sum + p.sum, last.yes + p.yes, last.all + p.all}
			merged = merged[:len(merged)-1]
		}
		merged = append(merged, p)
	}
	c := Curve{Method: "isotonic"}
	for _, p := range merged {
		c.Points, c.Shares = append(c.Points, p.sum/p.all), append(c.Shares, (p.yes+.5)/(p.all+1))
	}
	for i := len(c.Shares) - 2; i >= 0; i-- { // the half rows may have turned two small pools round
		c.Shares[i] = min(c.Shares[i], c.Shares[i+1])
	}
	return c
}
