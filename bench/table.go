package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// table collects rows and prints them at the end, so that progress and profiles
// do not stand between them.
type table struct {
	out   io.Writer
	rows  [][]string
	notes []string
}

func (t *table) begin() {
	t.rows = [][]string{{"figure", "ours", "beside it", "ratio", "spread", "aim", ""}}
}

// row adds a figure: a ratio over all rounds and the ratio of each. A bound below
// zero is an aim of at most its amount.
func (t *table) row(figure, ours, beside string, r float64, rounds []float64, bound float64) (met bool) {
	aim, verdict := "", ""
	switch {
	case bound > 0:
		met, aim = r >= bound, fmt.Sprintf("≥ %.2f", bound)
	case bound < 0:
		met, aim = r <= -bound, fmt.Sprintf("≤ %.2f", -bound)
	}
	if bound != 0 {
		verdict = map[bool]string{true: "met", false: "MISSED"}[met]
	}
	t.rows = append(t.rows, []string{figure, ours, beside, fmt.Sprintf("%.3f", r),
		fmt.Sprintf("%.3f–%.3f", slices.Min(rounds), slices.Max(rounds)), aim, verdict})
	return met
}

// plain adds a figure that is no ratio.
func (t *table) plain(cells ...string) {
	t.rows = append(t.rows, append(cells, make([]string, 7-len(cells))...))
}

func (t *table) note(text string) { t.notes = append(t.notes, text) }

// end prints the table as Markdown, as docs/performance.md holds it.
func (t *table) end() {
	fmt.Fprintf(t.out, "\n%s, %d CPUs, %s %s/%s\n\n", cpuModel(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	widths := make([]int, len(t.rows[0]))
	for _, r := range t.rows {
		for i, c := range r {
			widths[i] = max(widths[i], len([]rune(c)))
		}
	}
	for n, r := range t.rows {
		for i, c := range r {
			fmt.Fprintf(t.out, "| %s%s ", c, strings.Repeat(" ", widths[i]-len([]rune(c))))
		}
		fmt.Fprintln(t.out, "|")
		if n == 0 {
			for _, w := range widths {
				fmt.Fprintf(t.out, "|%s", strings.Repeat("-", w+2))
			}
			fmt.Fprintln(t.out, "|")
		}
	}
	fmt.Fprintln(t.out)
	for _, n := range t.notes {
		fmt.Fprintln(t.out, n)
	}
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown CPU"
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown CPU"
}
