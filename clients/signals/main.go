// Command signals compares our decoders of consent strings with the IAB's own.
//
// It reads what generate.mjs writes, one string a line with the libraries' reading
// of it, decodes each string itself, and counts. Where we refuse what a library
// reads, the reason has a name and is expected; any other difference is printed and
// ends the command with 1.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"
)

// now is when the strings are judged: after the day from which SIG-05 asks for the
// segment of disclosed vendors.
var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// line is one string as generate.mjs writes it.
type line struct {
	Kind, Edit, String string
	Vendor             int
	Error              string
	Read               json.RawMessage
}

// tally counts what became of the strings.
type tally struct {
	strings, edited, same, bothRefuse map[string]int // by kind
	stricter, laxer                   map[string]int // by name: only we refuse; only the library refuses
	grants                            map[string]int // by name: the library's bits say yes
	ignored                           int            // strings with interests that do not count (SIG-07)
	wrong                             []string
}

func main() {
	t, err := compare(os.Stdin)
	if err == nil {
		err = t.print(os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "comparing consent strings:", err)
		os.Exit(1)
	}
}

func compare(r io.Reader) (*tally, error) {
	t := &tally{
		strings: map[string]int{}, edited: map[string]int{}, same: map[string]int{}, bothRefuse: map[string]int{},
		stricter: map[string]int{}, laxer: map[string]int{}, grants: map[string]int{},
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<20), 1<<26)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("line %d: %w", t.total()+1, err)
		}
		t.strings[l.Kind]++
		if l.Edit != "none" {
			t.edited[l.Kind]++
		}
		if err := t.take(l); err != nil {
			return nil, fmt.Errorf("line %d: %w", t.total(), err)
		}
	}
	return t, lines.Err()
}

func (t *tally) total() int { return t.strings["tc"] + t.strings["gpp"] }

// differs keeps a difference that has no name.
func (t *tally) differs(l line, format string, args ...any) {
	t.wrong = append(t.wrong, fmt.Sprintf("%s, %s: %q: %s", l.Kind, l.Edit, l.String, fmt.Sprintf(format, args...)))
}

func (t *tally) print(w io.Writer) error {
	fmt.Fprintf(w, "%d strings, %d of them edited: %d TC, %d GPP\n", t.total(), t.edited["tc"]+t.edited["gpp"], t.strings["tc"], t.strings["gpp"])
	fmt.Fprintf(w, "read alike, every field: %d TC, %d GPP; refused by both: %d TC, %d GPP\n", t.same["tc"], t.same["gpp"], t.bothRefuse["tc"], t.bothRefuse["gpp"])
	for _, part := range []struct {
		title string
		by    map[string]int
	}{
		{"only we refuse", t.stricter},
		{"only the library refuses", t.laxer},
		{"strings whose purpose and vendor bits say yes", t.grants},
	} {
		fmt.Fprintln(w, part.title+":")
		for _, name := range slices.Sorted(maps.Keys(part.by)) {
			fmt.Fprintf(w, "  %8d  %s\n", part.by[name], name)
		}
	}
	fmt.Fprintf(w, "strings with legitimate interest for purposes 1, 3, 4, 5 or 6, which we ignore (SIG-07): %d\n", t.ignored)
	for _, s := range t.wrong[:min(len(t.wrong), 20)] {
		fmt.Fprintln(w, "UNEXPLAINED", s)
	}
	fmt.Fprintf(w, "unexplained: %d\n", len(t.wrong))
	switch {
	case len(t.wrong) > 0:
		return fmt.Errorf("%d differences without a name", len(t.wrong))
	case t.total() == 0:
		return fmt.Errorf("no strings")
	}
	return nil
}
