package local

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
)

// halfway is a store whose disk fills up right after the ledger has decided on a
// batch: the head is swapped, and the tiles cannot be written.
type halfway struct {
	ledger.Store
	full bool
}

func (s *halfway) Swap(ctx context.Context, name string, old, body []byte) error {
	err := s.Store.Swap(ctx, name, old, body)
	s.full = err == nil
	return err
}

func (s *halfway) Write(ctx context.Context, name string, body []byte) error {
	if s.full {
		return errors.New("no space left")
	}
	return s.Store.Write(ctx, name, body)
}

func TestABatchThatWasDecidedButNotPublishedEntersOnce(t *testing.T) {
	dir := t.TempDir()
	h := openAt(t, dir, options())
	broken := &halfway{Store: h.ledger}
	h.seq.Lock()
	h.ledger = broken
	h.seq.Unlock()
	for _, id := range []string{"one", "two"} {
		_, err := h.Append(ctx, consent.Subject{1}, func(s consent.State) (consent.Record, error) {
			return consent.Record{RecordID: id, Event: consent.Act{Time: noon}}, nil
		})
		ok(t, err)
	}
	if err := h.sequence(ctx); err == nil && broken.full {
		t.Fatal("a batch that could not be published was reported as done")
	}
	h.seq.Lock()
	broken.full = false
	h.ledger = broken.Store
	h.seq.Unlock()
	ok(t, h.sequence(ctx))
	ok(t, h.Close())
	key, err := os.ReadFile(filepath.Join(dir, "ledger", "verifier"))
	ok(t, err)
	r, err := ledger.Verify(os.DirFS(filepath.Join(dir, "ledger")), string(key[:len(key)-1]))
	ok(t, err)
	if r.Size != 2 || r.Unsealed != 0 {
		t.Errorf("the ledger holds %d leaves and %d unsealed, want the 2 records once", r.Size, r.Unsealed)
	}
}

func TestAQueueLongerThanABatchIsTakenWhole(t *testing.T) {
	h := openAt(t, t.TempDir(), options())
	const records = 2*batchMost + 1
	h.seq.Lock() // the sequencer waits until all are queued
	ok(t, h.save(func(b *pebble.Batch) error {
		for i := range uint64(records) {
			leaf := sha256.Sum256(u64(i))
			if err := b.Set(key(tabQueue, u64(h.queued.Add(1))), append(leaf[:], fmt.Sprint(i)...), nil); err != nil {
				return err
			}
		}
		return nil
	}))
	h.seq.Unlock()
	ok(t, h.sequence(ctx))
	left, err := h.queue(batchMost)
	ok(t, err)
	if n, err := h.integrated(); n != records || len(left) > 0 || err != nil {
		t.Errorf("%d of %d records entered, %d wait, %v", n, records, len(left), err)
	}
	ok(t, h.Close())
}
