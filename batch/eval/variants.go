package eval

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/handschlag/handschlag/batch/learn"
)

// VariantsShop is a simulated shop. Days follow one another with a night between: shares
// are computed once from all days before. Every visitor is new and is drawn once; an order
// is drawn with the conversion rate of the variant.
type VariantsShop struct {
	Seeds  int // shops, each with rates of its own; 0: 200
	Days   int // 0: 28
	Orders int // a day, with a middling variant; 0: 200, of 8,000 visitors
}

const variantsGroup = "variants"

// Variants compares the shares of the night with equal ones and with plain Thompson
// sampling, by regret: orders lost against always showing the best variant.
func Variants(ctx context.Context, _ Options, in VariantsShop) ([]Row, error) {
	if in.Seeds == 0 {
		in.Seeds = 200
	}
	if in.Days == 0 {
		in.Days = 28
	}
	if in.Orders == 0 {
		in.Orders = 200
	}
	if in.Seeds < 2 || in.Days < 1 || in.Orders < 1 {
		return nil, fmt.Errorf("%d seeds, %d days and %d orders a day: want at least 2, 1 and 1", in.Seeds, in.Days, in.Orders)
	}
	var rows []Row
	for k, t := range truths {
		if k == 1 {
			in.Seeds = max(2, in.Seeds/4) // what is only shown
		}
		regret, err := in.play(ctx, k)
		if err != nil {
			return nil, err
		}
		rows = append(rows, in.rows(t, k > 0, regret)...)
	}
	return rows, nil
}

// play gives the regret of each agent in each shop of a truth.
func (in VariantsShop) play(ctx context.Context, k int) ([agents][]float64, error) {
	var out [agents][]float64
	for a := range out {
		out[a] = make([]float64, in.Seeds)
	}
	var wait sync.WaitGroup
	var mutex sync.Mutex
	var failed error
	next := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for seed := range next {
				for a := range out {
					regret, err := in.lost(k, a, uint64(seed))
					if err == nil {
						err = ctx.Err()
					}
					if err != nil {
						mutex.Lock()
						failed = err
						mutex.Unlock()
					}
					out[a][seed] = regret
				}
			}
		})
	}
	for seed := range in.Seeds {
		if ctx.Err() == nil {
			next <- seed
		}
	}
	close(next)
	wait.Wait()
	if failed == nil {
		failed = ctx.Err()
	}
	return out, failed
}

// lost is one agent's regret in one shop. All agents meet the same rates, and the same
// stream of chance from there on.
func (in VariantsShop) lost(k, kind int, seed uint64) (float64, error) {
	rates := truths[k].rates(learn.NewRandom(seed, 10, uint64(k)))
	chance, a, best, lost := learn.NewRandom(seed, 30, uint64(k)), newAgent(kind, seed), 0.0, 0.0
	for _, x := range rates {
		best = max(best, x)
	}
	visitors := int(math.Round(float64(in.Orders) / armBase))
	for day := range in.Days {
		shares, err := a.shares()
		if err != nil {
			return 0, err
		}
		for v, s := range shares {
			lost += float64(visitors) * s * (best - rates[v])
		}
		n, orders := drawDay(chance, visitors, shares, rates)
		a.tell(day, shares, n, orders)
	}
	return lost, nil
}

// rows tells one truth. The first is judged, the others show where the model is wrong.
func (in VariantsShop) rows(t truth, shown bool, regret [agents][]float64) []Row {
	name := fmt.Sprintf("40 arms, %s: regret in %d days, ", t.name, in.Days)
	var rows []Row
	for a := range agentPooled {
		mean, half := meanOf(regret[a])
		rows = append(rows, Show(variantsGroup, name+agentNames[a], mean, 0).Noted("± %.0f orders of %d", half, in.Orders*in.Days))
	}
	for a := agentPooled; a < agents; a++ {
		for _, b := range []int{agentEven, agentPlain, agentFloored} {
			rows = append(rows, versus(name, a, b, shown || b == agentFloored, regret))
		}
	}
	return rows
}

// versus wants one agent's regret below another's, shop by shop.
func versus(name string, a, b int, shown bool, regret [agents][]float64) Row {
	difference, won := make([]float64, len(regret[a])), 0.0
	for i := range difference {
		if difference[i] = regret[a][i] - regret[b][i]; difference[i] < 0 {
			won++
		}
	}
	ours, _ := meanOf(regret[a])
	other, _ := meanOf(regret[b])
	mean, half := meanOf(difference)
	low, high := wilson(won, float64(len(difference)))
	r := Row{Group: variantsGroup, Name: name + agentNames[a], Target: "< " + decimal(other, 0) + ", " + agentNames[b], Ours: decimal(ours, 0)}
	r = r.Noted("difference %.0f ± %.0f; wins %.1f %% of %d shops (%.1f to %.1f)", mean, half, 100*won/float64(len(difference)), len(difference), 100*low, 100*high)
	if r = r.judge(mean+half < 0, mean+half); shown {
		r.Verdict, r.By = Shown, ""
	}
	return r
}

// meanOf gives a mean and half its 95 % interval.
func meanOf(x []float64) (mean, half float64) {
	mean, sd := stat.MeanStdDev(x, nil)
	n := float64(len(x))
	return mean, distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(.975) * sd / math.Sqrt(n)
}

// wilson is the 95 % interval of a share (Wilson, J. Am. Stat. Assoc. 22, 1927).
func wilson(won, n float64) (low, high float64) {
	z := distuv.UnitNormal.Quantile(.975)
	p, middle := won/n, (won+z*z/2)/(n+z*z)
	half := z / (n + z*z) * math.Sqrt(n*p*(1-p)+z*z/4)
	return max(0, middle-half), min(1, middle+half)
}
