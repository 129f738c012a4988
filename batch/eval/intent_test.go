package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/need"
)

// sessionFile writes sessions in which pages and a channel tell of buyers. late changes
// what happened to the rows of the hold-out.
func sessionFile(t *testing.T, late bool) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("pages,seconds,channel,device,bought\n")
	r := learn.NewRandom(4)
	for i := range 1500 {
		pages, channel := r.IntN(10), []string{"mail", "search"}[r.IntN(2)]
		buys := r.Float64() < .05+.05*float64(pages)
		if channel == "mail" {
			buys = buys || r.Float64() < .2
		}
		if late && i%10 >= 7 {
			buys = !buys
		}
		fmt.Fprintf(&b, "%d,%d,%s,%d,%v\n", pages, r.IntN(500), channel, i%3, buys)
	}
	path := filepath.Join(t.TempDir(), "sessions.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func ownSessions(path string) IntentFile {
	return IntentFile{Path: path, Label: "bought", Yes: "true", Features: []string{"pages:rising", "seconds/pages", "channel:named"}, Forbid: []string{"device"}, Split: "row mod 10 < 7"}
}

func TestAFitNeverSeesItsHoldout(t *testing.T) {
	cards := map[string]string{}
	for _, late := range []bool{false, true} {
		in := ownSessions(sessionFile(t, late))
		in.Card = func(_ string, c need.Card) error { cards[fmt.Sprintf("%+v", c)] = ""; return nil }
		opened := 0
		rows, err := Intent(context.Background(), Options{Opened: func(string) { opened++ }}, in)
		if err != nil || opened != 1 || len(rows) != 6 {
			t.Fatalf("%d rows, opened %d times, %v", len(rows), opened, err)
		}
	}
	if len(cards) != 1 {
		t.Error("what happened in the hold-out changed the card")
	}
}

func TestTrainingOnlyOpensNoHoldout(t *testing.T) {
	o := Options{TrainOnly: true, Opened: func(name string) { t.Errorf("%s was opened", name) }}
	rows, err := Intent(context.Background(), o, ownSessions(sessionFile(t, false)))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if !strings.Contains(r.Name, "cross-validated") {
			t.Errorf("%+v", r)
		}
	}
}

func TestAWrongFileSaysWhereItIsWrong(t *testing.T) {
	path := sessionFile(t, false)
	for want, change := range map[string]func(*IntentFile){
		`line 1: there is no column "page"`:                           func(in *IntentFile) { in.Features[0] = "page" },
		`line 1: there is no column "sold"`:                           func(in *IntentFile) { in.Label = "sold" },
		`line 2, column 3 (channel): "`:                               func(in *IntentFile) { in.Features[2] = "channel" },
		`feature device uses the column device, which is forbidden`:   func(in *IntentFile) { in.Features[1] = "device" },
		`feature pages/device uses the column device`:                 func(in *IntentFile) { in.Features[1] = "pages/device" },
		`what is forbidden: `:                                         func(in *IntentFile) { in.Forbid = []string{"Device"} },
		`line 1: there is no column "Device"; there are pages, sec`:   func(in *IntentFile) { in.Forbid = []string{"device", "Device"} },
		`feature bought:named uses the column bought, which is the o`: func(in *IntentFile) { in.Features[2] = "bought:named" },
		`feature pages-bought uses the column bought, which is the o`: func(in *IntentFile) { in.Features[0] = "pages-bought" },
		`column 5 (bought): no row has "ja"; there are false, true`:   func(in *IntentFile) { in.Yes = "ja" },
		`"up" is no shape`:                                            func(in *IntentFile) { in.Features[0] = "pages:up" },
		`the split "half" is not understood`:                          func(in *IntentFile) { in.Split = "half" },
		`column 3 (channel): no row has "post"; there are mail, sea`:  func(in *IntentFile) { in.Split = "channel in mail, post" },
		`the split "channel in mail," is not understood`:              func(in *IntentFile) { in.Split = "channel in mail," },
		`and 0 into the hold-out`:                                     func(in *IntentFile) { in.Split = "channel in mail,search" },
		`-1 pairs of features: want 0 or more`:                        func(in *IntentFile) { in.Pairs = -1 },
		`no features: name the columns`:                               func(in *IntentFile) { in.Features = nil },
	} {
		in := ownSessions(path)
		change(&in)
		if _, err := Intent(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	in := ownSessions(filepath.Join(t.TempDir(), "none.csv"))
	if _, err := Intent(context.Background(), Options{}, in); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file of one's own that is missing: %v", err)
	}
}

// Sakar et al., 2019: 12,330 sessions, of which 10,422 (84.5 %) did not end with a purchase.
func TestTheShippedShoppersAreWhole(t *testing.T) {
	for _, c := range shopperCases(IntentFile{}) {
		train, held, err := c.in.read(Options{Data: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		yes := 0
		for _, r := range append(train.rows, held.Open(Options{})...) {
			if r.Y {
				yes++
			}
		}
		if all := len(train.rows) + held.Len(); all != 12330 || yes != 12330-10422 {
			t.Errorf("%s: %d sessions, %d purchases", c.name, all, yes)
		}
		for _, f := range train.specs {
			for _, no := range forbidden {
				if strings.Contains(f.Name, no) {
					t.Errorf("%s uses %s", c.name, f.Name)
				}
			}
		}
		if c.in.Split == "row mod 10 < 7" && len(train.rows) != 8631 {
			t.Errorf("%s: %d rows train", c.name, len(train.rows))
		}
	}
}

func TestACardIsReadAsPoints(t *testing.T) {
	in, printed := ownSessions(sessionFile(t, false)), strings.Builder{}
	in.Pairs = 1
	in.Card = func(_ string, c need.Card) error {
		return WriteCard(&printed, "own", c)
	}
	if _, err := Intent(context.Background(), Options{TrainOnly: true}, in); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"10 points double the odds", "pages (rising)", "channel (named)", "mail ", "and more ", "points → probability", "predicted → observed"} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("the card lacks %q:\n%s", want, printed.String())
		}
	}
}

func TestAFeatureMayBeMadeOfSums(t *testing.T) {
	s := sheet{name: "own", head: []string{"a", "b", "c", "d-e"}, lines: [][]string{{"6", "3", "1", "5"}, {"2", "2", "0", "7"}}}
	for text, want := range map[string][2]float64{
		"a": {6, 2}, "a+b": {9, 4}, "a-b+c": {4, 0}, "a/b": {2, 1}, "a/b-c": {3, 1}, "a*b+c": {24, 4}, "a+b/a-b": {3, 0}, "d-e": {5, 7},
	} {
		f, err := s.term(text)
		for line, w := range want {
			if got, failed := s.value(f, line); err != nil || failed != nil || got != w {
				t.Errorf("%s of line %d is %v, want %v (%v, %v)", text, line, got, w, err, failed)
			}
		}
	}
	for text, want := range map[string]string{"a+x": `no column "x"`, "a+": `no column ""`, "a+b:named": "names are of one column"} {
		if _, err := s.term(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// The values of a split are folds of their own, and one alone is cut into folds by chance.
func TestASplitMayNameOneValueOrSeveralWithSpaces(t *testing.T) {
	r, b := learn.NewRandom(9), strings.Builder{}
	b.WriteString("pages,channel,bought\n")
	for i := range 1800 {
		pages := r.IntN(10)
		fmt.Fprintf(&b, "%d,%s,%v\n", pages, []string{"mail", "ads ", "search"}[i%3], r.Float64() < .08*float64(pages))
	}
	path := write(t, "sessions.csv", b.String())
	for split, want := range map[string]string{"channel in mail": ", 5 folds", "channel in mail , ads": ", 2 folds", "channel in mail,ads,mail": ", 2 folds"} {
		in := IntentFile{Path: path, Label: "bought", Yes: "true", Features: []string{"pages:rising"}, Split: split}
		rows, err := Intent(context.Background(), Options{TrainOnly: true}, in)
		if err != nil || !strings.Contains(rows[0].Note, want) {
			t.Errorf("%s: %v, %v", split, rows, err)
		}
	}
}

// "Don't know" misses a target where there is one.
func TestDontKnowMissesNothingOfAFileOfOnesOwn(t *testing.T) {
	in := ownSessions(sessionFile(t, false))
	in.Features = []string{"device:named"}
	in.Forbid = nil
	rows, err := Intent(context.Background(), Options{TrainOnly: true}, in)
	if err != nil || len(rows) != 1 || rows[0].Ours != "don't know" || rows[0].Verdict != Shown {
		t.Errorf("%+v, %v", rows, err)
	}
	if r := (intentCase{auc: .7}).unknown(&need.Unknown{}); r.Verdict != Missed {
		t.Errorf("%+v", r)
	}
}

func TestForwardsNeedsTimes(t *testing.T) {
	in := ownSessions(sessionFile(t, false))
	in.Forward = true
	if _, err := Intent(context.Background(), Options{TrainOnly: true}, in); err == nil || !strings.Contains(err.Error(), "names no times") {
		t.Errorf("got %v", err)
	}
}
