package learn

import (
	"math"
	"testing"
)

// toldAs draws outcomes with known chances, and tells others.
func toldAs(seed uint64, n int, told func(logOdds float64) float64) ([]float64, []bool) {
	r := NewRandom(seed)
	p, y := make([]float64, n), make([]bool, n)
	for i := range p {
		x := -2 + 1.2*r.Normal()
		y[i], p[i] = r.Float64() < sigmoid(x), sigmoid(told(x))
	}
	return p, y
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// R55: what is planted wrong is flagged.
func TestPlantedMiscalibrationIsFlagged(t *testing.T) {
	for name, told := range map[string]func(float64) float64{
		"too high": func(x float64) float64 { return x + .5 }, "too low": func(x float64) float64 { return x - .5 },
		"too bold": func(x float64) float64 { return 1.5*x + .6 }, "too shy": func(x float64) float64 { return .5*x - .7 },
		"wrong at the top alone": func(x float64) float64 { return x + 1.5*max(0, x+1) },
	} {
		missed := 0
		for seed := range uint64(50) {
			p, y := toldAs(seed, 4000, told)
			if c := JudgeCalibration(p, y, .02); c.Verdict != NotCalibrated || c.Why == "" {
				missed++
			}
		}
		if missed > 2 {
			t.Errorf("%s: missed in %d of 50 samples", name, missed)
		}
	}
}

// Right probabilities are flagged in at most 1 % of samples (here: within four
// standard errors), whatever their number, and never called right on too few rows.
func TestRightProbabilitiesAreSeldomFlagged(t *testing.T) {
	const samples = 1000
	for _, n := range []int{600, 4000} {
		flagged, right := 0, 0
		for seed := range uint64(samples) {
			p, y := toldAs(1000+seed, n, func(x float64) float64 { return x })
			switch JudgeCalibration(p, y, .02).Verdict {
			case NotCalibrated:
				flagged++
			case Calibrated:
				right++
			}
		}
		if limit := samples*falseAlarms + 4*math.Sqrt(samples*falseAlarms*(1-falseAlarms)); float64(flagged) > limit {
			t.Errorf("%d rows: %d of %d flagged", n, flagged, samples)
		}
		if n == 600 && right > 0 {
			t.Errorf("%d of %d samples of 600 rows claim an error under .02", right, samples)
		}
	}
}

func TestEnoughRowsSayCalibrated(t *testing.T) {
	p, y := toldAs(7, 100_000, func(x float64) float64 { return x })
	if c := JudgeCalibration(p, y, .02); c.Verdict != Calibrated || c.Error > c.Upper {
		t.Errorf("%+v", c)
	}
	// off by far less than matters, and significantly so
	p, y = toldAs(7, 400_000, func(x float64) float64 { return x + .05 })
	if c := JudgeCalibration(p, y, .02); c.Verdict != Calibrated || c.P > falseAlarms {
		t.Errorf("%+v", c)
	}
}

func TestFewPositivesSayNothing(t *testing.T) {
	p, y := make([]float64, 1000), make([]bool, 1000)
	for i := range p {
		p[i], y[i] = .5, i < 49 // far off, and too few to say so
	}
	if c := JudgeCalibration(p, y, .02); c.Verdict != DontKnow {
		t.Errorf("%+v", c)
	}
}

func TestOneProbabilityForAllIsJudged(t *testing.T) {
	p, y := make([]float64, 1000), make([]bool, 1000)
	for i := range p {
		p[i], y[i] = .2, i < 400
	}
	if c := JudgeCalibration(p, y, .02); c.Verdict != NotCalibrated {
		t.Errorf("%+v", c)
	}
}
