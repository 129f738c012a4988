package segment

import "regexp"

// formula is how a cell begins that a spreadsheet may take for one: after spaces, zero
// bytes or a byte order mark, with = + - @ or their full-width twins, or with a tab or a
// line end, which some programs drop before they look (OWASP, "CSV injection").
const formula = `^(?:[\s\x0B\x{85}\p{Z}\x00\x{FEFF}]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]|[\t\r\n])`

var formulaCell = regexp.MustCompile(formula)

// safeCell keeps a spreadsheet from reading a cell as a formula: an apostrophe before it makes
// it text. Parquet holds the value itself.
func safeCell(cell string) string {
	if formulaCell.MatchString(cell) {
		return "'" + cell
	}
	return cell
}
