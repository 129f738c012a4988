package eval

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
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

// shown writes a log in which bad, a, b and c stood alike, and bad earned nothing.
func shown(t *testing.T, rows int) string {
	t.Helper()
	r, b := learn.NewRandom(6), strings.Builder{}
	b.WriteString("item_id,position,click,propensity_score\n")
	for i := range rows {
		item, click := []string{"bad", "a", "b", "c"}[i%4], 0
		if item != "bad" && r.Float64() < .1 {
			click = 1
		}
		fmt.Fprintf(&b, "%s,%d,%d,.25\n", item, 1+i/4%3, click)
	}
	return write(t, "log.csv", b.String())
}

// everywhere writes a policy that is the same at so many positions.
func everywhere(t *testing.T, positions int, shares string) string {
	t.Helper()
	lines := "position,item_id,probability\n"
	for p := range positions {
		for _, share := range strings.Fields(shares) {
			lines += fmt.Sprintf("%d,%s\n", p+1, share)
		}
	}
	return write(t, "target.csv", lines)
}

func TestWhatALogNeverShowedIsNotRecommended(t *testing.T) {
	log := shown(t, 12_000)
	for shares, want := range map[string]struct{ beyond, recommended string }{
		"a,.4 new,.6":                 {"0.6000", "no"},
		"new,1":                       {"1.0000", "no"},
		"a,.32 b,.32 c,.32 new,.04":   {"0.0400", "no"}, // the mean weight alone might be chance
		"a,.34 b,.33 c,.33 new,0":     {"", "yes"},
		"a,.34 b,.33 c,.3299 d,.0001": {"0.0001", "yes"},
	} {
		rows, err := Policy(context.Background(), Options{}, PolicyFiles{Log: log, Target: everywhere(t, 3, shares), Probability: "probability", Columns: openBandit})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]Row{}
		for _, r := range rows {
			got[r.Name] = r
		}
		verdict, beyond := got[recommended], got["share on items that the log never shows"]
		if verdict.Ours != want.recommended || want.recommended == "no" && !strings.Contains(verdict.Note, "don't know") || beyond.Ours != want.beyond {
			t.Errorf("%s: %+v\n%+v", shares, verdict, beyond)
		}
	}
}

func TestALogWithoutRewardsHasNoInterval(t *testing.T) {
	log := write(t, "log.csv", "item_id,position,click,propensity_score\n"+strings.Repeat("a,1,0,.5\nb,1,0,.5\n", 50))
	rows, err := Policy(context.Background(), Options{}, PolicyFiles{Log: log, Target: everywhere(t, 1, "a,.4 b,.6"), Probability: "probability", Columns: openBandit})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if strings.Contains(r.Ours+r.Note, "NaN") {
			t.Errorf("%+v", r)
		}
	}
	if r := named(t, rows, recommended); !strings.Contains(r.Note, "don't know: the gain has no interval") {
		t.Errorf("%+v", r)
	}
	if r := named(t, rows, "IPW"); !strings.HasSuffix(r.Note, "bootstrap-t –") {
		t.Errorf("%+v", r)
	}
}

func TestAPolicySpeaksOfEachPosition(t *testing.T) {
	in := PolicyFiles{Log: shown(t, 240), Probability: "probability", Columns: openBandit}
	in.Target = everywhere(t, 2, "a,1")
	if _, err := Policy(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), `says nothing of position "3", which the log has; it has position ["1" "2"]`) {
		t.Errorf("got %v", err)
	}
	in.Target = everywhere(t, 4, "a,1")
	rows, err := Policy(context.Background(), Options{}, in)
	if err != nil {
		t.Fatal(err)
	}
	if r := named(t, rows, "positions that the log never has"); r.Ours != "1" || !strings.HasPrefix(r.Note, "4;") {
		t.Errorf("%+v", r)
	}
}

func TestWrongLogsAreNamedByLineAndColumn(t *testing.T) {
	good, c := "item_id,position,click,propensity_score\n1,1,0,.5\n2,1,1,.5\n", openBandit
	for name, x := range map[string]struct{ log, target, want string }{
		"no column":         {"item_id,position,click\n1,1,0\n", "", `line 1: no column "propensity_score"`},
		"no number":         {"item_id,position,click,propensity_score\n1,1,0,.5\n2,1,yes,.5\n", "", `line 3, column click: "yes": want a number`},
		"propensity 0":      {"item_id,position,click,propensity_score\n1,1,0,0\n", "", "line 2, column propensity_score"},
		"not all of a sum":  {good, "item_id,position,probability\n1,1,.5\n", `position "1" sum to 0.5`},
		"a header alone":    {good, "item_id,position,probability\n", "target.csv has no probability after its header"},
		"twice":             {good, "item_id,position,probability\n1,1,.5\n1,1,.5\n", "line 3, column item_id"},
		"a number too much": {good, "item_id,position,probability\n1,1,1.5\n", "line 2, column probability"},
	} {
		in := PolicyFiles{Log: write(t, "log.csv", x.log), Target: write(t, "target.csv", x.target), Probability: "probability", Columns: c}
		if _, err := Policy(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, want %q", name, err, x.want)
		}
	}
}
