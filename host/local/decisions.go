package local

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/local/seglog"
)

type place = seglog.Place

// chain is where the next decision record goes. mu makes the order in the log
// that of the chain.
type chain struct {
	mu     sync.Mutex
	writer string
	n      uint64
	prev   string // hex hash of record n

	saving sync.Mutex
	saved  uint64 // Next of the head in the store
}

// AppendDecision chains the record, puts it in the log and returns once it is
// synced: a decision that cannot be logged is none (OPS-01). The index is not
// synced: it is made again from the log at open.
func (h *Host) AppendDecision(ctx context.Context, r *decide.Record) error {
	if err := h.full(); err != nil {
		return fmt.Errorf("appending decision: %w", err)
	}
	ticket, err := h.enqueue(r)
	if err != nil {
		return fmt.Errorf("appending decision: %w", err)
	}
	p, err := ticket.Wait(context.WithoutCancel(ctx)) // a record in the log must get into the index
	if err != nil {
		return fmt.Errorf("appending decision: %w", err)
	}
	if err := h.commit(pebble.NoSync, func(b *pebble.Batch) error { return index(b, r, p) }); err != nil {
		return fmt.Errorf("indexing decision: %w", err)
	}
	return nil
}

func (h *Host) enqueue(r *decide.Record) (seglog.Ticket, error) {
	h.chain.mu.Lock()
	defer h.chain.mu.Unlock()
	if h.buried(r.Subject) { // erased while it was being decided
		r.Subject = consent.Subject{}
	}
	r.Writer, r.N, r.Prev = h.chain.writer, h.chain.n+1, h.chain.prev
	b, err := json.Marshal(r)
	if err != nil {
		return seglog.Ticket{}, err
	}
	hash := r.Hash()
	ticket := h.decisions.Enqueue(b)
	h.chain.n, h.chain.prev = r.N, hex.EncodeToString(hash[:])
	return ticket, nil
}

// newest turns time and n into bytes that sort the newest record first.
func newest(r *decide.Record) []byte {
	return append(u64(^(uint64(r.Time.UnixNano()) ^ 1<<63)), u64(^r.N)...)
}

func placeBytes(p place) []byte {
	return binary.BigEndian.AppendUint32(append(u64(p.Segment), u64(p.Offset)...), p.Index)
}

func readPlace(b []byte) (place, error) {
	if len(b) != 20 {
		return place{}, errors.New("unreadable place of a decision")
	}
	return place{Segment: binary.BigEndian.Uint64(b), Offset: binary.BigEndian.Uint64(b[8:]), Index: binary.BigEndian.Uint32(b[16:])}, nil
}

// index notes where a record lies under everything it is searched by.
func index(b *pebble.Batch, r *decide.Record, p place) error {
	var err error
	for _, k := range indexKeys(r) {
		err = errors.Join(err, b.Set(k, placeBytes(p), nil))
	}
	return err
}

// head is where the index stands: the record that a checkpoint of it covers.
type head struct {
	N    uint64 `json:"n"`
	Prev string `json:"hash"`
	Next uint64 `json:"next"` // number in the log of the record after
}

// openChain indexes what the log has beyond the last saved head, and follows the
// chain through it: a record that does not follow the one before is damage.
func (h *Host) openChain() error {
	var at head
	if err := getJSON(h.db, meta(metaHead), &at); err != nil && !errors.Is(err, flow.ErrNotFound) {
		return err
	}
	h.chain.n, h.chain.prev, h.chain.saved = at.N, at.Prev, at.Next
	b := h.db.NewBatch()
	err := h.decisions.Scan(at.Next, func(p place, n uint64, record []byte) error {
		var r decide.Record
		if err := json.Unmarshal(record, &r); err != nil {
			return fmt.Errorf("decision log segment %d, frame at %d: %w", p.Segment, p.Offset, err)
		}
		if r.N != h.chain.n+1 || r.Prev != h.chain.prev || r.Writer != h.chain.writer {
			return fmt.Errorf("decision log segment %d, frame at %d: record %d does not follow record %d", p.Segment, p.Offset, r.N, h.chain.n)
		}
		hash := r.Hash()
		h.chain.n, h.chain.prev = r.N, hex.EncodeToString(hash[:])
		return index(b, &r, p)
	})
	if err != nil {
		return errors.Join(err, b.Close())
	}
	if err := b.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("indexing decisions: %w", err)
	}
	return errors.Join(b.Close(), h.saveHead(h.chainHead()), h.noteFloor())
}

// chainHead is where the chain stands now.
func (h *Host) chainHead() head {
	h.chain.mu.Lock()
	defer h.chain.mu.Unlock()
	return head{h.chain.n, h.chain.prev, h.decisions.Next()}
}

// saveHead notes that the index holds every record up to a head: opening begins
// there. It only goes forward: what lies before may be dropped.
func (h *Host) saveHead(at head) error {
	h.chain.saving.Lock()
	defer h.chain.saving.Unlock()
	if at.Next < h.chain.saved {
		return nil
	}
	if err := h.saveJSON(meta(metaHead), at); err != nil {
		return err
	}
	h.chain.saved = at.Next
	return nil
}

// Decision finds one record.
func (h *Host) Decision(_ context.Context, id string) (decide.Record, error) {
	v, err := get(h.db, key(tabDecision, []byte(id)))
	if err != nil {
		return decide.Record{}, err
	}
	if v == nil {
		return decide.Record{}, fmt.Errorf("decision: %w", flow.ErrNotFound)
	}
	return h.decisionAt(v)
}

func (h *Host) decisionAt(v []byte) (r decide.Record, err error) {
	p, err := readPlace(v)
	if err != nil {
		return r, err
	}
	b, err := h.decisions.At(p)
	if errors.Is(err, fs.ErrNotExist) && p.Segment < h.decisions.Segments()[0].Number {
		return r, fmt.Errorf("decision: %w", flow.ErrNotFound) // dropped while somebody looked
	}
	if err != nil {
		return r, fmt.Errorf("reading decision: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("reading decision: %w", err)
	}
	return h.readable(r), nil
}

// readable is a record as far as anybody may read it: of one about an erased
// subject nothing is left, even before its bytes are gone.
func (h *Host) readable(r decide.Record) decide.Record {
	if h.buried(r.Subject) {
		return flow.Redacted(r)
	}
	return r
}

// shown is the same of a record's bytes.
func (h *Host) shown(b []byte) ([]byte, error) {
	if !h.graves.any() {
		return b, nil
	}
	var about struct {
		Subject consent.Subject `json:"subject"`
	}
	if err := json.Unmarshal(b, &about); err != nil || !h.buried(about.Subject) {
		return b, err
	}
	var r decide.Record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, err
	}
	return json.Marshal(flow.Redacted(r))
}

// ReadDecisions gives every record that is kept, in the order of the chain.
func (h *Host) ReadDecisions(context.Context) (out []decide.Record, err error) {
	err = h.decisions.Scan(0, func(_ place, _ uint64, b []byte) error {
		var r decide.Record
		err := json.Unmarshal(b, &r)
		out = append(out, h.readable(r))
		return err
	})
	return out, err
}

// The limits of a search.
const (
	searchDefault = 50
	searchMost    = 500
)

// SearchDecisions goes through the index that narrows most. The cursor is the
// last record's time and n; records that come later do not move what follows it.
func (h *Host) SearchDecisions(_ context.Context, q flow.DecisionQuery) ([]decide.Record, string, error) {
	prefix := searchPrefix(q)
	from, to := after0(prefix, q.To), beyond(prefix, q.From)
	if q.Cursor != "" {
		c, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		if err != nil || len(c) != 16 {
			return nil, "", errors.New("searching decisions: the cursor is not one of ours")
		}
		if next := append(append(bytes.Clone(prefix), c...), 0); bytes.Compare(next, from) > 0 {
			from = next
		}
	}
	limit := q.Limit
	if limit <= 0 {
		limit = searchDefault
	}
	limit = min(limit, searchMost)
	var out []decide.Record
	cursor, more := "", false
	err := each(h.db, from, to, func(k, v []byte) (bool, error) {
		r, err := h.decisionAt(v)
		if errors.Is(err, flow.ErrNotFound) {
			return true, nil
		}
		if err != nil || !fits(q, &r) {
			return true, err
		}
		if len(out) == limit {
			more = true
			return false, nil
		}
		out = append(out, r)
		cursor = base64.RawURLEncoding.EncodeToString(k[len(k)-16:])
		return true, nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("searching decisions: %w", err)
	}
	if !more {
		cursor = ""
	}
	return out, cursor, nil
}

func searchPrefix(q flow.DecisionQuery) []byte {
	switch {
	case !q.Subject.IsZero():
		return key(tabBySubject, q.Subject[:])
	case q.Rule != "":
		return key(tabByRule, []byte(q.Rule), []byte{0})
	case q.Action != "":
		return key(tabByAction, []byte(q.Action), []byte{0})
	}
	return key(tabByTime)
}

// after0 is the first key of records before a time; zero time means all.
func after0(prefix []byte, to time.Time) []byte {
	if to.IsZero() {
		return prefix
	}
	return append(bytes.Clone(prefix), u64(^(uint64(to.UnixNano()-1) ^ 1<<63))...)
}

// beyond is the first key of records older than a time; zero time means all.
func beyond(prefix []byte, from time.Time) []byte {
	if from.IsZero() {
		return after(prefix)
	}
	return append(bytes.Clone(prefix), u64(^(uint64(from.UnixNano()-1) ^ 1<<63))...)
}

func fits(q flow.DecisionQuery, r *decide.Record) bool {
	return (q.Action == "" || r.Action == q.Action) && (q.Subject == consent.Subject{} || r.Subject == q.Subject) &&
		(q.Rule == "" || slices.Contains(r.Rules, q.Rule)) && (q.From.IsZero() || !r.Time.Before(q.From)) &&
		(q.To.IsZero() || r.Time.Before(q.To))
}

// PutDocument keeps a document under its digest, once.
func (h *Host) PutDocument(_ context.Context, digest string, body []byte) error {
	k := key(tabDocument, []byte(digest))
	if known, err := get(h.db, k); err != nil || bytes.Equal(known, body) && known != nil {
		return err
	}
	if err := h.save(func(b *pebble.Batch) error { return b.Set(k, body, nil) }); err != nil {
		return fmt.Errorf("keeping document: %w", err)
	}
	return nil
}

// Document finds one.
func (h *Host) Document(_ context.Context, digest string) ([]byte, error) {
	v, err := get(h.db, key(tabDocument, []byte(digest)))
	if err == nil && v == nil {
		err = fmt.Errorf("document: %w", flow.ErrNotFound)
	}
	return v, err
}
