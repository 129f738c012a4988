package snapshot

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Manifest is snapshot.json. It is written last: a folder without it is unfinished.
type Manifest struct {
	Through    time.Time     `json:"through"`
	Taken      time.Time     `json:"taken"`
	Days       []ManifestDay `json:"days"`
	Checkpoint string        `json:"checkpoint"`
	Tenant     string        `json:"tenant"`
	Decided    string        `json:"oldest_decision,omitempty"` // day of the oldest that is kept, though the snapshot may not hold it
}

// ManifestDay is a closed ingest day. Generation rises whenever it is written again.
type ManifestDay struct {
	Day        string `json:"day"`
	Path       string `json:"path"`
	Rows       int64  `json:"rows"`
	SHA256     string `json:"sha256"`
	Generation int64  `json:"generation"`
}

// ManifestFile is the name of the manifest in its folder.
const ManifestFile = "snapshot.json"

// Replace makes one file of a snapshot's folder, whole and durable, in the place of
// any of that name.
type Replace func(name string, fill func(io.Writer) error) error

// Each gives things one by one, in an order that is always the same.
type Each[T any] func(do func(T) error) error

// Manifest writes snapshot.json.
func (to Replace) Manifest(m Manifest) error {
	return to(ManifestFile, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
}

// table writes rows as Parquet.
func table[T any](to Replace, name string, fill func(add func(T) error) error) error {
	return to(name+".parquet", func(w io.Writer) error {
		out := parquet.NewGenericWriter[T](w, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("handschlag", "1", ""))
		buf := make([]T, 0, 512)
		flush := func() error {
			_, err := out.Write(buf)
			buf = buf[:0]
			return err
		}
		err := fill(func(row T) error {
			if buf = append(buf, row); len(buf) == cap(buf) {
				return flush()
			}
			return nil
		})
		return errors.Join(err, flush(), out.Close())
	})
}

// lines writes one JSON value a line.
func (to Replace) lines(name string, fill func(add func(any) error) error) error {
	return to(name+".ndjson", func(w io.Writer) error { return fill(json.NewEncoder(w).Encode) })
}
