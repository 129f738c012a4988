package snapshot

import (
	"fmt"
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/event"
)

// RowWriter writes a day's file from rows that come in its order: by subject,
// occurrence and message key.
type RowWriter struct {
	out *parquet.GenericWriter[event.Row]
	buf []event.Row
}

// NewRowWriter begins a file that says of itself what d says.
func NewRowWriter(to io.Writer, d Day) *RowWriter {
	return &RowWriter{out: parquet.NewGenericWriter[event.Row](to, parquet.Compression(&parquet.Zstd),
		parquet.CreatedBy("handschlag", "1", ""), parquet.MaxRowsPerRowGroup(122_880),
		parquet.KeyValueMetadata(dayGeneration, strconv.FormatInt(d.Generation, 10)),
		parquet.KeyValueMetadata(dayCovered, strconv.FormatUint(d.Covered, 10)))}
}

// Add takes one row.
func (w *RowWriter) Add(r event.Row) error {
	if w.buf = append(w.buf, r); len(w.buf) < 1024 {
		return nil
	}
	return w.flush()
}

func (w *RowWriter) flush() error {
	_, err := w.out.Write(w.buf)
	clear(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		return fmt.Errorf("writing rows: %w", err)
	}
	return nil
}

// Close writes what is left, and the footer.
func (w *RowWriter) Close() error {
	if err := w.flush(); err != nil {
		return err
	}
	return w.out.Close()
}
