package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
	"github.com/handschlag/handschlag/price"
)

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
	m := snapshot.Manifest{Through: through, Taken: h.opts.Clock().UTC(), Tenant: h.opts.Tenant, Days: []snapshot.ManifestDay{}}
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
		m.Days = append(m.Days, snapshot.ManifestDay{Day: d.Day, Path: path, Rows: d.Rows, SHA256: d.SHA256, Generation: d.Generation})
	}
	out := folder{h.disk, dir}
	if err := out.make(); err != nil {
		return err
	}
	to := snapshot.Replace(out.write)
	err = errors.Join(h.consents(to, state, m.Taken), h.shopAt(to, state), h.countedAt(to, state, through), h.decidedBefore(to, through, &m))
	if err != nil {
		return err
	}
	return to.Manifest(m)
}

// Standings writes only standings.parquet, subjects.parquet and links.parquet into
// dir, as they are now: what the night reads again before it publishes.
func (h *Host) Standings(_ context.Context, dir string) error {
	out := folder{h.disk, dir}
	state := h.db.NewSnapshot()
	err := errors.Join(h.trusted(), out.make())
	if err == nil {
		err = h.consents(out.write, state, h.opts.Clock())
	}
	if err = errors.Join(err, state.Close()); err != nil {
		return fmt.Errorf("writing standings: %w", err)
	}
	return nil
}

// folder is where a snapshot goes. It may lie outside the data folder.
type folder struct {
	disk *disk
	dir  string
}

func (f folder) make() error {
	if err := f.disk.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("making snapshot folder: %w", err)
	}
	// An old manifest must not vouch for new files.
	if err := f.disk.FS.Remove(f.disk.PathJoin(f.dir, snapshot.ManifestFile)); err != nil {
		if there, e := f.disk.has(f.disk.PathJoin(f.dir, snapshot.ManifestFile)); e != nil || there {
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

// consents writes standings, subjects and links, in the order of subjects.
func (h *Host) consents(to snapshot.Replace, r pebble.Reader, at time.Time) error {
	people := func(do func(snapshot.Person) error) error {
		return statesIn(r, func(st stored) error { return do(snapshot.Person(st)) })
	}
	if err := to.Standings(people, h.standingAt(at)); err != nil {
		return err
	}
	return to.Links(func(do func(snapshot.LinkRow) error) error {
		return under(r, []byte{tabLink}, func(k, v []byte) error {
			if len(k) != 17 || len(v) != 24 {
				return errors.New("unreadable link")
			}
			return do(snapshot.LinkRow{Device: [16]byte(k[1:]), Account: [16]byte(v)})
		})
	})
}

// shopAt writes cases, products and prices.
func (h *Host) shopAt(to snapshot.Replace, r pebble.Reader) error {
	cases := func(do func(snapshot.Case) error) error {
		return casesIn(r, func(id event.CaseID, body []byte) error { return do(snapshot.Case{ID: id, Body: bytes.Clone(body)}) })
	}
	histories := func(do func([]price.Interval) error) error {
		return under(r, []byte{tabPrice}, func(_, v []byte) error {
			var history []price.Interval
			if err := json.Unmarshal(v, &history); err != nil {
				return fmt.Errorf("unreadable price history: %w", err)
			}
			return do(history)
		})
	}
	return errors.Join(to.Cases(cases), to.Products(func(do func(event.Product) error) error { return productsIn(r, do) }), to.Prices(histories))
}

func (h *Host) countedAt(to snapshot.Replace, r pebble.Reader, through time.Time) error {
	return to.Counters(func(do func(snapshot.Count) error) error {
		return countsIn(r, time.Unix(0, 0), through.Truncate(time.Hour), func(hour time.Time, name string, n int64) error {
			return do(snapshot.Count{Hour: hour, Name: name, N: n})
		})
	})
}

// decidedBefore copies the records of the last 90 days before through, in the order
// of the chain, byte for byte as they lie in the log: of those about erased subjects,
// what is left. The manifest gets the day of the oldest of all.
func (h *Host) decidedBefore(to snapshot.Replace, through time.Time, m *snapshot.Manifest) error {
	return to.Decisions(func(do func([]byte) error) error {
		return h.decisions.Scan(0, func(p place, _ uint64, b []byte) error {
			var r struct {
				Time time.Time `json:"time"`
			}
			if err := json.Unmarshal(b, &r); err != nil {
				return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
			}
			if day := r.Time.UTC().Format(time.DateOnly); m.Decided == "" || day < m.Decided {
				m.Decided = day
			}
			if !r.Time.Before(through) || r.Time.Before(through.Add(-snapshot.DecisionsFor)) {
				return nil
			}
			left, err := h.shown(b)
			if err != nil {
				return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
			}
			return do(left)
		})
	})
}

// bookAt is the book of a gate: the store as of one reader.
type bookAt struct {
	*Host
	r pebble.Reader
}

func (h *Host) gateOf(r pebble.Reader) *snapshot.Gate { return snapshot.NewGate(bookAt{h, r}) }

// StateAt gives a state as it counts at a moment.
func (b bookAt) StateAt(s consent.Subject, at time.Time) (consent.State, error) {
	st, err := stateIn(b.r, s)
	return b.standingIn(st.State, at), err
}

// AccountOf gives the account of a device.
func (b bookAt) AccountOf(device consent.Subject) (consent.Subject, error) {
	return accountIn(b.r, device)
}

// Erased reports that a subject was erased.
func (b bookAt) Erased(s consent.Subject) bool { return b.buried(s) }

// CaseBody gives a case as it was remembered.
func (b bookAt) CaseBody(id event.CaseID) ([]byte, error) {
	return get(b.r, binary.BigEndian.AppendUint64([]byte{tabCase}, uint64(id)))
}
