package eval

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// publishedOfCDNOW judges a fit of CDNOW by its source: Fader, Hardie, Lee (2005) and Fader
// and Hardie's note 025.
func publishedOfCDNOW(o Options, f valueFit) ([]Row, error) {
	unlike, err := unlikeSummary(o, f.buyers)
	if err != nil {
		return nil, err
	}
	m := f.model
	return []Row{
		Near("value", "CDNOW: histories unlike the published summary", 0, float64(unlike), 0, 0),
		Digits("value", "BG/NBD r", .243, m.Orders.R, 3), Digits("value", "BG/NBD α", 4.414, m.Orders.Alpha, 3),
		Digits("value", "BG/NBD a", .793, m.Orders.A, 3), Digits("value", "BG/NBD b", 2.426, m.Orders.B, 3),
		Digits("value", "BG/NBD log-likelihood", -9582.4, m.LogLikelihood, 1),
		Digits("value", "Gamma-Gamma p", 6.25, m.Spend.P, 2), Digits("value", "Gamma-Gamma q", 3.74, m.Spend.Q, 2),
		Digits("value", "Gamma-Gamma γ", 15.44, m.Spend.Gamma, 2),
		Near("value", "BG/NBD forecast of 39 weeks, orders", 1653.4, total(f.bgnbd), 1, 1),
	}, nil
}

// unlikeSummary counts buyers whose repeats, weeks or mean spend differ from the
// published summary.
func unlikeSummary(o Options, buyers []buyer) (int, error) {
	f, err := o.Open("cdnow/cdnow_customers_summary_with_transactions.csv")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	if _, err := r.Read(); err != nil {
		return 0, fmt.Errorf("reading the published summary: %w", err)
	}
	unlike := 0
	for _, b := range buyers {
		want, err := r.Read()
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, fmt.Errorf("reading the published summary: %w", err)
		}
		h := b.trail.History()
		got := []float64{float64(h.Repeat), float64(h.Last) / 7, float64(h.Age) / 7, b.spend.Cents / 100}
		if len(want) != 5 || !alike(want[1:], got) {
			unlike++
		}
	}
	if _, err := r.Read(); !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("the published summary has more rows than the log has buyers (%d)", len(buyers))
	}
	return unlike, nil
}

// alike says that numbers are those printed, to the two decimals they are printed with.
func alike(printed []string, got []float64) bool {
	for i, text := range printed {
		want, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(want-got[i]) > .0051 {
			return false
		}
	}
	return true
}
