package eval

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
	learned "github.com/handschlag/handschlag/batch/learn/value"
)

// shopLog writes a log of orders of buyers who come back every few weeks or never.
func shopLog(t *testing.T, buyers int) string {
	t.Helper()
	r, lines := learn.NewRandom(8), []string{"date,who,note,euros"}
	for b := range buyers {
		at := time.Date(2025, 1, 1+r.IntN(60), 0, 0, 0, 0, time.UTC)
		for at.Year() == 2025 {
			lines = append(lines, fmt.Sprintf("%s,b%d,\"a, b\",%d.50", at.Format(time.DateOnly), b, 10+r.IntN(50)))
			if r.Float64() < .4 {
				break
			}
			at = at.AddDate(0, 0, 1+r.IntN(60))
		}
	}
	path := filepath.Join(t.TempDir(), "orders.csv")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var shopShape = OrderLog{Buyer: 2, Date: 1, Amount: 4, Skip: 1, Separator: ","}

func TestOrdersOfADayAreOne(t *testing.T) {
	log, err := ReadOrders(strings.NewReader("b 19970103 1.10\na 19970101 5\nb 1997-01-03 2.25\nb 19970101 0\n"), "x", OrderLog{Buyer: 1, Date: 2, Amount: 3})
	if err != nil {
		t.Fatal(err)
	}
	first := daysOf(time.Date(1997, 1, 1, 0, 0, 0, 0, time.UTC))
	if want := []order{{first, 0}, {first + 2, 335}}; !slices.Equal(log["b"], want) || len(log) != 2 {
		t.Errorf("got %v, want %v", log["b"], want)
	}
}

func TestAWrongLogIsNamedByLineAndColumn(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"a 19970101 5\nb 1997/01/03 5", "shop.txt: line 2, column 2"},
		{"a 19970101 five", "line 1, column 3"},
		{"a 19970101 -5", "line 1, column 3"},
		{"a 19970101", "line 1, column 3"},
		{"", "no order"},
	} {
		_, err := ReadOrders(strings.NewReader(c.text), "shop.txt", OrderLog{Buyer: 1, Date: 2, Amount: 3})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
	for _, in := range []ValueFiles{
		{Log: "x", Calibration: "1997", Holdout: "1998-01-01"}, {Log: "x", Calibration: "1997-01-01", Holdout: "soon"},
		{Log: "x", Calibration: "1997-01-02", Holdout: "1997-01-02"},
	} {
		if _, err := Value(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), "hold-out") && !strings.Contains(err.Error(), "calibration") {
			t.Errorf("%+v: %v", in, err)
		}
	}
}

func TestWhatIsFittedHoldsNothingOfLaterDays(t *testing.T) {
	before := map[string][]order{"a": {{0, 100}, {5, 300}}, "b": {{3, 100}}}
	after := map[string][]order{"a": {{0, 100}, {5, 300}, {11, 900}, {99, 1}}, "b": {{3, 100}, {20, 1}}, "c": {{11, 1}, {12, 1}}}
	want, none := split(before, 10, 20)
	got, came := split(after, 10, 20)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("later orders changed what is known: %v, want %v", got, want)
	}
	if !slices.Equal(came, []later{{1, 900}, {1, 1}}) || !slices.Equal(none, []later{{}, {}}) {
		t.Errorf("later: %v, %v", came, none)
	}
}

func TestValueJudgesAnyLog(t *testing.T) {
	in := ValueFiles{Log: shopLog(t, 150), Shape: shopShape, Calibration: "2025-08-31", Holdout: "2025-11-28"}
	opened := 0
	for _, trainOnly := range []bool{true, false} {
		rows, err := Value(context.Background(), Options{TrainOnly: trainOnly, Opened: func(string) { opened++ }}, in)
		if err != nil {
			t.Fatal(err)
		}
		judged := slices.ContainsFunc(rows, func(r Row) bool { return strings.HasPrefix(r.Name, "hold-out") })
		if judged == trainOnly || judged != (opened == 1) {
			t.Errorf("train only %v: judged %v, opened %d times", trainOnly, judged, opened)
		}
		for _, r := range rows {
			if r.Verdict != Shown || strings.Contains(r.Ours, "NaN") || strings.Contains(r.Ours, "Inf") {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestValueAsksForDaysOfTheLog(t *testing.T) {
	log := write(t, "orders.csv", "a,2025-01-03,1\na,2025-01-20,1\nb,2025-01-05,2\nb,2025-03-31,2\n")
	in := ValueFiles{Log: log, Shape: OrderLog{Buyer: 1, Date: 2, Amount: 3, Separator: ","}}
	for days, want := range map[[2]string]string{
		{"2025-01-02", "2025-02-28"}: "the calibration ends on 2025-01-02; " + log + " has orders from 2025-01-03 to 2025-03-31",
		{"2025-04-01", "2025-04-28"}: "the calibration ends on 2025-04-01; ",
		{"2025-02-01", "2025-04-01"}: "the hold-out ends on 2025-04-01; " + log + " has orders from 2025-01-03 to 2025-03-31",
	} {
		in.Calibration, in.Holdout = days[0], days[1]
		if _, err := Value(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %s", days, err, want)
		}
	}
}

// Nothing came: an error in percent of it is no number.
func TestNothingToCompareWithIsADash(t *testing.T) {
	f := valueFit{}
	f.bgnbd, f.own = append(f.bgnbd, learned.Expectation{Orders: 1, Cents: 300}), append(f.own, learned.Expectation{Orders: 1, Cents: 300})
	dashes := 0
	for _, r := range f.judged([]later{{}}, false) {
		if r.Ours == "–" {
			dashes++
		}
	}
	if dashes != 4 {
		t.Errorf("%d dashes, want those of orders and value, of both models", dashes)
	}
}

func TestValueWithoutCDNOWIsNotPresent(t *testing.T) {
	rows, err := Value(context.Background(), Options{Data: t.TempDir()}, ValueFiles{})
	if err != nil || len(rows) != 1 || rows[0].Verdict != NotPresent {
		t.Errorf("%v, %v", rows, err)
	}
}

func TestErrorsOfForecastsAreThoseOfTheBook(t *testing.T) {
	f := valueFit{}
	f.own = append(f.own, learned.Expectation{Orders: 1, Cents: 300}, learned.Expectation{Orders: 3, Cents: 500})
	after := []later{{2, 1000}, {1, 0}}
	if got := rmse(f.own, after); math.Abs(got-math.Sqrt(2.5)) > 1e-12 {
		t.Errorf("RMSE %g", got)
	}
	if got := excess(f.own, after); math.Abs(got-100.0/3) > 1e-12 {
		t.Errorf("excess %g", got)
	}
	if got := excessCents(f.own, after); math.Abs(got+20) > 1e-12 {
		t.Errorf("excess of cents %g", got)
	}
}
