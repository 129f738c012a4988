package local

import (
	"bufio"
	"context"
	crand "crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// childDir names the folder that a child process works in until it is killed.
const childDir = "HANDSCHLAG_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// child writes from many goroutines and prints what was acknowledged, after it was.
func child(dir string) {
	h, err := Open(context.Background(), dir, options())
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	var out sync.Mutex
	say := func(line string) { out.Lock(); fmt.Println(line); out.Unlock() }
	say("ready")
	if os.Getenv(childCompacts) != "" {
		compactAlways(h, say)
	}
	for w := range 16 {
		go produce(h, uint64(w), func(string) bool { return true }, say)
	}
	select {}
}

// childCompacts makes the child take in rows of many days and compact them.
const childCompacts = "HANDSCHLAG_TEST_CHILD_COMPACTS"

// compactAlways takes rows in, day after day, while snapshots are taken.
func compactAlways(h *Host, say func(string)) {
	var today atomic.Int64
	for range 4 {
		go func() {
			for {
				row := compactedRow(noon.AddDate(0, 0, int(today.Load())))
				if h.AppendEvents(ctx, []event.Row{row, row}) == nil {
					say("row " + hex.EncodeToString(row.Subject[:]))
				}
			}
		}()
	}
	for n := int64(1); ; n++ {
		today.Store(n % 40)
		through := noon.AddDate(0, 0, int(n%40)).Truncate(aDay)
		if err := h.Snapshot(ctx, through, filepath.Join(h.disk.dir, "night", "snapshot")); err != nil {
			say("error " + err.Error())
		}
	}
}

// compactedRow is a row that rests on no consent, of somebody new.
func compactedRow(at time.Time) event.Row {
	row := saw(consent.Subject(newRandom()), 1, at)
	row.Purposes, row.Cases, row.Keeps = int64(consent.SetOf(consent.EssentialService)), []int64{1}, []int64{1}
	return row
}

func newRandom() (b [16]byte) {
	_, _ = crand.Read(b[:]) // never fails
	return b
}

// TestCompactionKilledAnywhereLosesAndDoublesNothing kills a process that takes
// snapshots while rows come in: in the end each row is in one day, once.
func TestCompactionKilledAnywhereLosesAndDoublesNothing(t *testing.T) {
	dir := t.TempDir()
	var acked []string
	t.Setenv(childCompacts, "yes")
	for range 8 {
		acked = append(acked, killed(t, dir, time.Duration(20+rand.IntN(150))*time.Millisecond)...)
	}
	h := openAt(t, dir, options())
	defer func() { ok(t, h.Close()) }()
	night := filepath.Join(t.TempDir(), "snapshot")
	ok(t, h.Snapshot(ctx, noon.AddDate(0, 0, 60), night))
	seen := map[string]int{}
	for _, d := range readManifest(t, night).Days {
		rows, err := parquet.ReadFile[event.Row](d.Path)
		ok(t, err)
		for _, r := range rows {
			seen["row "+hex.EncodeToString(r.Subject[:])]++
		}
	}
	for _, line := range acked {
		if seen[line] != 1 {
			t.Fatalf("of %d acknowledged, %s is there %d times", len(acked), line, seen[line])
		}
	}
	for name, n := range seen {
		if n != 1 {
			t.Fatalf("%s is there %d times", name, n)
		}
	}
	if left, err := h.ReadEvents(ctx); err != nil || len(left) > 0 || len(acked) == 0 {
		t.Fatalf("%d rows are left in the log, %d were acknowledged, %v", len(left), len(acked), err)
	}
	t.Logf("%d acknowledged, %d there", len(acked), len(seen))
}

// failing is a disk whose segment files cannot be synced, or written, while on.
type failing struct {
	vfs.FS
	op    string
	cause error
	on    *atomic.Bool
}

type failingFile struct {
	vfs.File
	*failing
}

func (f failing) Create(n string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(n, c)
	if err == nil && strings.HasSuffix(n, ".seg") {
		return failingFile{file, &f}, nil
	}
	return file, err
}

func (f failingFile) SyncData() error {
	if f.on.Load() && f.op == "sync" {
		return f.cause
	}
	return f.File.SyncData()
}

func (f failingFile) WriteAt(b []byte, at int64) (int, error) {
	if f.on.Load() && f.op == "write" {
		return 0, f.cause
	}
	return f.File.WriteAt(b, at)
}

func TestADiskThatFailsGetsNoYes(t *testing.T) {
	for _, op := range []string{"write", "sync"} {
		for _, cause := range []error{syscall.ENOSPC, syscall.EIO} {
			t.Run(op+" "+cause.Error(), func(t *testing.T) {
				var on atomic.Bool
				mem := vfs.NewMem()
				o := options()
				o.fs = failing{mem, op, cause, &on}
				h := openAt(t, "/data", o)
				good := compactedRow(noon)
				ok(t, h.AppendEvents(ctx, []event.Row{good}))
				on.Store(true)
				decided := h.AppendDecision(ctx, &decide.Record{ID: "d", Input: []byte("{}"), Result: []byte("{}")})
				for _, err := range []error{h.AppendEvents(ctx, []event.Row{compactedRow(noon)}), decided, h.Ready(ctx)} {
					if !errors.Is(err, cause) {
						t.Fatalf("got %v", err)
					}
				}
				on.Store(false) // too late: nobody knows what the disk holds
				if err := h.AppendEvents(ctx, []event.Row{compactedRow(noon)}); !errors.Is(err, cause) {
					t.Fatalf("got %v", err)
				}
				if _, err := h.Decision(ctx, "d"); !errors.Is(err, flow.ErrNotFound) {
					t.Fatalf("got %v", err)
				}
				_ = h.Close()
				o.fs = mem
				h = openAt(t, "/data", o)
				rows, err := h.ReadEvents(ctx)
				ok(t, err)
				if len(rows) == 0 || rows[0].Subject != good.Subject {
					t.Fatalf("rows %v", rows)
				}
				ok(t, h.AppendEvents(ctx, []event.Row{compactedRow(noon)}))
				ok(t, h.Close())
			})
		}
	}
}

// uncounted is a disk on which the count of batches cannot be written while on.
type uncounted struct {
	vfs.FS
	on *atomic.Bool
}

type uncountedFile struct {
	vfs.File
	on *atomic.Bool
}

func (u uncounted) OpenReadWrite(n string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := u.FS.OpenReadWrite(n, c, o...)
	if err == nil && filepath.Base(n) == promisedName {
		return uncountedFile{f, u.on}, nil
	}
	return f, err
}

func (f uncountedFile) WriteAt(b []byte, at int64) (int, error) {
	if f.on.Load() {
		return 0, syscall.EIO
	}
	return f.File.WriteAt(b, at)
}

// TestAWriteThatCannotBeCountedEndsTheProcess: the record is in the store, and
// whoever goes on from what was known before would write over it.
func TestAWriteThatCannotBeCountedEndsTheProcess(t *testing.T) {
	var on, ended atomic.Bool
	mem := vfs.NewMem()
	o := options()
	o.fs, o.fatal = uncounted{mem, &on}, func(string) { ended.Store(true) }
	h := openAt(t, "/data", o)
	who := consent.Subject{1}
	says := func(h *Host, id string) error {
		_, err := h.Append(ctx, who, func(consent.State) (consent.Record, error) {
			return consent.Record{RecordID: id, Event: consent.Act{Time: noon}}, nil
		})
		return err
	}
	on.Store(true)
	if err := says(h, "first"); !errors.Is(err, syscall.EIO) || !ended.Load() {
		t.Fatalf("got %v, the process ended: %v", err, ended.Load())
	}
	on.Store(false)
	_ = h.Close() // stands in for the end
	h = openAt(t, "/data", o)
	defer func() { ok(t, h.Close()) }()
	ok(t, says(h, "second"))
	all, err := h.History(ctx, who)
	ok(t, err)
	if len(all) != 2 || all[0].RecordID != "first" || all[1].RecordID != "second" {
		t.Errorf("history %+v", all)
	}
}

func TestAnAlmostFullDiskTakesNothingAndGoesOnWithRoom(t *testing.T) {
	h := openAt(t, t.TempDir(), options())
	defer func() { ok(t, h.Close()) }()
	h.crowded.Store(true)
	for _, err := range []error{h.AppendEvents(ctx, []event.Row{compactedRow(noon)}), h.AppendDecision(ctx, &decide.Record{}), h.Ready(ctx)} {
		if !errors.Is(err, errFull) {
			t.Fatalf("got %v", err)
		}
	}
	_, err := h.Append(ctx, consent.Subject{1}, func(consent.State) (consent.Record, error) { return consent.Record{RecordID: "no"}, nil })
	ok(t, err) // a withdrawal is taken to the last byte
	h.watchSpace()
	ok(t, h.AppendEvents(ctx, []event.Row{compactedRow(noon)}))
}

// produce writes one thing of each kind after the other while more says so, and
// tells each one's name once it is acknowledged.
func produce(h *Host, seed uint64, more func(string) bool, acked func(string)) {
	r := rand.New(rand.NewPCG(seed, uint64(os.Getpid())))
	for i := 0; ; i++ {
		var who consent.Subject
		for j := range who {
			who[j] = byte(r.Uint32())
		}
		name := hex.EncodeToString(who[:])
		if !more(name) {
			return
		}
		var err error
		kind := []string{"event", "consent", "decision", "event", "contact", "objection", "erasure"}[i%7]
		switch kind {
		case "event":
			row := saw(who, 1, noon)
			if err = h.AppendEvents(ctx, []event.Row{row, saw(who, 2, noon)}); err == nil {
				err = h.UpdateProfile(ctx, who, nil, func(p profile.Profile) profile.Profile { return p.Apply([]event.Event{row.Event()}) })
			}
		case "consent":
			err = consents(h, who, name)
		case "decision":
			err = h.AppendDecision(ctx, &decide.Record{ID: name, Time: noon, Action: decide.ActionPrice, Subject: who, Input: []byte("{}"), Result: []byte("{}")})
		case "contact":
			_, _, err = h.OpenContact(ctx, flow.Contact{ID: name, TokenKey: name, Subject: who})
		case "objection":
			err = h.Object(ctx, who, consent.Profiling, true, noon)
		case "erasure":
			if err = consents(h, who, name); err == nil {
				_, err = h.Erase(ctx, who, noon)
			}
		}
		if err == nil {
			acked(kind + " " + name)
		}
	}
}

func consents(h *Host, who consent.Subject, record string) error {
	_, err := h.Append(ctx, who, func(consent.State) (consent.Record, error) {
		return consent.Record{RecordID: record, Event: consent.Act{Time: noon}, Validity: consent.Validity{Until: noon.Add(aDay)},
			Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Given}}}, nil
	})
	return err
}

// missing says which acknowledged things are not there, and what else is wrong.
func missing(h *Host, acked []string) error {
	rows, err := h.ReadEvents(ctx)
	if err != nil {
		return err
	}
	seen := map[consent.Subject]int{}
	for _, r := range rows {
		seen[r.Subject]++
	}
	var errs []error
	for _, line := range acked {
		kind, name, _ := strings.Cut(line, " ")
		who, err := consent.ParseSubject(name)
		if err != nil {
			return err
		}
		switch kind {
		case "event":
			if seen[who] != 2 {
				err = fmt.Errorf("%d of 2 rows", seen[who])
			}
			if p, e := h.Profile(ctx, who); e != nil || !p.Has([16]byte{1}) {
				err = errors.Join(err, e, errors.New("the profile forgot the message"))
			}
		case "consent":
			st, e := h.State(ctx, who)
			_, e2 := h.Record(ctx, name)
			if err = errors.Join(e, e2); st.Version != 1 {
				err = errors.Join(err, errors.New("no state"))
			}
		case "decision":
			_, err = h.Decision(ctx, name)
		case "contact":
			_, err = h.Contact(ctx, name)
		case "objection":
			st, e := h.State(ctx, who)
			if err = e; !st.Listed(consent.ObjectionList, consent.Profiling) {
				err = errors.Join(err, errors.New("no objection"))
			}
		case "erasure":
			st, e := h.State(ctx, who)
			if _, found := h.Record(ctx, name); e != nil || st.Version != 0 || !errors.Is(found, flow.ErrNotFound) || !h.buried(who) {
				err = errors.Join(e, errors.New("the subject is back"))
			}
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("acknowledged %s: %w", line, err))
		}
	}
	_, err = h.ReplayBook(ctx)
	return errors.Join(append(errs, wholeChain(h), err, h.trusted())...)
}

func wholeChain(h *Host) error {
	records, err := h.ReadDecisions(ctx)
	prev := ""
	for i, r := range records {
		if r.N != uint64(i+1) || r.Prev != prev {
			return fmt.Errorf("decision %d does not follow", r.N)
		}
		hash := r.Hash()
		prev = hex.EncodeToString(hash[:])
	}
	return err
}

func TestNothingAcknowledgedIsLostWhenKilled(t *testing.T) {
	dir := t.TempDir()
	var acked []string
	for round := range 20 {
		acked = append(acked, killed(t, dir, time.Duration(5+rand.IntN(60))*time.Millisecond)...)
		h := openAt(t, dir, options())
		if err := missing(h, acked); err != nil {
			t.Fatalf("round %d, %d acknowledged: %v", round, len(acked), err)
		}
		ok(t, h.Close())
	}
	h := openAt(t, dir, options())
	defer func() { ok(t, h.Close()) }()
	if _, err := ledger.Verify(os.DirFS(dir+"/ledger"), h.keys.signer.Public); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d acknowledged in 20 lives", len(acked))
}

// killed runs a child for a while, kills it, and gives what it acknowledged.
func killed(t *testing.T, dir string, life time.Duration) (acked []string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // a line without an end was not printed whole
		}
		ok(t, err)
		line = strings.TrimSpace(line)
		if line == "ready" {
			time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
			continue
		}
		if strings.HasPrefix(line, "error") {
			t.Fatal(line)
		}
		acked = append(acked, line)
	}
	_ = cmd.Wait() // killed
	return acked
}

// liar is a file system whose fsync does nothing: the planted bug.
type liar struct{ vfs.FS }

type liarFile struct{ vfs.File }

func (liarFile) Sync() error                { return nil }
func (liarFile) SyncData() error            { return nil }
func (liarFile) SyncTo(int64) (bool, error) { return true, nil }
func (l liar) Create(n string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.Create(n, c)
	return lie(f, err)
}
func (l liar) OpenReadWrite(n string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	f, err := l.FS.OpenReadWrite(n, c, o...)
	return lie(f, err)
}
func (l liar) ReuseForWrite(a, b string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.ReuseForWrite(a, b, c)
	return lie(f, err)
}
func (l liar) OpenDir(n string) (vfs.File, error) {
	f, err := l.FS.OpenDir(n)
	return lie(f, err)
}
func lie(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return liarFile{f}, nil
}

// powerCut runs a host on a disk in memory, cuts the power while it works, and
// opens what is left. It gives what was acknowledged before the cut and lost.
func powerCut(t *testing.T, seed uint64, wrap func(vfs.FS) vfs.FS) error {
	r := rand.New(rand.NewPCG(seed, 7))
	mem := vfs.NewCrashableMem()
	acked := []string{}
	for life := range 2 {
		o := options()
		o.fs, o.segmentBytes = wrap(mem), 4000
		h, err := Open(ctx, "/data", o)
		if err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		if err := missing(h, acked); err != nil {
			return errors.Join(fmt.Errorf("life %d: %w", life, err), h.Close())
		}
		mem = cutWhileWorking(h, mem, r, &acked)
		ok(t, h.Close())
	}
	o := options()
	o.fs = wrap(mem)
	h, err := Open(ctx, "/data", o)
	if err != nil {
		return err
	}
	return errors.Join(missing(h, acked), h.Close())
}

func cutWhileWorking(h *Host, mem *vfs.MemFS, r *rand.Rand, acked *[]string) *vfs.MemFS {
	var mu sync.Mutex
	var after *vfs.MemFS
	cutAt := len(*acked) + r.IntN(60)
	var wg sync.WaitGroup
	for _, writer := range []uint64{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()} {
		wg.Go(func() {
			produce(h, writer, func(string) bool { mu.Lock(); defer mu.Unlock(); return after == nil }, func(line string) {
				mu.Lock()
				defer mu.Unlock()
				if after != nil {
					return
				}
				if *acked = append(*acked, line); len(*acked) > cutAt {
					after = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.IntN(101), RNG: r})
				}
			})
		})
	}
	wg.Wait()
	return after
}

func TestNothingAcknowledgedIsLostInAPowerCut(t *testing.T) {
	for seed := range uint64(60) {
		if err := powerCut(t, seed, func(f vfs.FS) vfs.FS { return f }); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// The same test must notice a disk that does not sync.
func TestAHostWithoutFsyncIsCaught(t *testing.T) {
	for seed := range uint64(10) {
		err := powerCut(t, seed, func(f vfs.FS) vfs.FS { return liar{f} })
		if err == nil {
			continue
		}
		if strings.Contains(err.Error(), "life 0") {
			t.Fatalf("seed %d: it fails without a power cut: %v", seed, err)
		}
		return
	}
	t.Fatal("ten seeds did not notice that nothing was synced")
}

func TestAWithdrawalIsNotUndoneByCatchingUp(t *testing.T) {
	dir := t.TempDir()
	h := openAt(t, dir, options())
	ada := consent.Subject{1}
	say := func(status consent.Status, id string) {
		_, err := h.Append(ctx, ada, func(consent.State) (consent.Record, error) {
			return consent.Record{RecordID: id, Event: consent.Act{Time: noon}, Validity: consent.Validity{Until: noon.Add(aDay)},
				Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: status}, {Purpose: consent.AdviserAssist, Status: consent.Given}}}, nil
		})
		ok(t, err)
	}
	say(consent.Given, "1")
	row := saw(ada, 1, noon.Add(time.Minute))
	ok(t, h.AppendEvents(ctx, []event.Row{row}))
	ok(t, h.UpdateProfile(ctx, ada, nil, func(p profile.Profile) profile.Profile { return p.Apply([]event.Event{row.Event()}) }))
	say(consent.Refused, "2")
	ok(t, h.db.Flush())
	// The process ends here without writing behind.
	close(h.stop)
	h.work.Wait()
	ok(t, h.release())
	h = openAt(t, dir, options())
	p, err := h.Profile(ctx, ada)
	ok(t, err)
	if _, has := p.Sections[consent.Analytics]; has || len(p.Sections) != 1 || !slices.ContainsFunc(p.Recent, func(s profile.Seen) bool { return s.Key == [16]byte{1} }) {
		t.Fatalf("got %+v", p)
	}
	ok(t, h.Close())
}
