package eval

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The shipped copy of open-bandit-men gives the figures.
func TestOpenBanditGivesItsPublishedValues(t *testing.T) {
	rows, err := Policy(context.Background(), Options{Data: t.TempDir()}, PolicyFiles{})
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, r := range rows {
		if r.Verdict == Missed {
			t.Errorf("%+v", r)
		}
		if r.Verdict == Pass && r.Target == "equal, 5 decimals" {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("%d figures agree, want 5", passed)
	}
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPolicyFileIsValuedOnAnotherLog(t *testing.T) {
	log := write(t, "log.csv", "what,paid,p,who\na,1,.5,x\na,0,.5,y\nb,1,.5,x\nb,1,.5,y\n")
	target := write(t, "target.csv", "what,share\na,.2\nb,.8\n")
	rows, err := Policy(context.Background(), Options{}, PolicyFiles{Log: log, Target: target, Probability: "share", Columns: Columns("what", "", "paid", "p", []string{"who"})})
	if err != nil {
		t.Fatal(err)
	}
	// By hand: weights .4, .4, 1.6, 1.6, so IPW = (.4 + 1.6 + 1.6)/4 = .9 and SNIPW = 3.6/4.
	if rows[1].Ours != "0.90000" || rows[2].Ours != "0.90000" {
		t.Errorf("%+v\n%+v", rows[1], rows[2])
	}
	if last := rows[len(rows)-1]; last.Ours != "no" || !strings.Contains(last.Note, "don't know") {
		t.Errorf("four choices were enough: %+v", last)
	}
}

func TestWrongLogsAreNamedByLineAndColumn(t *testing.T) {
	good, c := "item_id,position,click,propensity_score\n1,1,0,.5\n2,1,1,.5\n", openBandit
	for name, x := range map[string]struct{ log, target, want string }{
		"no column":         {"item_id,position,click\n1,1,0\n", "", `line 1: no column "propensity_score"`},
		"no number":         {"item_id,position,click,propensity_score\n1,1,0,.5\n2,1,yes,.5\n", "", `line 3, column click: "yes": want a number`},
		"propensity 0":      {"item_id,position,click,propensity_score\n1,1,0,0\n", "", "line 2, column propensity_score"},
		"not all of a sum":  {good, "item_id,position,probability\n1,1,.5\n", `position "1" sum to 0.5`},
		"twice":             {good, "item_id,position,probability\n1,1,.5\n1,1,.5\n", "line 3, column item_id"},
		"a number too much": {good, "item_id,position,probability\n1,1,1.5\n", "line 2, column probability"},
	} {
		in := PolicyFiles{Log: write(t, "log.csv", x.log), Target: write(t, "target.csv", x.target), Probability: "probability", Columns: c}
		if _, err := Policy(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
}
