package segment

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/parquet-go/parquet-go"
)

// onlyOwner makes a file that nobody else can read, lets it be filled, and makes it
// durable.
func onlyOwner(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(fill(w), w.Flush(), f.Sync(), f.Close())
}

// writeCSV writes every cell in quotes (RFC 4180), so that no separator of anybody's
// spreadsheet begins a new one, and none as a formula.
func writeCSV(path string, columns []joinedColumn, rows int) error {
	return onlyOwner(path, func(w io.Writer) error {
		line := func(cell func(joinedColumn) string) error {
			cells := make([]string, len(columns))
			for i, c := range columns {
				cells[i] = `"` + strings.ReplaceAll(cell(c), `"`, `""`) + `"`
			}
			_, err := io.WriteString(w, strings.Join(cells, ",")+"\n")
			return err
		}
		if err := line(func(c joinedColumn) string { return c.name }); err != nil {
			return err
		}
		for i := range rows {
			if err := line(func(c joinedColumn) string { return safeCell(c.cell(i)) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// writeParquetRows writes the values as they are. Columns are in the order of their names.
func writeParquetRows(path string, columns []joinedColumn, rows int) error {
	group := parquet.Group{}
	for _, c := range columns {
		group[c.name] = parquet.String()
	}
	schema := parquet.NewSchema("crm", group)
	place := map[string]int{}
	for i, path := range schema.Columns() {
		place[path[0]] = i
	}
	return onlyOwner(path, func(to io.Writer) error {
		w := parquet.NewWriter(to, schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("handschlag", "1", ""))
		row := make(parquet.Row, len(columns))
		for i := range rows {
			for _, c := range columns {
				row[place[c.name]] = parquet.ByteArrayValue([]byte(c.cell(i))).Level(0, 0, place[c.name])
			}
			if _, err := w.WriteRows([]parquet.Row{row}); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// signJoined writes the manifest of the joined files and its signature.
func (n *night) signJoined(dir string, j Joined) error {
	body, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the CRM's manifest: %w", err)
	}
	body = append(body, '\n')
	if err := writeFile(filepath.Join(dir, manifestFile), body, 0o600); err != nil {
		return fmt.Errorf("writing the CRM's manifest: %w", err)
	}
	if err := n.signText(dir, signed(joinedSchema, n.date, body)); err != nil {
		return err
	}
	return syncFolder(dir)
}
