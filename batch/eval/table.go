package eval

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

var heads = []string{"group", "what", "published", "target", "ours", "verdict", "note"}

// Write prints rows as one table, and a line that counts the verdicts.
func Write(w io.Writer, rows []Row) error {
	cells := [][]string{heads}
	count := map[string]int{}
	for _, r := range rows {
		count[r.Verdict]++
		verdict := r.Verdict
		if r.By != "" {
			verdict += " by " + r.By
		}
		cells = append(cells, []string{r.Group, r.Name, r.Published, r.Target, r.Ours, verdict, r.Note})
	}
	wide := make([]int, len(heads))
	for _, line := range cells {
		for i, c := range line {
			wide[i] = max(wide[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for i, line := range cells {
		writeLine(&b, line, wide)
		if i == 0 {
			rule := make([]string, len(wide))
			for j, n := range wide {
				rule[j] = strings.Repeat("-", n)
			}
			rule[len(rule)-1] = "----"
			writeLine(&b, rule, wide)
		}
	}
	fmt.Fprintf(&b, "\n%d pass, %d missed, %d shown, %d not present\n", count[Pass], count[Missed], count[Shown], count[NotPresent])
	_, err := io.WriteString(w, b.String())
	return err
}

func writeLine(b *strings.Builder, line []string, wide []int) {
	last := len(line) - 1 // notes are long: they are not brought to one width
	for i, c := range line[:last] {
		fmt.Fprintf(b, "| %s%s ", c, strings.Repeat(" ", wide[i]-utf8.RuneCountInString(c)))
	}
	b.WriteString("| " + line[last] + "\n")
}
