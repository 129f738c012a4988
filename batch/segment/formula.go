package segment

import (
	"fmt"
	"regexp"
)

// formula is how a cell begins that a spreadsheet may take for one: after spaces, zero
// bytes or a byte order mark, with = + - @ or their full-width twins, or with a tab or a
// line end, which some programs drop before they look (OWASP, "CSV injection"). RE2 syntax,
// which Go and DuckDB share.
const formula = `^(?:[\s\x0B\x{85}\p{Z}\x00\x{FEFF}]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|[\t\r\n])`

// csvSafe is SQL that keeps a spreadsheet from reading a cell as a formula: an
// apostrophe before it makes it text. Parquet holds the value itself.
func csvSafe(column string) string {
	return fmt.Sprintf("if(regexp_matches(%[1]s, %[2]s), '''' || %[1]s, %[1]s) as %[1]s", column, quote(formula))
}

var formulaCell = regexp.MustCompile(formula)

// safeCell is csvSafe in Go.
func safeCell(cell string) string {
	if formulaCell.MatchString(cell) {
		return "'" + cell
	}
	return cell
}
