package eval

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// A small edition of handschlag eval variants: 16 shops.
func TestPooledSharesLoseFewerOrdersThanEqualOnesAndThanFreeArms(t *testing.T) {
	var regret [agents][]float64
	for seed := range uint64(16) {
		for _, a := range []int{agentEven, agentPlain, agentPooled} {
			lost, err := (VariantsShop{Days: 28, Orders: 200}).lost(0, a, seed)
			if err != nil {
				t.Fatal(err)
			}
			regret[a] = append(regret[a], lost)
		}
	}
	for _, b := range []int{agentEven, agentPlain} {
		if r := versus("", agentPooled, b, false, regret); r.Verdict != Pass {
			t.Errorf("%+v", r)
		}
	}
}

func TestTheSameShopsGiveTheSameTable(t *testing.T) {
	var got [2]string
	for i := range got {
		rows, err := Variants(context.Background(), Options{}, VariantsShop{Seeds: 4, Days: 3, Orders: 50})
		if err != nil {
			t.Fatal(err)
		}
		got[i] = fmt.Sprint(rows)
	}
	if got[0] != got[1] {
		t.Errorf("two runs differ:\n%s\n%s", got[0], got[1])
	}
}

// Over many shops the log-odds spread as the truth says, and factors explain their part.
func TestTruthsSpreadAsTheySay(t *testing.T) {
	for _, x := range truths {
		var all, rows float64
		const shops = 4000
		for seed := range uint64(shops) {
			rates := x.rates(learn.NewRandom(seed, 1))
			logit := func(v int) float64 { return math.Log(rates[v]/(1-rates[v])) - math.Log(armBase/(1-armBase)) }
			all += logit(0) * logit(0) / shops
			rows += logit(0) * logit(1) / shops // same headline and image, other proof
		}
		if math.Abs(all/(x.spread*x.spread)-1) > .1 || math.Abs(rows/(x.spread*x.spread)-x.factors*2/3) > .1 {
			t.Errorf("%s: variance %.4f, shared %.4f", x.name, all, rows)
		}
	}
}

// Shares of a day are those that were asked for, within five standard errors, and nobody is
// lost or drawn twice.
func TestADayDrawsEveryVisitorOnce(t *testing.T) {
	shares := []float64{.7, .2, .1}
	n, orders := drawDay(learn.NewRandom(1), 100_001, shares, []float64{0, .5, 1})
	var sum float64
	for v, s := range shares {
		x := 0.0
		for f := range n {
			x += n[f][v]
		}
		sum += x
		if math.Abs(x-100_001*s) > 5*math.Sqrt(100_001*s*(1-s)) {
			t.Errorf("variant %d was drawn %v times", v, x)
		}
	}
	if sum != 100_001 || orders[0][0] != 0 || orders[armFolds-1][2] != n[armFolds-1][2] {
		t.Errorf("%v visitors, orders %v of %v", sum, orders, n)
	}
}
