package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/event"
)

// manifest is snapshot.json. It is written last: a folder without it is unfinished.
type manifest struct {
	Through    time.Time     `json:"through"`
	Taken      time.Time     `json:"taken"`
	Days       []manifestDay `json:"days"`
	Checkpoint string        `json:"checkpoint"`
	Tenant     string        `json:"tenant"`
}

type manifestDay struct {
	Day        string `json:"day"`
	Path       string `json:"path"`
	Rows       int64  `json:"rows"`
	SHA256     string `json:"sha256"`
	Generation int64  `json:"generation"`
}

// decisionsFor is how long the night looks back on decisions.
const decisionsFor = 90 * 24 * time.Hour

// Snapshot compacts every ingest day before the day of through and writes what
// the night reads into dir, all as of one moment of the state store. The
// checkpoint covers every consent record in it.
func (h *Host) Snapshot(ctx context.Context, through time.Time, dir string) error {
	h.compacting.Lock()
	defer h.compacting.Unlock()
	if err := errors.Join(h.trusted(), h.flushCounts()); err != nil { // OPS-06: no night rests on a book that is behind
		return fmt.Errorf("taking snapshot: %w", err)
	}
	state := h.db.NewSnapshot()
	err := h.snapshot(ctx, through.UTC(), dir, state)
	if err = errors.Join(err, state.Close()); err == nil {
		err = h.scrub(ctx)
	}
	if err != nil {
		return fmt.Errorf("taking snapshot: %w", err)
	}
	return nil
}

func (h *Host) snapshot(ctx context.Context, through time.Time, dir string, state *pebble.Snapshot) error {
	m := manifest{Through: through, Taken: h.opts.Clock().UTC(), Tenant: h.opts.Tenant, Days: []manifestDay{}}
	if err := h.sequence(ctx); err != nil {
		return err
	}
	c, err := ledger.Published(ctx, h.ledger)
	if err != nil {
		return fmt.Errorf("reading checkpoint: %w", err)
	}
	m.Checkpoint = string(c.Note)
	days, err := h.compact(ctx, through, state)
	if err != nil {
		return err
	}
	for _, d := range days {
		path, err := filepath.Abs(h.dayPath(d.Day))
		if err != nil {
			return err
		}
		m.Days = append(m.Days, manifestDay{d.Day, path, d.Rows, d.SHA256, d.Generation})
	}
	out := folder{h.disk, dir, h.standingAt(m.Taken)}
	if err := out.make(); err != nil {
		return err
	}
	err = errors.Join(out.standings(state), out.links(state), out.cases(state), out.products(state), out.prices(state), out.counters(state, through),
		out.decisions(h, through))
	if err != nil {
		return err
	}
	return out.write("snapshot.json", func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	})
}

// Standings writes only standings.parquet, subjects.parquet and links.parquet into
// dir, as they are now: what the night reads again before it publishes.
func (h *Host) Standings(_ context.Context, dir string) error {
	out := folder{h.disk, dir, h.standingAt(h.opts.Clock())}
	state := h.db.NewSnapshot()
	err := errors.Join(h.trusted(), out.make())
	if err == nil {
		err = errors.Join(out.standings(state), out.links(state))
	}
	if err = errors.Join(err, state.Close()); err != nil {
		return fmt.Errorf("writing standings: %w", err)
	}
	return nil
}

// folder is where a snapshot goes. It may lie outside the data folder.
type folder struct {
	disk     *disk
	dir      string
	standing func(consent.State) consent.State
}

func (f folder) make() error {
	if err := f.disk.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("making snapshot folder: %w", err)
	}
	// An old manifest must not vouch for new files.
	if err := f.disk.FS.Remove(f.disk.PathJoin(f.dir, "snapshot.json")); err != nil {
		if there, e := f.disk.has(f.disk.PathJoin(f.dir, "snapshot.json")); e != nil || there {
			return fmt.Errorf("removing an old snapshot: %w", err)
		}
	}
	return nil
}

// write makes one file, whole and durable.
func (f folder) write(name string, fill func(io.Writer) error) error {
	path := f.disk.PathJoin(f.dir, name)
	file, err := f.disk.Create(path+".tmp", vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	w := bufio.NewWriterSize(file, 1<<16)
	err = fill(w)
	if err == nil {
		err = errors.Join(w.Flush(), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = errors.Join(f.disk.Rename(path+".tmp", path), f.disk.sync(f.dir))
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// table writes rows as Parquet.
func table[T any](f folder, name string, fill func(add func(T) error) error) error {
	return f.write(name+".parquet", func(w io.Writer) error {
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

type standingRow struct {
	Subject  [16]byte `parquet:"subject,uuid"`
	Purpose  string   `parquet:"purpose,dict"`
	Status   string   `parquet:"status,dict"` // as recorded; expiry is the reader's, by until_ms
	SinceMS  int64    `parquet:"since_ms"`
	UntilMS  int64    `parquet:"until_ms"` // 0 for a no
	Explicit bool     `parquet:"explicit"`
	Version  int64    `parquet:"version"`
	Notice   string   `parquet:"notice,dict"` // that a grant rests on
	Lifts    bool     `parquet:"lifts"`       // a browser's signal (SIG-04)

	Confirmed bool `parquet:"doi_confirmed"` // the address, by a double opt-in of ours (EXP-04)
}

type subjectRow struct {
	Subject    [16]byte `parquet:"subject,uuid"`
	Scope      string   `parquet:"scope,dict"`
	Restricted bool     `parquet:"restricted"`
	AgeBand    string   `parquet:"age_band,dict"`
	Objected   bool     `parquet:"objected"`        // any objection or suppression
	Objections []string `parquet:"objections,list"` // scopes, as consent.State has them
	Suppressed []string `parquet:"suppressed,list"` // channels, or all
}

// standings writes standings and subjects in the order of subjects.
func (f folder) standings(r pebble.Reader) error {
	err := table(f, "standings", func(add func(standingRow) error) error {
		return statesIn(r, func(st stored) error {
			st.State = f.standing(st.State)
			for _, p := range slices.SortedFunc(maps.Keys(st.Standings), func(a, b consent.Purpose) int { return a.Bit() - b.Bit() }) {
				s := st.Standings[p]
				row := standingRow{Subject: st.Subject, Purpose: string(p), Status: string(s.Status), SinceMS: s.Since.UnixMilli(),
					Explicit: s.Explicit, Lifts: s.Lifts, Confirmed: s.Status.Valid() && s.Proof.Confirmed(), Version: int64(st.Version)}
				if !s.Until.IsZero() {
					row.UntilMS = s.Until.UnixMilli()
				}
				if last := len(s.Grounds) - 1; last >= 0 {
					row.Notice = s.Grounds[last].Notice
				}
				if err := add(row); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return table(f, "subjects", func(add func(subjectRow) error) error {
		return statesIn(r, func(st stored) error {
			return add(subjectRow{st.Subject, string(st.Scope), st.Restricted, st.AgeBand, len(st.Objections)+len(st.Suppressed) > 0, st.Objections, st.Suppressed})
		})
	})
}

type linkRow struct {
	Device  [16]byte `parquet:"device,uuid"`
	Account [16]byte `parquet:"account,uuid"`
}

func (f folder) links(r pebble.Reader) error {
	return table(f, "links", func(add func(linkRow) error) error {
		return under(r, []byte{tabLink}, func(k, v []byte) error {
			if len(k) != 17 || len(v) != 24 {
				return errors.New("unreadable link")
			}
			return add(linkRow{[16]byte(k[1:]), [16]byte(v)})
		})
	})
}

type productRow struct {
	ID         string   `parquet:"product_id"`
	Category   string   `parquet:"category,dict"`
	Class      string   `parquet:"product_class,dict"`
	PriceCents int64    `parquet:"price_cents"`
	Stock      int64    `parquet:"stock"`
	Tags       []string `parquet:"tags,list"`
}

func (f folder) products(r pebble.Reader) error {
	return table(f, "products", func(add func(productRow) error) error {
		return productsIn(r, func(p event.Product) error {
			return add(productRow{p.ID, p.Category, p.Class, p.PriceCents, p.Stock, p.Tags})
		})
	})
}

// lines writes one JSON value a line.
func (f folder) lines(name string, fill func(add func(any) error) error) error {
	return f.write(name+".ndjson", func(w io.Writer) error { return fill(json.NewEncoder(w).Encode) })
}

func (f folder) cases(r pebble.Reader) error {
	type line struct {
		ID   string          `json:"id"`
		Case json.RawMessage `json:"case"`
	}
	return f.lines("cases", func(add func(any) error) error {
		return casesIn(r, func(id event.CaseID, body []byte) error {
			return add(line{strconv.FormatUint(uint64(id), 10), bytes.Clone(body)})
		})
	})
}

func (f folder) counters(r pebble.Reader, through time.Time) error {
	type line struct {
		Hour time.Time `json:"hour"`
		Name string    `json:"name"`
		N    int64     `json:"n"`
	}
	return f.lines("counters", func(add func(any) error) error {
		return countsIn(r, time.Unix(0, 0), through.Truncate(time.Hour), func(hour time.Time, name string, n int64) error {
			return add(line{hour, name, n})
		})
	})
}

// decisions copies the records of the last 90 days before through, in the order
// of the chain, byte for byte as they lie in the log: of those about erased subjects,
// what is left.
func (f folder) decisions(h *Host, through time.Time) error {
	return f.write("decisions.ndjson", func(w io.Writer) error {
		return h.decisions.Scan(0, func(p place, _ uint64, b []byte) error {
			var r struct {
				Time time.Time `json:"time"`
			}
			if err := json.Unmarshal(b, &r); err != nil {
				return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
			}
			if !r.Time.Before(through) || r.Time.Before(through.Add(-decisionsFor)) {
				return nil
			}
			left, err := h.shown(b)
			if err != nil {
				return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
			}
			_, err = w.Write(append(bytes.Clone(left), '\n'))
			return err
		})
	})
}
