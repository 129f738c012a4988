package eval

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/uplift"
)

// simulatedShop draws visitors, offers by lot, orders, late returns and adviser cost,
// with an effect that is known. An offer adds helps[searches] to the probability of an
// order. Margins are log-normal with a median of 20.00 and a long tail.
type simulatedShop struct {
	name     string
	visitors int
	holdout  float64
	cents    bool        // the outcome is net cents; else 0 or 1
	helps    [10]float64 // by number of searches, each as likely
}

const (
	shopOrders   = .15 // probability of an order without an offer, and up to .1 more by pages seen
	shopMedian   = 2000.0
	shopSpread   = 1.0 // of the logarithm of a margin
	shopReturns  = .15 // share of orders that come back, and cost shopPostage
	shopPostage  = 300
	shopAdviser  = 60 // cents per offer
	shopFeatures = 5
)

var (
	shopNames = []string{"searches", "pages", "dwell", "compared", "returning"}
	someHelp  = [10]float64{7: .12, 8: .12, 9: .12}
	noHelp    = [10]float64{}
)

// truth is the average effect, exactly.
func (s simulatedShop) truth() float64 {
	mean := 0.0
	for _, h := range s.helps {
		mean += h / float64(len(s.helps))
	}
	if !s.cents {
		return mean
	}
	worth := (1-shopReturns)*shopMedian*math.Exp(shopSpread*shopSpread/2) - shopReturns*shopPostage
	return mean*worth - shopAdviser
}

// rows draws one shop.
func (s simulatedShop) rows(seed uint64) []uplift.Row {
	r, rows := learn.NewRandom(seed), make([]uplift.Row, s.visitors)
	for i := range rows {
		x := make([]float64, shopFeatures)
		for j, n := range []int{10, 20, 6, 4, 2} {
			x[j] = float64(r.IntN(n))
		}
		p, treated := shopOrders+.005*x[1], r.Float64() >= s.holdout
		if treated {
			p += s.helps[int(x[0])]
		}
		rows[i] = uplift.Row{X: x, Treated: treated, Propensity: 1 - s.holdout, Outcome: s.outcome(r, r.Float64() < p, treated)}
	}
	return rows
}

// outcome is 0 or 1, or net cents.
func (s simulatedShop) outcome(r *learn.Random, ordered, treated bool) float64 {
	margin, back := shopMedian*math.Exp(shopSpread*r.Normal()), r.Float64() < shopReturns
	var earned, returned, adviser int64
	switch {
	case !s.cents && ordered:
		return 1
	case !s.cents:
		return 0
	}
	if ordered {
		earned = int64(margin)
	}
	if ordered && back {
		returned = earned + shopPostage
	}
	if treated {
		adviser = shopAdviser
	}
	return uplift.Net(earned, returned, adviser)
}

// simulated judges verdicts on shops of which the truth is known.
func simulated(ctx context.Context, shops int) (rows []Row, err error) {
	for _, s := range []simulatedShop{
		{"orders, half held out", 4000, .5, false, someHelp},
		{"net cents, a tenth held out", 8000, .1, true, someHelp},
		{"orders, an offer does nothing", 4000, .5, false, noHelp},
	} {
		more, err := s.judge(ctx, shops)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// judge draws so many shops and says how verdicts on them did.
func (s simulatedShop) judge(ctx context.Context, shops int) ([]Row, error) {
	verdicts, err := s.verdicts(ctx, shops)
	if err != nil {
		return nil, err
	}
	covered, claims, ranked := 0, 0, 0
	for _, v := range verdicts {
		covered += one(v.Low <= s.truth() && s.truth() <= v.High)
		claims += one(v.Known)
		ranked += one(v.Ranking.Known)
	}
	share := func(n int) float64 { return float64(n) / float64(shops) }
	cover := Near(upliftGroup, "shop: "+s.name+": intervals that cover the truth", .95, share(covered), .03, 3).
		Noted("%d shops of %d visitors, true effect %.4g, 95 %% intervals", shops, s.visitors, s.truth())
	if s.helps == noHelp {
		return []Row{cover, AtMost(upliftGroup, "shop: "+s.name+": false claims", .05, share(claims), 4).
			Noted("%d of %d; the true share is at most %.4f with 95 %% confidence", claims, shops, atMostShare(claims, shops))}, nil
	}
	return []Row{cover, Show(upliftGroup, "shop: "+s.name+": who is helped is found", share(ranked), 3).
		Noted("of shops where three in ten are helped; some effect is claimed in %.3f", share(claims))}, nil
}

// verdicts fits each shop, side by side.
func (s simulatedShop) verdicts(ctx context.Context, shops int) ([]uplift.Verdict, error) {
	out, errs := make([]uplift.Verdict, shops), make([]error, shops)
	var all sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for n := next.Add(1) - 1; n < int64(shops) && ctx.Err() == nil; n = next.Add(1) - 1 {
				out[n], errs[n] = uplift.Fit(s.rows(uint64(n+1)), uplift.Options{Names: shopNames, Seed: uint64(n)})
			}
		})
	}
	all.Wait()
	return out, errors.Join(append(errs, ctx.Err())...)
}

func one(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
