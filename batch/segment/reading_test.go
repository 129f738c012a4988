package segment

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
)

// readRow has columns of every kind that hosts write, and one whose values may be missing.
type readRow struct {
	Subject [16]byte `parquet:"subject,uuid"`
	Status  string   `parquet:"status,dict"`
	Notice  string   `parquet:"notice"`
	At      int64    `parquet:"at"`
	Age     int32    `parquet:"age"`
	Lifts   bool     `parquet:"lifts"`
	Account [16]byte `parquet:"account,uuid"`
	Lists   []string `parquet:"lists,list"`
	Maybe   *int64   `parquet:"maybe,optional"`
}

func drawReadRow(t *rapid.T) (r readRow) {
	r.Subject[15] = byte(rapid.IntRange(0, 9).Draw(t, "subject"))
	of := func(name string, limit int) int { return rapid.IntRange(0, limit).Draw(t, name) }
	r.Status, r.Notice, r.At, r.Age = []string{"", "given", "withdrawn"}[of("status", 2)], []string{"", "n"}[of("notice", 1)], int64(of("at", 1)), int32(of("age", 1))
	r.Lifts, r.Account[3] = of("lifts", 1) == 1, byte(of("account", 1))
	r.Lists = [][]string{nil, {""}, {"", ""}, {"a"}, {"a", "b"}, {"ab"}}[of("lists", 5)]
	if x := int64(of("maybe", 2)); x < 2 {
		r.Maybe = &x
	}
	return r
}

func (r readRow) text() string {
	if r.Maybe == nil {
		return fmt.Sprintf("%v %q", r, r.Lists)
	}
	return fmt.Sprintf("%v %q %d", readRow{r.Subject, r.Status, r.Notice, r.At, r.Age, r.Lifts, r.Account, r.Lists, nil}, r.Lists, *r.Maybe)
}

// writeReading writes rows in small pages, and in several row groups.
func writeReading(t failer, path string, rows []readRow, page, group int) {
	t.Helper()
	var body bytes.Buffer
	w := parquet.NewGenericWriter[readRow](&body, parquet.PageBufferSize(page), parquet.Compression(&parquet.Zstd))
	var err error
	for part := range slices.Chunk(rows, group) {
		if _, err = w.Write(part); err == nil {
			err = w.Flush()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestWhoDiffersIsGiven: of files in order those are given of whom the rows are not the
// same, and nobody else; however rows lie, nobody is left out.
func TestWhoDiffersIsGiven(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.parquet"), filepath.Join(dir, "two.parquet")
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(rapid.Custom(drawReadRow), 0, 60).Draw(t, "before")
		after := slices.Clone(before)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(after)).Draw(t, "at")
			to := rapid.IntRange(at, min(len(after), at+2)).Draw(t, "to")
			after = slices.Replace(after, at, to, rapid.SliceOfN(rapid.Custom(drawReadRow), 0, 2).Draw(t, "new")...)
		}
		ordered := rapid.Bool().Draw(t, "ordered")
		by := map[consent.Subject][2]string{}
		for i, rows := range [][]readRow{before, after} {
			if ordered {
				slices.SortStableFunc(rows, func(a, b readRow) int { return bytes.Compare(a.Subject[:], b.Subject[:]) })
			}
			for _, r := range rows {
				was := by[r.Subject]
				was[i] += r.text() + "\n"
				by[r.Subject] = was
			}
			writeReading(t, []string{one, two}[i], rows, rapid.IntRange(16, 200).Draw(t, "page"), rapid.IntRange(1, 60).Draw(t, "group"))
		}
		given := map[consent.Subject]bool{}
		if err := differing(one, two, "subject", func(s consent.Subject) { given[s] = true }); err != nil {
			t.Fatal(err)
		}
		for who, rows := range by {
			if differs := rows[0] != rows[1]; differs && !given[who] || ordered && differs != given[who] {
				t.Fatalf("ordered %v: %s is given: %v; before\n%safter\n%s", ordered, who, given[who], rows[0], rows[1])
			}
		}
	})
}

// TestFilesOfOtherColumnsAgreeInNobody: a host that was upgraded in the night says more.
func TestFilesOfOtherColumnsAgreeInNobody(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.parquet"), filepath.Join(dir, "two.parquet")
	writeParquet(t, one, "{subject: 'uuid', since: 'bigint'}", "*", []any{map[string]any{"subject": subject(1), "since": 1}, map[string]any{"subject": subject(2), "since": 1}})
	writeParquet(t, two, "{subject: 'uuid', since: 'integer'}", "*", []any{map[string]any{"subject": subject(1), "since": 1}})
	given := map[consent.Subject]bool{}
	if err := differing(one, two, "subject", func(s consent.Subject) { given[s] = true }); err != nil || len(given) != 2 {
		t.Errorf("given are %v, %v", given, err)
	}
	if err := differing(one, two, "since", func(consent.Subject) {}); err == nil || !strings.Contains(err.Error(), "no column since of UUIDs") {
		t.Errorf("a column of numbers was taken for subjects: %v", err)
	}
}
