package segment

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/handschlag/handschlag/batch/learn/cluster"
)

// mostGrouped is among how many buyers groups are looked for at most: those with the
// smallest pseudonyms, which are random.
const mostGrouped = 20_000

// microSeed is that of the draws: the same buyers always make the same groups.
const microSeed = 1

// microGroup is a group of buyers that lie near each other.
type microGroup struct {
	label  int       // from 1, the same from night to night; 0: too few to be told of
	centre []float64 // log(1+x) of days since the last order, orders, cents
	side   [3]int    // -1 under, 1 above the mean of all by more than half a spread
}

// groupBuyers makes table micro: groups of buyers by recency, frequency and money
// (k-means), found among those who agreed to training, and the nearest for everybody
// who bought. Too few buyers, or all alike: nobody is in one.
func (n *night) groupBuyers(ctx context.Context) error {
	if err := n.db.table(ctx, "buyers"); err != nil {
		return err
	}
	found, err := n.findGroups(ctx)
	if err != nil {
		return fmt.Errorf("grouping buyers: %w", err)
	}
	spread := []float64{1, 1, 1}
	if found != nil {
		spread = found.Scale.Spread
		if n.micro, err = n.nameGroups(*found); err != nil {
			return err
		}
	}
	if err := n.placeBuyers(ctx, spread); err != nil {
		return err
	}
	return n.keepGroups()
}

// findGroups is nil where there is nothing to find.
func (n *night) findGroups(ctx context.Context) (*cluster.Result, error) {
	c := n.in.Config.Micro
	points := cluster.Points{Dim: 3}
	err := n.db.each(ctx, fmt.Sprintf("select days_since_order, orders, cents from buyers where trained order by person limit %d", mostGrouped),
		func(scan func(...any) error) error {
			var days, orders, cents int64
			err := scan(&days, &orders, &cents)
			points.Values = append(points.Values, float64(days), float64(orders), float64(cents))
			return err
		})
	if err != nil || c.K < 2 || points.Len() < max(c.Buyers, n.k) {
		return nil, err
	}
	if points.Distinct() < c.K {
		return nil, nil
	}
	r, err := cluster.Fit(points.Log(), cluster.Options{K: c.K, Standardise: true, Restarts: 5, Seed: microSeed, Workers: max(1, n.in.Threads)})
	return &r, err
}

// nameGroups labels groups as last night did. One in which fewer than k lie has no
// label: its centre would tell of them.
func (n *night) nameGroups(r cluster.Result) ([]microGroup, error) {
	var last keptGroups
	if n.was.Revision > 0 { // without a state nothing of earlier nights is relied on
		var err error
		if last, err = readGroups(n.in.State); err != nil {
			return nil, err
		}
	}
	labels := cluster.Match(last.within(r.Scale, len(r.Centres)), r.Centres)
	out := make([]microGroup, len(r.Centres))
	for i, centre := range r.Centres {
		g := microGroup{centre: r.Scale.Undo(centre)}
		if r.Sizes[i] >= int64(n.k) {
			g.label = labels[i] + 1
		}
		for j, v := range centre {
			if math.Abs(v) > .5 {
				g.side[j] = int(math.Copysign(1, v))
			}
		}
		out[i] = g
	}
	return out, nil
}

// placeBuyers hands the centres to SQL. A dimension without a spread tells nobody apart.
func (n *night) placeBuyers(ctx context.Context, spread []float64) error {
	centres := make([]string, len(n.micro))
	for i, g := range n.micro {
		centres[i] = fmt.Sprintf("{label: %d, recency: %s, frequency: %s, money: %s}", g.label, exact(g.centre[0]), exact(g.centre[1]), exact(g.centre[2]))
	}
	for j, s := range spread {
		if s == 0 {
			spread[j] = 1
		}
	}
	list := "[" + strings.Join(centres, ", ") + "]::struct(label bigint, recency double, frequency double, money double)[]"
	if err := n.db.set(ctx, "micro_centres", list); err != nil {
		return err
	}
	scale := fmt.Sprintf("{recency: %s, frequency: %s, money: %s}", exact(spread[0]), exact(spread[1]), exact(spread[2]))
	if err := n.db.set(ctx, "micro_spread", scale); err != nil {
		return err
	}
	return n.db.table(ctx, "micro")
}

// exact writes a number so that SQL reads the same bits.
func exact(v float64) string { return fmt.Sprintf("%.17g::double", v) }

// name says what a group has more or less of than all buyers.
func (g microGroup) name() Words {
	words := [3][2]Words{
		{{"kürzlich", "recent"}, {"lange her", "long ago"}}, {{"selten", "seldom"}, {"oft", "often"}}, {{"wenig", "low"}, {"viel", "high"}},
	}
	var de, en []string
	for _, j := range []int{1, 0, 2} { // often, recent, high
		if g.side[j] != 0 {
			w := words[j][(g.side[j]+1)/2]
			de, en = append(de, w.De), append(en, w.En)
		}
	}
	if len(de) == 0 {
		return Words{"wie die meisten", "like most"}
	}
	return Words{strings.Join(de, ", "), strings.Join(en, ", ")}
}
