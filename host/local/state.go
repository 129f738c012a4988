package local

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"

	"github.com/handschlag/handschlag/flow"
)

// The tables of DATA/state: the first byte of a key. Numbers are big-endian, so
// that keys sort as the numbers do.
const (
	tabID          = 'i'          // HMAC of tenant, scope, id → subject
	tabLink        = 'l'          // device → account, time
	tabDevice      = 'L'          // account, device → nothing
	tabState       = 's'          // subject → consent state, scope
	tabRecord      = 'r'          // subject, version → salt, canonical record
	tabRecordID    = 'R'          // record id → subject, version
	tabQueue       = 'q'          // number → leaf, record id: not yet in the ledger
	tabIndex       = 'x'          // record id → index in the ledger
	tabWithdrawn   = 'z'          // subject → version: rows to look through at the next compaction
	tabList        = 'j'          // list, subject, version → entry
	tabSuppressed  = 'u'          // keyed hash of an id's hash, channel → time; never deleted with a subject
	tabProfile     = 'p'          // subject → profile
	tabCount       = 'c'          // hour, name → count
	tabCase        = 'k'          // case id → case
	tabDecision    = 'd'          // decision id → place
	tabByTime      = 'T'          // time, n, both falling → place
	tabBySubject   = 'S'          // subject, then the same
	tabByRule      = 'U'          // rule, 0, then the same
	tabByAction    = 'A'          // action, 0, then the same
	tabDocument    = 'D'          // digest → document
	tabContact     = 'h'          // contact id → contact
	tabToken       = 't'          // token key → contact id
	tabAdviser     = 'a'          // name → adviser
	tabSwitch      = 'w'          // name → switch
	tabProduct     = 'o'          // product id → product
	tabPrice       = 'e'          // product, storefront, channel, currency → history
	tabMember      = 'm'          // publication number, subject → membership
	tabDay         = 'E'          // ingest day → what its Parquet file holds
	tabGrave       = 'G'          // keyed hash of an erased subject → erasure id
	tabOpening     = 'O'          // id → salt, content: of leaves that are no consent record
	tabSealed      = 'K'          // keyed hash of a record id → until, sealed proof
	tabOutbox      = 'J'          // number → list entry that is not yet in the journal
	tabMeta        = 'M'          // name → value
	metaQueue      = "queue"      // number of the next queue entry
	metaIntegrated = "integrated" // leaves of the ledger that are indexed
	metaHead       = "head"       // n, hash and number of the last indexed decision record
	metaProfiles   = "profiles"   // number of the first event that profiles may lack
	metaProducts   = "products"   // version of the catalogue
	metaNight      = "night"      // number and content of the publication
	metaCompacted  = "compacted"  // time of the last compaction, Unix ms
	metaJournal    = "journal"    // number of the first journal entry that the state may lack
	metaScrub      = "scrub"      // something was erased whose bytes still lie somewhere
	metaScrubbing  = "scrubbing"  // a night removes them, or did not finish
	metaScrubbed   = "scrubbed"   // written so that Pebble has something to flush
	metaFloor      = "floor"      // it is noted where the decision chain begins
	metaDistrust   = "distrust"   // why no consent may be relied on
	metaFirstDay   = "first-day"  // ingest days before it are gone
)

// key joins a table and parts.
func key(table byte, parts ...[]byte) []byte {
	n := 1
	for _, p := range parts {
		n += len(p)
	}
	k := append(make([]byte, 0, n), table)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func meta(name string) []byte { return key(tabMeta, []byte(name)) }

// after is the smallest key behind all that begin with prefix.
func after(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// openState opens Pebble in DATA/state. Counters are merged by adding.
func openState(d *disk, under *stateFS, plain bool, log *slog.Logger, fatal func(string)) (*pebble.DB, error) {
	o := &pebble.Options{
		MaxManifestFileSize: 1, // a manifest ends when as many files changed as there are, whatever its size
		FS:                  under, FormatMajorVersion: pebble.FormatNewest, CacheSize: 32 << 20, MemTableSize: 16 << 20,
		Logger: stateLogger{log, fatal}, Merger: &pebble.Merger{Name: "handschlag.add", Merge: newSum},
	}
	o.EventListener = &pebble.EventListener{DataCorruption: func(i pebble.DataCorruptionInfo) { // the reader gets an error too
		says, _, _ := strings.Cut(fmt.Sprint(i.Details), "\n") // a stack trace follows
		log.Error("damaged state store", "file", i.Path, "says", says)
	}}
	for i := range o.Levels {
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
	}
	// What sinks to the bottom stays; above it, time counts for more than space.
	o.Levels[len(o.Levels)-1].Compression = func() *sstable.CompressionProfile { return sstable.ZstdCompression }
	for i := range o.Levels {
		if plain {
			o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
		}
	}
	db, err := pebble.Open(d.path("state"), o)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", d.path("state"), err)
	}
	return db, nil
}

// stateLogger passes on what Pebble has to say. Pebble is fatal when its
// write-ahead log fails: then nobody knows what is durable, and the process ends
// rather than answer.
type stateLogger struct {
	log   *slog.Logger
	fatal func(string)
}

func (stateLogger) Infof(string, ...any) {}
func (l stateLogger) Errorf(format string, args ...any) {
	says, _, _ := strings.Cut(fmt.Sprintf(format, args...), "\n")
	l.log.Error("state store", "says", says)
}
func (l stateLogger) Fatalf(format string, args ...any) { l.fatal(fmt.Sprintf(format, args...)) }

func exit(log *slog.Logger) func(string) {
	return func(what string) {
		log.Error("the state store cannot write any more; ending", "cause", what)
		os.Exit(1)
	}
}

// sum adds counters.
type sum int64

func newSum(_, value []byte) (pebble.ValueMerger, error) {
	s := new(sum)
	return s, s.MergeNewer(value)
}

func (s *sum) MergeNewer(value []byte) error {
	n, w := binary.Varint(value)
	if w != len(value) {
		return errors.New("a counter is not a number")
	}
	*s += sum(n)
	return nil
}
func (s *sum) MergeOlder(value []byte) error { return s.MergeNewer(value) }
func (s *sum) Finish(bool) ([]byte, io.Closer, error) {
	return binary.AppendVarint(nil, int64(*s)), nil, nil
}

// get reads one value, nil if there is none.
func get(r pebble.Reader, k []byte) ([]byte, error) {
	v, done, err := r.Get(k)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading state store: %w", err)
	}
	out := append(make([]byte, 0, len(v)), v...)
	return out, done.Close()
}

// getJSON reads one value; flow.ErrNotFound if there is none.
func getJSON(r pebble.Reader, k []byte, into any) error {
	v, err := get(r, k)
	if err != nil {
		return err
	}
	if v == nil {
		return flow.ErrNotFound
	}
	if err := json.Unmarshal(v, into); err != nil {
		return fmt.Errorf("state store holds an unreadable value: %w", err)
	}
	return nil
}

// each calls do for every key in [from, to), in order, until it says stop.
func each(r pebble.Reader, from, to []byte, do func(k, v []byte) (more bool, err error)) error {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	if err != nil {
		return fmt.Errorf("reading state store: %w", err)
	}
	more := true
	for ok := it.First(); ok && more && err == nil; ok = more && it.Next() {
		var v []byte
		if v, err = it.ValueAndErr(); err == nil {
			more, err = do(it.Key(), v)
		}
	}
	if err = errors.Join(err, it.Error(), it.Close()); err != nil {
		return fmt.Errorf("reading state store: %w", err)
	}
	return nil
}

// under calls do for every key of a table that begins with prefix.
func under(r pebble.Reader, prefix []byte, do func(k, v []byte) error) error {
	return each(r, prefix, after(prefix), func(k, v []byte) (bool, error) { return true, do(k, v) })
}

// save makes changes durable together, and counts them as promised. What is in the
// store but not counted ends the process: callers would go on from what they knew
// before, and write over it.
func (h *Host) save(change func(*pebble.Batch) error) error {
	empty := false
	err := h.commit(pebble.Sync, func(b *pebble.Batch) error {
		if err := change(b); err != nil {
			return err
		}
		if empty = b.Empty(); empty {
			return nil
		}
		return h.promised.one(b)
	})
	if err != nil || empty {
		return err
	}
	if err := h.promised.kept(); err != nil {
		h.opts.fatal(err.Error())
		return err
	}
	return nil
}

// commit writes changes together. Without sync a crash may take them back.
func (h *Host) commit(how *pebble.WriteOptions, change func(*pebble.Batch) error) error {
	b := h.db.NewBatch()
	if err := change(b); err != nil {
		return errors.Join(err, b.Close())
	}
	if b.Empty() {
		return b.Close()
	}
	if err := b.Commit(how); err != nil {
		return errors.Join(fmt.Errorf("writing state store: %w", err), b.Close())
	}
	return b.Close()
}

// saveJSON makes one value durable.
func (h *Host) saveJSON(k []byte, value any) error {
	v, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return h.save(func(b *pebble.Batch) error { return b.Set(k, v, nil) })
}
