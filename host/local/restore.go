package local

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/host/local/seglog"
)

// Restored says what a state store that was older than the book's journal took
// from it before anybody read.
type Restored struct {
	Records  int64 `json:"records"`
	Lists    int64 `json:"lists"`
	Erasures int64 `json:"erasures"`
	Openings int64 `json:"openings"`
}

// openJournal opens the journal and brings the state up to it: what was withdrawn,
// objected to or erased since a backup happens again, before reads are served (L11).
func (h *Host) openJournal(ctx context.Context) (err error) {
	o := seglog.Options{FS: h.disk.FS, Log: h.opts.Log, SegmentBytes: h.opts.segmentBytes}
	if h.journal, err = seglog.Open(h.disk.path("log", "book"), o); err != nil {
		return err
	}
	v, err := get(h.db, meta(metaJournal))
	if err != nil {
		return err
	}
	from := uint64(1)
	if len(v) == 8 {
		from = binary.BigEndian.Uint64(v)
	}
	if next := h.journal.Next(); from > next {
		return fmt.Errorf("damaged folder %s: the journal ends at entry %d, but %d were written", h.disk.path("log", "book"), next-1, from-1)
	}
	if first := h.journal.Segments()[0].First; from < first {
		return fmt.Errorf("the state store is older than the book's journal, which goes back %d days: it lacks entries %d to %d, and a newer backup is needed",
			backupDays, from, first-1)
	}
	err = h.journal.Scan(from, func(_ place, n uint64, b []byte) error {
		if blank(b) {
			return nil
		}
		var j jot
		if err := json.Unmarshal(b, &j); err != nil {
			return fmt.Errorf("entry %d of the book's journal: %w", n, err)
		}
		if err := h.again(j); err != nil {
			return fmt.Errorf("doing entry %d of the book's journal again: %w", n, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if h.restored != (Restored{}) {
		h.opts.Log.Warn("the state store was older than the book: its journal was replayed", "records", h.restored.Records,
			"lists", h.restored.Lists, "erasures", h.restored.Erasures)
	}
	if err := h.sequence(ctx); err != nil {
		h.opts.Log.Error("growing the ledger failed; trying again", "err", err)
	}
	return nil
}

// Restored says what was replayed when the folder was opened.
func (h *Host) Restored() Restored { return h.restored }

// again does one entry, unless the state has it.
func (h *Host) again(j jot) error {
	switch j.Op {
	case "record":
		return h.recordAgain(j)
	case "list":
		return h.listAgain(j)
	case "suppression":
		return h.suppressAgain(j)
	case "opening":
		return h.openingAgain(j)
	case "erasure":
		return h.eraseAgain(j)
	}
	return fmt.Errorf("unknown entry %q", j.Op)
}

func (h *Host) recordAgain(j jot) error {
	var rec consent.Record
	if err := json.Unmarshal(j.Content, &rec); err != nil {
		return err
	}
	known, err := get(h.db, key(tabRecordID, []byte(rec.RecordID)))
	if err != nil || known != nil || h.buried(rec.Subject) {
		return err
	}
	leaf, err := j.leaf()
	if err != nil {
		return err
	}
	salt, err := hex.DecodeString(j.Salt)
	if err != nil {
		return err
	}
	unlock, devices, err := h.lockWithDevices(rec.Subject)
	if err != nil {
		return err
	}
	defer unlock()
	was, err := h.lockedState(rec.Subject)
	if err != nil {
		return err
	}
	next := stored{was.Apply(rec), j.Scope}
	changed, err := h.withoutGround(was.State, next.State, rec, append(devices, rec.Subject))
	if err != nil {
		return err
	}
	err = h.save(func(b *pebble.Batch) error {
		return h.bookInto(b, was, next, rec, [32]byte(salt), leaf, j.Content, changed)
	})
	if err != nil {
		return err
	}
	h.people.of(rec.Subject).keepState(rec.Subject, next)
	for who, p := range changed {
		h.people.of(who).keepProfile(who, p, false)
	}
	h.restored.Records++
	return nil
}

func (h *Host) listAgain(j jot) error {
	if j.Entry == nil || h.buried(j.Subject) {
		return nil
	}
	defer h.people.lock(j.Subject)()
	was, err := h.lockedState(j.Subject)
	if err != nil || j.Entry.Version <= was.Version {
		return err
	}
	next := stored{was.Note(*j.Entry), j.Scope}
	err = h.save(func(b *pebble.Batch) error {
		return errors.Join(listInto(b, next, *j.Entry), b.Set(key(tabWithdrawn, j.Subject[:]), u64(j.Entry.Version), nil))
	})
	if err == nil {
		h.people.of(j.Subject).keepState(j.Subject, next)
		h.restored.Lists++
	}
	return err
}

// openingAgain keeps an opening and lets the sequencer find its leaf.
func (h *Host) openingAgain(j jot) error {
	known, err := get(h.db, key(tabOpening, []byte(j.ID)))
	if err != nil || known != nil {
		return err
	}
	h.restored.Openings++
	return h.save(func(b *pebble.Batch) error { return h.reopen(b, j) })
}

func (h *Host) reopen(b *pebble.Batch, j jot) error {
	leaf, err := j.leaf()
	if err != nil {
		return err
	}
	salt, err := hex.DecodeString(j.Salt)
	return errors.Join(err,
		b.Set(key(tabOpening, []byte(j.ID)), append(salt, j.Content...), nil),
		b.Set(key(tabQueue, u64(h.queued.Add(1))), append(leaf[:], j.ID...), nil))
}

// eraseAgain erases what the backup brought back of a subject.
func (h *Host) eraseAgain(j jot) error {
	if j.Burial == nil || len(j.Burial.Mark) != len(grave{}) {
		return errors.New("an erasure without its mark")
	}
	m := grave(j.Burial.Mark)
	known, err := get(h.db, key(tabOpening, []byte(j.ID)))
	if err != nil || known != nil { // it comes last: a crash may leave a grave without it
		return err
	}
	s, err := h.marked(m)
	if err != nil {
		return err
	}
	if !s.IsZero() {
		if err := h.eraseFound(s, j); err != nil {
			return err
		}
	}
	h.graves.add(m)
	h.restored.Erasures++
	return h.save(func(b *pebble.Batch) error {
		err := errors.Join(h.reopen(b, j), b.Set(key(tabGrave, m[:]), []byte(j.ID), nil), b.Set(meta(metaScrub), []byte{1}, nil))
		for _, p := range j.Burial.Sealed {
			err = errors.Join(err, b.Set(p.Key, p.Value, nil))
		}
		return err
	})
}

func (h *Host) eraseFound(s consent.Subject, j jot) error {
	var t ledger.Tombstone
	if err := json.Unmarshal(j.Content, &t); err != nil {
		return err
	}
	unlock, devices, err := h.lockWithDevices(s)
	if err != nil {
		return err
	}
	defer unlock()
	e := &erasing{Host: h, s: s, at: t.Time}
	return e.run(devices, &t)
}

// marked finds the subject of a mark, or zero.
func (h *Host) marked(m grave) (found consent.Subject, err error) {
	look := func(s consent.Subject) bool {
		if h.keys.graveOf(s) == m {
			found = s
		}
		return found.IsZero()
	}
	err = each(h.db, []byte{tabState}, after([]byte{tabState}), func(k, _ []byte) (bool, error) {
		return len(k) != 17 || look(consent.Subject(k[1:])), nil
	})
	if err != nil || !found.IsZero() {
		return found, err
	}
	err = each(h.db, []byte{tabID}, after([]byte{tabID}), func(_, v []byte) (bool, error) {
		return len(v) != 16 || look(consent.Subject(v)), nil
	})
	return found, err
}

// blank reports a record that Scrub emptied.
func blank(b []byte) bool { return len(b) > 0 && b[0] == ' ' }
