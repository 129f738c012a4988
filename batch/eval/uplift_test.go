package eval

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
)

// campaign writes a file in which an offer helps those with many searches, if helps.
func campaign(seed uint64, rows int, helps float64, columns ...string) string {
	r, b := learn.NewRandom(seed), strings.Builder{}
	b.WriteString(strings.Join(columns, ",") + "\n")
	for i := range rows {
		searches, treated := r.IntN(10), r.IntN(2)
		p := .2
		if searches >= 5 && treated == 1 {
			p += helps
		}
		ordered := 0
		if r.Float64() < p {
			ordered = 1
		}
		value := map[string]int{"searches": searches, "offered": treated, "ordered": ordered, "id": i, "pages": r.IntN(5), "D_PLACE": r.IntN(2)}
		var fields []string
		for _, c := range columns {
			fields = append(fields, fmt.Sprint(value[c]))
		}
		b.WriteString(strings.Join(fields, ",") + "\n")
	}
	return b.String()
}

func judgeUplift(t *testing.T, o Options, train, valid string) []Row {
	t.Helper()
	in := UpliftFiles{Train: file(t, "train.csv", train), Treatment: "offered", Outcome: "ordered", Shuffles: 4, Shops: 1}
	if head, _, _ := strings.Cut(train, "\n"); strings.Contains(head, ",id,") {
		in.Ignore = []string{"id", "D_*"}
	}
	if valid != "" {
		in.Valid = file(t, "valid.csv", valid)
	}
	rows, err := Uplift(context.Background(), o, in)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func named(t *testing.T, rows []Row, name string) Row {
	t.Helper()
	i := slices.IndexFunc(rows, func(r Row) bool { return r.Name == name })
	if i < 0 {
		t.Fatalf("there is no row %q in %v", name, rows)
	}
	return rows[i]
}

func TestUpliftReadsColumnsInAnyOrder(t *testing.T) {
	train := campaign(1, 4000, .25, "searches", "offered", "ordered", "id", "pages", "D_PLACE")
	opened := 0
	o := Options{Opened: func(string) { opened++ }}
	a := judgeUplift(t, o, train, campaign(2, 2000, .25, "searches", "offered", "ordered", "id", "pages", "D_PLACE"))
	b := judgeUplift(t, o, train, campaign(2, 2000, .25, "id", "ordered", "D_PLACE", "pages", "offered", "searches"))
	if !slices.Equal(a, b) {
		t.Errorf("the order of columns matters:\n%v\n%v", a, b)
	}
	if q := named(t, a, "q, judged rows"); q.Ours < "0.02" || opened != 2 {
		t.Errorf("%+v; opened %d times", q, opened)
	}
	if r := named(t, a, "verdict on training rows"); r.Ours != "known" || !strings.HasSuffix(r.Note, "2 features") {
		t.Errorf("%+v", r)
	}
}

func TestUpliftSaysDontKnow(t *testing.T) {
	rows := judgeUplift(t, Options{}, campaign(3, 1000, 0, "searches", "offered", "ordered", "pages"), campaign(4, 500, 0, "searches", "offered", "ordered", "pages"))
	if r := named(t, rows, "verdict on training rows"); r.Ours != "don't know" {
		t.Errorf("%+v", r)
	}
	if r := named(t, rows, "share targeted, judged rows"); r.Ours != "0.000" {
		t.Errorf("somebody is targeted: %+v", r)
	}
}

func TestTrainOnlyOpensNothing(t *testing.T) {
	file := campaign(5, 600, .3, "searches", "offered", "ordered")
	rows := judgeUplift(t, Options{TrainOnly: true, Opened: func(name string) { t.Errorf("%s was opened", name) }}, file, file)
	if slices.ContainsFunc(rows, func(r Row) bool { return strings.Contains(r.Name, "judged") }) {
		t.Errorf("judged rows are told: %v", rows)
	}
}

func TestABrokenCampaignIsNamedByLineAndColumn(t *testing.T) {
	for name, c := range map[string]struct{ train, valid, want string }{
		"no number":        {"offered,ordered,x\n1,0,2\n0,1,NA\n", "", `train.csv, line 3, column x: "NA" is not a number`},
		"half treated":     {"offered,ordered,x\n.5,0,2\n", "", `line 2, column offered: ".5"; want 1`},
		"a missing column": {"treated,ordered,x\n1,0,2\n", "", `train.csv, line 1: there is no column "offered"; there are treated, ordered, x`},
		"too few fields":   {"offered,ordered,x\n1,0\n", "", "wrong number of fields"},
		"nothing":          {"", "", "want a CSV with a header"},
		"no rows":          {"offered,ordered,x\n", "", "no row after its header"},
		"other columns":    {"offered,ordered,x\n1,0,2\n", "offered,ordered,y\n1,0,2\n", "leave out with --ignore what only one of them has: x, y"},
	} {
		in := UpliftFiles{Train: file(t, "train.csv", c.train), Treatment: "offered", Outcome: "ordered"}
		if c.valid != "" {
			in.Valid = file(t, "valid.csv", c.valid)
		}
		if _, err := Uplift(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// A column that is kept out by a name spelt wrong would be learned from.
func TestWhatIsIgnoredMustBeThere(t *testing.T) {
	one, other := "offered,ordered,x,id\n1,0,2,7\n0,1,3,8\n", "offered,ordered,x,note\n1,0,2,7\n0,1,3,8\n"
	for pattern, want := range map[string]string{
		"ID": `ignoring "ID": no column is called so; there are id, note, offered, ordered, x`, "D_*": `ignoring "D_*": no column`, "[": `ignoring "[": it is no pattern`,
	} {
		in := UpliftFiles{Train: file(t, "train.csv", one), Valid: file(t, "valid.csv", other), Treatment: "offered", Outcome: "ordered", Ignore: []string{"id", "note", pattern}}
		if _, err := Uplift(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		in.Ignore = in.Ignore[:2] // each fits a column of one file
		if _, _, err := in.open(Options{}, true); err != nil {
			t.Errorf("got %v", err)
		}
	}
}

func TestAColumnHasOneRole(t *testing.T) {
	train := file(t, "train.csv", campaign(5, 60, .3, "searches", "offered", "ordered"))
	for _, c := range [][3]string{{"ordered", "ordered", ""}, {"offered", "ordered", "offered"}, {"offered", "ordered", "ordered"}} {
		in := UpliftFiles{Train: train, Treatment: c[0], Outcome: c[1], Propensity: c[2]}
		if _, err := Uplift(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), "want different columns") {
			t.Errorf("%v: got %v", c, err)
		}
	}
}

// What nothing is estimated of is neither a number nor a pass.
func TestWithoutOffersNothingIsEstimatedOrPassed(t *testing.T) {
	none := strings.ReplaceAll(campaign(5, 600, .3, "searches", "ordered", "offered"), ",1\n", ",0\n")
	both := campaign(6, 600, .3, "searches", "ordered", "offered")
	for name, c := range map[string]struct {
		train, valid string
		dashes       int
	}{"no offers to learn from": {none, both, 6}, "no offers to judge by": {both, none, 2}} {
		dashes := 0
		for _, r := range judgeUplift(t, Options{}, c.train, c.valid) {
			if strings.Contains(r.Ours+r.Note, "NaN") || r.Verdict == Pass && c.train == none {
				t.Errorf("%s: %+v", name, r)
			}
			if r.Ours == "–" {
				dashes++
			}
		}
		if dashes != c.dashes {
			t.Errorf("%s: %d dashes, want %d", name, dashes, c.dashes)
		}
	}
}

func TestAPropensityIsCheckedInBothFiles(t *testing.T) {
	good := "offered,ordered,x,p\n1,0,2,.5\n0,1,3,.5\n"
	for bad, want := range map[string]string{
		"1,0,2,0":  `line 3, column p: "0", and column offered says "1": this could not happen`,
		"0,0,2,1":  `line 3, column p: "1", and column offered says "0"`,
		"1,0,2,3":  `line 3, column p: "3"; want the probability of an offer`,
		"1,0,2,-1": `line 3, column p: "-1"; want`,
	} {
		wrong := "offered,ordered,x,p\n1,0,2,.5\n" + bad + "\n"
		for _, files := range [][2]string{{wrong, good}, {good, wrong}} {
			in := UpliftFiles{Train: file(t, "train.csv", files[0]), Valid: file(t, "valid.csv", files[1]), Treatment: "offered", Outcome: "ordered", Propensity: "p"}
			if _, err := Uplift(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
		}
	}
	in := UpliftFiles{Train: file(t, "train.csv", good), Treatment: "offered", Outcome: "ordered", Propensity: "3"}
	if _, err := Uplift(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), "the propensity of an offer is 3; want") {
		t.Errorf("got %v", err)
	}
}

func TestAMissingCampaignIsNotPresent(t *testing.T) {
	rows, err := Uplift(context.Background(), Options{Data: t.TempDir()}, UpliftFiles{Shops: 1})
	if err != nil || rows[0].Verdict != NotPresent {
		t.Errorf("%v, %v", rows, err)
	}
}

// The shop's truth is what a hundred thousand visitors show.
func TestTheSimulatedTruthIsTheTruth(t *testing.T) {
	s := simulatedShop{visitors: 100_000, holdout: .5, cents: true, helps: someHelp}
	effect, low, high := difference(s.rows(1))
	if d := (high - low) / 2 / 1.96; math.Abs(effect-s.truth()) > 4*d {
		t.Errorf("effect %.2f ± %.2f, truth %.2f", effect, d, s.truth())
	}
}

// Table of exact limits: 0 of 100 gives 1 − .05^(1/100); 3 of 10 from Clopper and Pearson's tables.
func TestTheExactLimit(t *testing.T) {
	for _, c := range []struct {
		k, n int
		want float64
	}{{0, 100, 1 - math.Pow(.05, .01)}, {10, 10, 1}, {3, 10, .6066}} {
		if got := atMostShare(c.k, c.n); math.Abs(got-c.want) > 5e-5 {
			t.Errorf("%d of %d: %.5f, want %.5f", c.k, c.n, got, c.want)
		}
	}
}
