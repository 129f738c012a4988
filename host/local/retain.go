package local

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/host/local/seglog"
	"github.com/handschlag/handschlag/host/snapshot"
)

// Retain says for how many days before the last published night something is kept;
// 0 is for ever.
type Retain struct {
	EventDays    int // whole ingest days
	DecisionDays int // whole segments of the decision log
	ListYears    int // objections and restrictions that a later entry replaced, to the end of the year; 0: for ever
	ProofYears   int // sealed proofs of erased subjects, to the end of the year; 0: none are made
}

// retain lets go of what is older than a published night needs. The night has seen
// it by then: features outlive the events that they were made of. What fails is
// tried again by the next night.
func (h *Host) retain(asOf time.Time) error {
	if asOf.IsZero() || h.opts.Retain == (Retain{}) {
		return nil
	}
	h.compacting.Lock()
	defer h.compacting.Unlock()
	return errors.Join(h.retainEvents(asOf.UTC()), h.retainDecisions(asOf.UTC()), h.retainLists(asOf.UTC()), h.expireSealed(asOf.UTC()),
		h.retainJournal(asOf.UTC()))
}

// retainEvents removes closed ingest days. First it is noted that they are gone:
// a crash may leave files, which nobody reads and sweepDays removes; and rows of
// such a day that still lie in the log are not taken in again.
func (h *Host) retainEvents(asOf time.Time) error {
	if h.opts.Retain.EventDays <= 0 {
		return nil
	}
	first := asOf.AddDate(0, 0, -h.opts.Retain.EventDays).Format(time.DateOnly)
	was, err := h.firstDay()
	if err != nil {
		return err
	}
	if first > was {
		err = h.save(func(b *pebble.Batch) error {
			return errors.Join(b.DeleteRange([]byte{tabDay}, key(tabDay, []byte(first)), nil), b.Set(meta(metaFirstDay), []byte(first), nil))
		})
	}
	if err = errors.Join(err, h.sweepDays()); err != nil {
		return fmt.Errorf("removing old events: %w", err)
	}
	return nil
}

// firstDay is the first ingest day of which events may be there, "" if none is gone.
func (h *Host) firstDay() (string, error) {
	v, err := get(h.db, meta(metaFirstDay))
	return string(v), err
}

// sweepDays removes the files of days that are gone.
func (h *Host) sweepDays() error {
	first, err := h.firstDay()
	if err != nil || first == "" {
		return err
	}
	names, err := h.disk.List(h.disk.path("events"))
	if err != nil {
		return fmt.Errorf("listing events: %w", err)
	}
	for _, name := range names {
		if day, is := strings.CutPrefix(name, "dt="); is && day < first {
			err = errors.Join(err, h.disk.RemoveAll(h.disk.path("events", name)))
		}
	}
	return errors.Join(err, h.disk.sync(h.disk.path("events")))
}

// retainDecisions drops segments from the front of the decision log as long as
// every record in them is old enough. The chain then begins with the first record
// that is left: its prev names one that is gone, and the head of the chain says
// where to go on. Each night begins a segment, so that little waits for its end.
func (h *Host) retainDecisions(asOf time.Time) error {
	if h.opts.Retain.DecisionDays <= 0 {
		return nil
	}
	if err := h.decisions.Roll(); err != nil {
		return fmt.Errorf("removing old decisions: %w", err)
	}
	before := asOf.AddDate(0, 0, -h.opts.Retain.DecisionDays)
	segments := h.decisions.Segments()
	for i, next := range segments[1:] {
		at, old, err := h.lastIn(segments[i], next, before)
		if err == nil && !old {
			return nil
		}
		if err == nil {
			err = h.dropDecisions(segments[i], next, at)
		}
		if err != nil {
			return fmt.Errorf("removing old decisions: %w", err)
		}
	}
	return nil
}

// lastIn is the head of the chain behind a finished segment, and whether all
// records in it are from before a time.
func (h *Host) lastIn(s, next seglog.Segment, before time.Time) (at head, old bool, err error) {
	err = h.decisionsIn(s, next, func(_ place, r *decide.Record) error {
		if !r.Time.Before(before) {
			return errEnough
		}
		hash := r.Hash()
		at = head{r.N, hex.EncodeToString(hash[:]), next.First}
		return nil
	})
	if errors.Is(err, errEnough) {
		return head{}, false, nil
	}
	return at, err == nil, err
}

// decisionsIn calls do for the records of a finished segment.
func (h *Host) decisionsIn(s, next seglog.Segment, do func(place, *decide.Record) error) error {
	end := errors.New("the segment ends")
	err := h.decisions.Scan(s.First, func(p place, n uint64, b []byte) error {
		if n >= next.First {
			return end
		}
		var r decide.Record
		if err := json.Unmarshal(b, &r); err != nil {
			return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
		}
		return do(p, &r)
	})
	if errors.Is(err, end) {
		return nil
	}
	return err
}

// dropDecisions takes a segment's records out of the index, then brings the head
// behind it, then removes it: a crash in between leaves records that nobody finds
// and the next night drops.
func (h *Host) dropDecisions(s, next seglog.Segment, at head) error {
	const most = 1000
	b, n := h.db.NewBatch(), 0
	flush := func() error {
		err := h.save(func(into *pebble.Batch) error { return into.Apply(b, nil) })
		b.Reset()
		return err
	}
	err := h.decisionsIn(s, next, func(p place, r *decide.Record) error {
		if err := h.unindex(b, r, p); err != nil {
			return err
		}
		if n++; n%most == 0 {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err = errors.Join(err, b.Close()); err != nil {
		return err
	}
	if at.Next > 0 { // not of an empty segment
		if err := h.saveHead(at); err != nil {
			return err
		}
		if err := h.sealChain(snapshot.ChainSeal{N: at.N, Hash: at.Prev, Dropped: true}); err != nil {
			return err
		}
	}
	return h.decisions.Drop(next.Number)
}

// unindex takes a record out of everything it is searched by.
func (h *Host) unindex(b *pebble.Batch, r *decide.Record, p place) error {
	at := placeBytes(p)
	for _, k := range indexKeys(r) {
		if k[0] == tabDecision { // a later record may have the same id
			if v, err := get(h.db, k); err != nil || !bytes.Equal(v, at) {
				if err != nil {
					return err
				}
				continue
			}
		}
		if err := b.Delete(k, nil); err != nil {
			return err
		}
	}
	return nil
}

// indexKeys are the keys that a record is found under.
func indexKeys(r *decide.Record) [][]byte {
	when := newest(r)
	out := [][]byte{key(tabDecision, []byte(r.ID)), key(tabByTime, when), key(tabByAction, []byte(r.Action), []byte{0}, when)}
	if r.Subject != (consent.Subject{}) {
		out = append(out, key(tabBySubject, r.Subject[:], when))
	}
	for _, rule := range r.Rules {
		out = append(out, key(tabByRule, []byte(rule), []byte{0}, when))
	}
	return out
}
