package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/local/seglog"
)

// Options say how to open a data folder.
type Options struct {
	Clock  func() time.Time // server time; only fsync and retry timers run on the real clock
	Tenant string
	Log    *slog.Logger
	Retain Retain
	// Restored says that the state store was put back from a backup on purpose: it
	// may be older than what was acknowledged. Everything else must be the newest.
	Restored bool
	// Invalid are banners whose consents stopped counting (CON-06): what rests on
	// them leaves snapshots, stored rows and profiles.
	Invalid consent.Invalidations

	fs           vfs.FS       // tests cut its power
	fatal        func(string) // tests do not want to end
	segmentBytes int64
	batchMost    int
	plain        bool // tests look through the state store's files
}

// Host is an open data folder.
type Host struct {
	opts    Options
	disk    *disk
	lock    io.Closer
	keys    *secrets
	db      *pebble.DB
	stateFS *stateFS

	events    *seglog.Log
	decisions *seglog.Log
	journal   *seglog.Log
	ledger    ledger.Store

	people   people
	ids      idMap
	promised promised
	tally    tally
	graves   graves
	chain    chain
	desk     desk

	shop     sync.Mutex // products, prices and publications change one at a time
	products atomic.Uint64
	night    atomic.Pointer[published]

	seq    sync.Mutex // the ledger grows and is compared one at a time
	seqErr atomic.Pointer[error]
	queued atomic.Uint64
	wake   chan struct{}

	flushing   sync.Mutex // writing behind
	compacting sync.Mutex
	crowded    atomic.Bool // the disk is almost full
	restored   Restored
	distrusted atomic.Pointer[string]

	stop   chan struct{}
	work   sync.WaitGroup
	closed sync.Once
}

var _ flow.Host = (*Host)(nil)

// Open opens or makes the data folder dir. Whoever has it open is alone; an
// error is one line that says what is wrong with which file.
func Open(ctx context.Context, dir string, opts Options) (*Host, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.batchMost == 0 {
		opts.batchMost = batchMost
	}
	if opts.fatal == nil {
		opts.fatal = exit(opts.Log)
	}
	h := &Host{opts: opts, disk: newDisk(opts.fs, dir), wake: make(chan struct{}, 1), stop: make(chan struct{})}
	if err := h.open(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening data folder %s: %w", dir, err), h.release())
	}
	h.work.Go(func() { h.flusher(h.stop) })
	h.work.Go(func() { h.sequencer(h.stop) })
	h.wakeSequencer()
	return h, nil
}

func (h *Host) open(ctx context.Context) error {
	if err := h.occupy(); err != nil {
		return err
	}
	f, made, err := openFormat(h.disk, h.opts.Tenant)
	if err != nil {
		return err
	}
	if err := h.disk.clear(); err != nil {
		return fmt.Errorf("the folder is not writable: %w", err)
	}
	if h.keys, err = openSecrets(h.disk, h.opts.Tenant, made); err != nil {
		return err
	}
	if err := h.openState(made); err != nil {
		return err
	}
	if !made {
		if f, err = h.found(f); err != nil {
			return err
		}
	}
	h.chain.writer = f.Writer
	return h.openStores(ctx)
}

// occupy makes the folder and locks it.
func (h *Host) occupy() error {
	if err := h.disk.MkdirAll(h.disk.dir, 0o700); err != nil {
		return fmt.Errorf("the folder cannot be made: %w", err)
	}
	if err := h.writable(); err != nil {
		return fmt.Errorf("the folder is not writable: %w", err)
	}
	if err := h.disk.sync(h.disk.PathDir(h.disk.dir)); err != nil {
		return fmt.Errorf("the folder's entry cannot be synced: %w", err)
	}
	lock, err := h.disk.Lock(h.disk.path("LOCK"))
	if err != nil {
		return fmt.Errorf(`it is in use by another process; while "handschlag serve" runs, other commands reach it through %s (%w)`,
			h.disk.path("admin.sock"), err)
	}
	h.lock = lock
	return nil
}

// writable tries it: rights, a read-only disk and a file in the way all show.
func (h *Host) writable() error {
	probe := h.disk.path(".probe-" + strconv.Itoa(os.Getpid()))
	f, err := h.disk.Create(probe, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), h.disk.FS.Remove(probe))
}

// openStores opens logs and ledger, and catches up with what a crash left.
func (h *Host) openStores(ctx context.Context) (err error) {
	o := seglog.Options{FS: h.disk.FS, Log: h.opts.Log, SegmentBytes: h.opts.segmentBytes}
	if h.events, err = seglog.Open(h.disk.path("log", "events"), o); err != nil {
		return err
	}
	if h.decisions, err = seglog.Open(h.disk.path("log", "decisions"), o); err != nil {
		return err
	}
	h.ledger = &ledgerStore{disk: h.disk}
	if err := h.openLedger(ctx); err != nil {
		return err
	}
	bring := func() error { return h.openJournal(ctx) } // before anybody reads, and before events are caught up
	for _, step := range []func() error{h.queueAt, h.openDesk, h.openShop, h.openGraves, h.openTrust, bring, h.openChain, h.catchUp, h.sweepDays} {
		if err := step(); err != nil {
			return err
		}
	}
	h.watchSpace()
	return nil
}

// openState makes the folders and opens the state store, as whole as it was promised.
func (h *Host) openState(made bool) (err error) {
	for _, dir := range []string{"state", "log", "events", "ledger", "night", "exports"} {
		if err := h.disk.folder(h.disk.path(dir)); err != nil {
			return fmt.Errorf("making folder: %w", err)
		}
	}
	if err := h.disk.sync(h.disk.dir); err != nil {
		return fmt.Errorf("syncing folder: %w", err)
	}
	h.stateFS = newStateFS(h.disk)
	if h.db, err = openState(h.disk, h.stateFS, h.opts.plain, h.opts.Log, h.opts.fatal); err != nil {
		return err
	}
	return h.openPromised(made)
}

// release closes what is open, the lock last.
func (h *Host) release() error {
	var err error
	for _, l := range []*seglog.Log{h.events, h.decisions, h.journal} {
		if l != nil {
			err = errors.Join(err, l.Close())
		}
	}
	err = errors.Join(err, h.promised.close())
	if h.db != nil {
		err = errors.Join(err, h.db.Close())
	}
	if h.lock != nil {
		err = errors.Join(err, h.lock.Close())
	}
	return err
}

// Close writes behind what is only in memory, waits for what was accepted to be
// durable, lets the ledger cover it, and gives the folder back.
func (h *Host) Close() (err error) {
	h.closed.Do(func() {
		close(h.stop)
		h.work.Wait()
		err = errors.Join(h.flush(h.events.Next()), h.lastSequence(), h.saveHead(h.chainHead()), h.db.Flush(), h.release())
	})
	if err != nil {
		return fmt.Errorf("closing data folder: %w", err)
	}
	return nil
}

// lastSequence lets the ledger cover what waits, unless it is known not to be the book's.
func (h *Host) lastSequence() error {
	err := h.sequence(context.Background())
	if h.trusted() != nil {
		return nil // said already, and again at the next open
	}
	return err
}

// Keys gives the tenant's secrets.
func (h *Host) Keys() flow.Keys { return h.keys.Keys }

// Ready says why the host cannot serve: a poisoned log, a ledger that does not
// grow, a full disk.
func (h *Host) Ready(context.Context) error {
	err := errors.Join(h.events.Err(), h.decisions.Err(), h.journal.Err(), h.full(), h.trusted())
	if e := h.seqErr.Load(); e != nil {
		err = errors.Join(err, *e)
	}
	return err
}

// errFull says that writing goes on once there is room.
var errFull = errors.New("the disk is almost full")

// reserve is what must stay free: the log and the state store cannot take back
// half of a write, so they are never brought to the disk's end.
const reserve = 64 << 20

func (h *Host) full() error {
	if h.crowded.Load() {
		return errFull
	}
	return nil
}

// watchSpace looks how much room is left.
func (h *Host) watchSpace() {
	if !h.disk.real() {
		return
	}
	usage, err := h.disk.GetDiskUsage(h.disk.dir)
	if err != nil {
		h.opts.Log.Error("asking for disk space failed", "err", err)
		return
	}
	if now := usage.AvailBytes < reserve; h.crowded.Swap(now) != now {
		h.opts.Log.Warn("disk space", "almost_full", now, "free_bytes", usage.AvailBytes)
	}
}

// found makes a new folder's format file, after its keys.
func (h *Host) found(f format) (format, error) {
	s, err := random()
	if err != nil {
		return f, err
	}
	f.Writer = s
	body, err := json.Marshal(f)
	if err != nil {
		return f, err
	}
	if err := h.disk.replaceBytes(h.disk.path("format"), false, append(body, '\n')); err != nil {
		return f, fmt.Errorf("writing format: %w", err)
	}
	return f, nil
}
