package seglog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"
)

var ctx = context.Background()

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

func open(t testing.TB, fsys vfs.FS, segmentBytes int64) *Log {
	t.Helper()
	l, err := Open("/log", Options{FS: fsys, SegmentBytes: segmentBytes})
	ok(t, err)
	return l
}

func all(t testing.TB, l *Log) []string {
	t.Helper()
	var out []string
	ok(t, l.Scan(0, func(_ Place, n uint64, r []byte) error {
		if n != uint64(len(out)+1) {
			t.Fatalf("record %d came as number %d", len(out)+1, n)
		}
		out = append(out, string(r))
		return nil
	}))
	return out
}

func TestRecordsComeBackInOrderAcrossSegmentsAndOpens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		fsys := vfs.NewMem()
		var want []string
		size := rapid.Int64Range(64, 400).Draw(rt, "segment")
		for range rapid.IntRange(1, 4).Draw(rt, "opens") {
			l := open(t, fsys, size)
			for range rapid.IntRange(0, 8).Draw(rt, "appends") {
				var rs [][]byte
				for range rapid.IntRange(0, 3).Draw(rt, "records") {
					rs = append(rs, rapid.SliceOfN(rapid.Byte(), 0, 90).Draw(rt, "record"))
				}
				p, err := l.Append(ctx, rs...)
				ok(t, err)
				for i, r := range rs {
					got, err := l.At(Place{p.Segment, p.Offset, p.Index + uint32(i)})
					ok(t, err)
					if !bytes.Equal(got, r) {
						rt.Fatalf("record at its place is %q, want %q", got, r)
					}
					want = append(want, string(r))
				}
				if rapid.IntRange(0, 3).Draw(rt, "roll") == 0 {
					ok(t, l.Roll())
				}
			}
			if got := all(t, l); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
				rt.Fatalf("got %q, want %q", got, want)
			}
			ok(t, l.Close())
		}
	})
}

func TestWritersAtOnceShareFsyncs(t *testing.T) {
	fsys := newCuttable()
	l := open(t, fsys, 1<<20)
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for n := range 10 {
				if _, err := l.Append(ctx, []byte(fmt.Sprint(i, " ", n))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n := len(all(t, l)); n != 640 {
		t.Fatalf("%d records are there", n)
	}
	ok(t, l.Close())
}

func TestDroppedSegmentsAreGoneAndTheRestStays(t *testing.T) {
	fsys := vfs.NewMem()
	l := open(t, fsys, 64)
	for i := range 10 {
		_, err := l.Append(ctx, []byte(fmt.Sprintf("%020d", i)))
		ok(t, err)
	}
	segments := l.Segments()
	ok(t, l.Drop(segments[4].Number))
	ok(t, l.Close())
	l = open(t, fsys, 64)
	if got := l.Segments(); got[0] != segments[4] || len(got) != len(segments)-4 {
		t.Fatalf("segments %v", got)
	}
	first := uint64(0)
	ok(t, l.Scan(0, func(_ Place, n uint64, _ []byte) error { first = max(first, 1) * min(n, max(first, n)); return nil }))
	names, err := fsys.List("/log")
	ok(t, err)
	if len(names) != len(segments)-4+1 {
		t.Fatalf("files %v", names)
	}
	if err := l.Drop(99); err == nil {
		t.Fatal("dropped a segment that is not there")
	}
	ok(t, l.Close())
}

func TestAClosedLogTakesNothing(t *testing.T) {
	l := open(t, vfs.NewMem(), 1<<20)
	ok(t, l.Close())
	ok(t, l.Close())
	if _, err := l.Append(ctx, []byte("x")); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if err := l.Roll(); !errors.Is(err, ErrClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestACancelledWriterGetsNoYes(t *testing.T) {
	l := open(t, vfs.NewMem(), 1<<20)
	defer func() { ok(t, l.Close()) }()
	gone, cancel := context.WithCancel(ctx)
	cancel()
	b := &batch{done: make(chan struct{})}
	if _, err := (Ticket{b: b}).Wait(gone); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

// small writes a log of a few frames in two segments and gives the files.
func small(t *testing.T, closed bool) map[string][]byte {
	fsys := vfs.NewMem()
	l := open(t, fsys, 120)
	for i := range 5 {
		_, err := l.Append(ctx, []byte(fmt.Sprintf("record-%d", i)), []byte("and another"))
		ok(t, err)
	}
	if closed {
		ok(t, l.Close())
	}
	return files(t, fsys)
}

func files(t *testing.T, fsys vfs.FS) map[string][]byte {
	out := map[string][]byte{}
	names, err := fsys.List("/log")
	ok(t, err)
	for _, name := range names {
		f, err := fsys.Open("/log/" + name)
		ok(t, err)
		b, err := io.ReadAll(f)
		ok(t, err)
		ok(t, f.Close())
		out[name] = b
	}
	return out
}

func place(t *testing.T, content map[string][]byte) vfs.FS {
	fsys := vfs.NewMem()
	ok(t, fsys.MkdirAll("/log", 0o700))
	for name, b := range content {
		f, err := fsys.Create("/log/"+name, vfs.WriteCategoryUnspecified)
		ok(t, err)
		_, err = f.Write(bytes.Clone(b)) // a MemFS under -race scribbles on it
		ok(t, err)
		ok(t, f.Close())
	}
	return fsys
}

func with(content map[string][]byte, name string, b []byte) map[string][]byte {
	out := map[string][]byte{}
	for k, v := range content {
		out[k] = v
	}
	if out[name] = b; b == nil {
		delete(out, name)
	}
	return out
}

// damaged opens the files and wants an error that names the file.
func damaged(t *testing.T, content map[string][]byte, name, what string) {
	t.Helper()
	l, err := Open("/log", Options{FS: place(t, content)})
	if err == nil {
		n := len(all(t, l))
		t.Fatalf("%s %s: opened with %d records", name, what, n)
	}
	var d *Damage
	if !errors.As(err, &d) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "offset") {
		t.Fatalf("%s %s: got %v", name, what, err)
	}
}

func TestEveryBitFlipIsDetected(t *testing.T) {
	for _, closed := range []bool{true, false} { // closed, or killed
		content := small(t, closed)
		for name, b := range content {
			for i := range b {
				flipped := bytes.Clone(b)
				flipped[i] ^= 1 << (i % 8)
				damaged(t, with(content, name, flipped), name, fmt.Sprintf("flipped at %d", i))
			}
		}
	}
}

func TestEveryTruncationOfAcknowledgedRecordsIsDetected(t *testing.T) {
	content := small(t, false)
	for name, b := range content {
		for i := range b {
			damaged(t, with(content, name, b[:i]), name, fmt.Sprintf("cut at %d", i))
		}
	}
}

func TestAMissingOrStrangeFileIsDetected(t *testing.T) {
	content := small(t, true)
	for name := range content {
		damaged(t, with(content, name, nil), name, "removed")
	}
	damaged(t, with(content, "notes.txt", []byte("x")), "notes.txt", "added")
}

// TestATornTailIsCutAndReported grows the last segment by every part of a frame
// that was being written: what was acknowledged stays, the rest is cut.
func TestATornTailIsCutAndReported(t *testing.T) {
	fsys := vfs.NewMem()
	l := open(t, fsys, 1<<20)
	_, err := l.Append(ctx, []byte("acknowledged"))
	ok(t, err)
	before := files(t, fsys)
	_, err = l.Append(ctx, []byte("in flight"), []byte("too"))
	ok(t, err)
	name := segmentName(1)
	whole := files(t, fsys)[name]
	for cut := len(before[name]); cut <= len(whole); cut++ {
		for _, hole := range []bool{false, true} {
			tail := bytes.Clone(whole[:cut])
			if hole && cut > len(before[name])+7 {
				copy(tail[len(before[name])+5:], []byte{0xee, 0xee})
			}
			var said bytes.Buffer
			torn := place(t, with(before, name, tail))
			l, err := Open("/log", Options{FS: torn, Log: slog.New(slog.NewTextHandler(&said, nil))})
			ok(t, err)
			got := all(t, l)
			complete := cut == len(whole) && bytes.Equal(tail, whole)
			if len(got) < 1 || got[0] != "acknowledged" || len(got) > 1 != complete {
				t.Fatalf("cut at %d: got %q", cut, got)
			}
			if torn := cut > len(before[name]) && !complete; torn != strings.Contains(said.String(), "torn tail") {
				t.Fatalf("cut at %d: said %q", cut, said.String())
			}
			_, err = l.Append(ctx, []byte("after"))
			ok(t, err)
			ok(t, l.Close())
			l = open(t, torn, 1<<20)
			if again := all(t, l); again[len(again)-1] != "after" || len(again) != len(got)+1 {
				t.Fatalf("cut at %d: after that %q", cut, again)
			}
			ok(t, l.Close())
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	l, err := Open(b.TempDir()+"/log", Options{})
	ok(b, err)
	record := make([]byte, 300)
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Append(ctx, record); err != nil {
				b.Error(err)
			}
		}
	})
	ok(b, l.Close())
}
