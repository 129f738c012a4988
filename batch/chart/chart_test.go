package chart

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func at(x float64) *float64 { return &x }

func plain(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

var head = Head{ID: "x", Title: "a title", Desc: "a description"}

// all draws every kind of chart of some numbers and a name.
func all(name string, xs []float64) []string {
	var bars []Bar
	var columns []Column
	var steps []Beside
	var bins []Bin
	var rows []Row
	for i, x := range xs {
		bars = append(bars, Bar{Label: name, Value: at(x), Rest: at(x / 2), Note: name})
		columns = append(columns, Column{Label: name, Value: at(x), Note: name})
		steps = append(steps, Beside{Label: name, One: x, Two: x / 2})
		p := x / (1 + x)
		bins = append(bins, Bin{Predicted: p, Observed: p, Low: p / 2, High: (1 + p) / 2, Weight: p})
		rows = append(rows, Row{Label: name, Mean: at(x), Low: x - 1, High: x + 1, Note: name, Second: i%2 == 1})
	}
	bars, columns, rows = append(bars, Bar{Label: name}), append(columns, Column{}), append(rows, Row{Label: name})
	h := Head{ID: "x", Title: name, Desc: name}
	return []string{
		Bars(h, bars, plain), Columns(h, columns, name, name, plain), Lines(h, steps, name, name, name, name, plain),
		Calibration(h, bins, name, name, plain), Forest(h, rows, nil, name, plain), Forest(h, rows, at(0), name, plain),
	}
}

var (
	view   = regexp.MustCompile(`viewBox="0 0 (\S+) (\S+)"`)
	placed = regexp.MustCompile(` (x|y|x1|y1|x2|y2|cx|cy)="([^"]*)"`)
	tags   = regexp.MustCompile(`<[^>]*>`)
)

// Whatever the numbers, what is drawn lies inside the chart and has coordinates.
func TestNothingIsDrawnOutside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(0, 1), rapid.Float64Range(0, 1e9), rapid.Just(0.0)), 0, 40).Draw(t, "numbers")
		for i, svg := range all("name", xs) {
			size := view.FindStringSubmatch(svg)
			for _, m := range placed.FindAllStringSubmatch(svg, -1) {
				x, err := strconv.ParseFloat(m[2], 64)
				if err != nil || math.IsNaN(x) {
					t.Fatalf("chart %d: %s", i, m[0])
				}
				most, _ := strconv.ParseFloat(size[1], 64)
				if strings.Contains(m[1], "y") {
					most, _ = strconv.ParseFloat(size[2], 64)
				}
				if x < -.5 || x > most+.5 {
					t.Fatalf("chart %d: %s of %s", i, m[0], size[0])
				}
			}
		}
	})
}

// Names stay text: hostile ones give the tags that plain ones give.
func TestNamesStayText(t *testing.T) {
	for _, evil := range []string{`<script>`, `"><x`, `' y='`, `&lt;`, `--></`} {
		for i, svg := range all(evil, []float64{1, 2}) {
			var got, want []string
			for _, x := range tags.FindAllString(svg, -1) {
				got = append(got, strings.Fields(x)[0])
			}
			for _, x := range tags.FindAllString(all("name", []float64{1, 2})[i], -1) {
				want = append(want, strings.Fields(x)[0])
			}
			if !slices.Equal(got, want) {
				t.Errorf("chart %d: %q changed the tags", i, evil)
			}
		}
	}
}

func TestTheSameNumbersGiveTheSameChart(t *testing.T) {
	a, b := all("name", []float64{.1, .2, .3}), all("name", []float64{.1, .2, .1 + .2})
	for i := range a {
		if a[i] != b[i] { // .1 + .2 is not .3 in its last bit
			t.Errorf("chart %d differs", i)
		}
	}
}

// Text and bars of a chart stand on a sheet of its own, as large as it and below all else.
func TestEveryChartHasItsOwnSheet(t *testing.T) {
	for i, svg := range all("name", []float64{.1, .2, .3}) {
		view := regexp.MustCompile(`viewBox="0 0 (\S+) (\S+)"`).FindStringSubmatch(svg)
		if !strings.Contains(svg, `</desc><rect class="sheet" x="0" y="0" width="`+view[1]+`" height="`+view[2]+`"`) {
			t.Errorf("chart %d has no sheet: %.300s", i, svg)
		}
	}
}

// The number of the longest bar stands before it, where a page that is narrow and
// scrolls shows it whole.
func TestTheNumberOfABarStandsBeforeIt(t *testing.T) {
	svg := Bars(head, []Bar{{Label: "a", Value: at(503), Note: "503"}}, plain)
	bar := regexp.MustCompile(`<rect class="bar" x="([^"]+)"`).FindStringSubmatch(svg)
	note := regexp.MustCompile(`<text x="([^"]+)"[^>]* text-anchor="end">503<`).FindStringSubmatch(svg)
	if bar == nil || note == nil {
		t.Fatal(svg)
	}
	begins, _ := strconv.ParseFloat(bar[1], 64)
	ends, _ := strconv.ParseFloat(note[1], 64)
	if ends >= begins {
		t.Errorf("the number ends at %g, the bar begins at %g", ends, begins)
	}
}

// A bar is as long as its number: of 10 and 40 one is four times the other.
func TestBarsAreAsLongAsTheirNumbers(t *testing.T) {
	svg := Bars(head, []Bar{{Label: "a", Value: at(10)}, {Label: "b", Value: at(40)}}, plain)
	var wide []float64
	for _, m := range regexp.MustCompile(`<rect class="bar"[^>]* width="([^"]+)"`).FindAllStringSubmatch(svg, -1) {
		w, _ := strconv.ParseFloat(m[1], 64)
		wide = append(wide, w)
	}
	if len(wide) != 2 || math.Abs(wide[1]-4*wide[0]) > .3 {
		t.Errorf("lengths %v", wide)
	}
}

// Where prediction and observation are equal, the dot lies on the dashed line.
func TestCalibratedDotsLieOnTheLine(t *testing.T) {
	svg := Calibration(head, []Bin{{Predicted: .3, Observed: .3, Low: .2, High: .4, Weight: .5}}, "x", "y", plain)
	line := regexp.MustCompile(`<line class="ref" x1="(\S+)" y1="(\S+)" x2="(\S+)" y2="(\S+)"`).FindStringSubmatch(svg)
	dot := regexp.MustCompile(`<circle class="mark" cx="(\S+)" cy="(\S+)"`).FindStringSubmatch(svg)
	n := make([]float64, 0, 6)
	for _, s := range append(line[1:], dot[1:]...) {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		n = append(n, x)
	}
	if along := (n[4] - n[0]) / (n[2] - n[0]); math.Abs(n[1]+along*(n[3]-n[1])-n[5]) > .2 {
		t.Errorf("the dot is at %v, %v; the line goes from %v, %v to %v, %v", n[4], n[5], n[0], n[1], n[2], n[3])
	}
}

func TestTicksAreRoundAndSpanWhatIsShown(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{0, 40, []float64{0, 10, 20, 30, 40}}, {0, 33, []float64{0, 10, 20, 30, 40}}, {-2, 5, []float64{-2, 0, 2, 4, 6}}, {0, 0, []float64{0, .5, 1}},
		{.011, .046, []float64{.01, .02, .03, .04, .05}},
	} {
		got := ticks(c.low, c.high, 4)
		if fmt.Sprintf("%.6f", got) != fmt.Sprintf("%.6f", c.want) && !(c.high == 0 && got[0] == 0 && got[len(got)-1] == 1) {
			t.Errorf("%v to %v: %v, want %v", c.low, c.high, got, c.want)
		}
	}
}

// A name that is too long is cut, whole in its tooltip; wide letters take two places.
func TestLongNamesAreCut(t *testing.T) {
	for _, c := range []struct{ in, want string }{{"short", "short"}, {"twenty letters long!", "twenty le…"}, {"日本語日本語", "日本語日…"}} {
		if got := cut(c.in, 70); got != c.want {
			t.Errorf("%q becomes %q, want %q", c.in, got, c.want)
		}
	}
	svg := Bars(head, []Bar{{Label: strings.Repeat("long ", 20), Value: at(1)}}, plain)
	if !strings.Contains(svg, "<title>"+strings.Repeat("long ", 20)+"</title>") {
		t.Error("the whole name is nowhere")
	}
}
