package fairness

import (
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// internet is the question of The Markup's table 1.
func internet(t *testing.T) Question {
	t.Helper()
	q := Question{Cluster: "block_group", Price: "price"}
	var err error
	if q.Outcome, err = ParseOutcome("speed_down<25"); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"income_level:Low/Upper Income", "race_quantile:least white/most white", "redlining_grade:D/A|B"} {
		p, err := ParsePair(s)
		if err != nil {
			t.Fatal(err)
		}
		q.Pairs = append(q.Pairs, p)
	}
	return q
}

func auditFile(t *testing.T, name string, q Question) Answer {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Audit(z, q)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestThePublishedTableIsReproduced: 18 shares to four decimals, and the
// journalists' nine verdicts.
func TestThePublishedTableIsReproduced(t *testing.T) {
	f, err := os.Open("testdata/table1_disparities_by_city.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, h := range rows[0] {
		at[h] = i
	}
	files := map[string]string{"New Orleans": "new_orleans_att.csv.gz", "Minneapolis": "minneapolis_centurylink.csv.gz", "Indianapolis": "indianapolis_earthlink.csv.gz"}
	columns := [][3]string{{"pct_slow_lower_income", "pct_slow_upper_income", "income_disparity"}, {"pct_slow_least_white", "pct_slow_most_white", "race_disparity"}, {"pct_slow_d_rated", "pct_slow_ab_rated", "redlining_disparity"}}
	checked := 0
	for _, row := range rows[1:] {
		a := auditFile(t, files[row[at["major_city"]]], internet(t))
		for i, c := range a.Comparisons {
			for j, got := range []float64{c.Worse.Share, c.Better.Share} {
				var want float64
				if _, err := fmt.Sscan(row[at[columns[i][j]]], &want); err != nil {
					t.Fatal(err)
				}
				checked++
				if fmt.Sprintf("%.4f", got) != fmt.Sprintf("%.4f", want) {
					t.Errorf("%s %s: %.4f, published %.4f", row[0], columns[i][j], got, want)
				}
			}
			if want := row[at[columns[i][2]]] == "True"; want != (c.Verdict == Disparity) {
				t.Errorf("%s %s: published verdict %v; %s", row[0], columns[i][2], want, c)
			}
		}
	}
	if checked != 18 {
		t.Errorf("checked %d published shares, want 18", checked)
	}
}

// TestClustersAreNotTakenForIndependentRows: what looks like a difference among
// thousands of offers is none among a few hundred neighbourhoods.
func TestClustersAreNotTakenForIndependentRows(t *testing.T) {
	q := internet(t)
	with := auditFile(t, "indianapolis_earthlink.csv.gz", q).Comparisons[0]
	q.Cluster = ""
	without := auditFile(t, "indianapolis_earthlink.csv.gz", q).Comparisons[0]
	if with.Verdict != NoDisparity || without.Verdict != Disparity || with.High-with.Low <= without.High-without.Low {
		t.Errorf("with clusters %s\nwithout %s", with, without)
	}
}

func TestNewcombesPublishedIntervals(t *testing.T) {
	for _, c := range []struct {
		a, m, b, n int64
		low, high  float64
	}{ // Newcombe 1998, table II, method 10
		{56, 70, 48, 80, 0.0524, 0.3339},
		{9, 10, 3, 10, 0.1705, 0.8090},
		{5, 56, 0, 29, -0.0381, 0.1926},
		{0, 10, 0, 10, -0.2775, 0.2775},
	} {
		got := compare(share("a", cell{c.m, c.a}), share("b", cell{c.n, c.b}), nil)
		if math.Abs(got.Low-c.low) > 5e-5 || math.Abs(got.High-c.high) > 5e-5 {
			t.Errorf("%d/%d - %d/%d: %.4f to %.4f, published %.4f to %.4f", c.a, c.m, c.b, c.n, got.Low, got.High, c.low, c.high)
		}
	}
}

func TestEqualSharesAreNoDisparity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(Least, 5000).Draw(t, "n")
		k := rapid.Int64Range(0, n).Draw(t, "k")
		c := compare(share("a", cell{n, k}), share("b", cell{n, k}), nil)
		if c.Verdict != NoDisparity || c.Difference != 0 {
			t.Fatalf("%s", c)
		}
		back := compare(share("b", cell{n, k}), share("a", cell{2 * n, k}), nil)
		forth := compare(share("a", cell{2 * n, k}), share("b", cell{n, k}), nil)
		if math.Abs(back.Low+forth.High) > 1e-12 || back.Verdict != forth.Verdict {
			t.Fatalf("swapping the groups changes more than the sign: %s; %s", back, forth)
		}
	})
}

func TestFewRowsAreNoVerdict(t *testing.T) {
	if c := compare(share("a", cell{24, 24}), share("b", cell{1000, 0}), nil); c.Verdict != TooFew {
		t.Errorf("%s", c)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ csv, want string }{
		"an empty file":     {"", "the file is empty"},
		"a missing column":  {"price,g\n1,a\n", `there is no column "speed"`},
		"a word, no number": {"speed,g\n1,a\nfast,b\n", `line 3: speed is "fast", not a number`},
		"an unknown group":  {"speed,g\n1,a\n2,c\n", `no row has g "b"; there are a, c`},
		"a short line":      {"speed,g\n1,a\n2\n", "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Audit(strings.NewReader(c.csv), Question{Outcome: Outcome{"speed", "<", 2}, Pairs: []Pair{{"g", []string{"a"}, []string{"b"}}}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	for _, s := range []string{"speed", "speed<", "<25", "speed<x"} {
		if _, err := ParseOutcome(s); err == nil {
			t.Errorf("outcome %q is taken", s)
		}
	}
	for _, s := range []string{"g", "g:a", "g:a/", ":a/b", "g:a/a|b"} {
		if _, err := ParsePair(s); err == nil {
			t.Errorf("comparison %q is taken", s)
		}
	}
}
