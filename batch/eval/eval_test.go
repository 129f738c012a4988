package eval

import (
	"errors"
	"io/fs"
	"math"
	"strings"
	"testing"
)

func TestRowsJudgeThemselves(t *testing.T) {
	for _, c := range []struct {
		name string
		row  Row
		want string
	}{
		{"within the tolerance", Near("g", "x", 1653.4, 1652.5, 1, 1), Pass},
		{"outside it", Near("g", "x", 1653.4, 1652.3, 1, 1), Missed},
		{"the same digits", Digits("g", "x", .243, .24279, 3), Pass},
		{"other digits", Digits("g", "x", .243, .2436, 3), Missed},
		{"reached", AtLeast("g", "x", .72, .72, 3), Pass},
		{"not reached", AtLeast("g", "x", .72, .7199, 3), Missed},
		{"under", AtMost("g", "x", .02, .02, 3), Pass},
		{"over", AtMost("g", "x", .02, .0201, 3), Missed},
		{"no number is near nothing", Near("g", "x", 1, math.NaN(), 1, 1), Missed},
		{"no number reaches nothing", AtLeast("g", "x", 1, math.NaN(), 1), Missed},
		{"no number stays under nothing", AtMost("g", "x", 1, math.NaN(), 1), Missed},
		{"shown", Show("g", "x", 1, 1), Shown},
	} {
		if c.row.Verdict != c.want {
			t.Errorf("%s: %+v, want %s", c.name, c.row, c.want)
		}
	}
}

func TestAFigureThatIsNoneIsADash(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		for _, r := range []Row{Show("g", "x", v, 2), AtMost("g", "x", 1, v, 2)} {
			if r.Ours != "–" {
				t.Errorf("%v is shown as %q", v, r.Ours)
			}
		}
	}
}

func TestEveryLookAtAHoldoutIsTold(t *testing.T) {
	h, told := Hold("rows", []int{1, 2}), []string{}
	o := Options{Opened: func(name string) { told = append(told, name) }}
	if h.Len() != 2 || len(told) != 0 {
		t.Fatal("counting rows opened them")
	}
	if rows := h.Open(o); len(rows) != 2 || len(told) != 1 || told[0] != "rows" {
		t.Errorf("rows %v, told %v", rows, told)
	}
}

func TestAMissingDataSetIsNamed(t *testing.T) {
	_, err := Options{Data: t.TempDir()}.Open("cdnow/CDNOW_sample.txt")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "EVAL_DATA") {
		t.Errorf("got %v", err)
	}
}

func TestTheTableCountsVerdicts(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, []Row{AtLeast("g", "x", 1, 2, 1), AtMost("g", "y", 1, 3, 1), Absent("g", "z")}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"missed by 2", "1 pass, 1 missed, 0 shown, 1 not present", "| ≥ 1 "} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, b.String())
		}
	}
}
