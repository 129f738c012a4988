package local

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"sync"

	"github.com/handschlag/handschlag/consent/ledger"
)

// ledgerStore keeps the ledger's blobs as files below DATA/ledger. One host owns
// the folder, so a mutex makes its swaps atomic.
type ledgerStore struct {
	disk *disk
	mu   sync.Mutex
}

var _ ledger.Store = (*ledgerStore)(nil)

// Read gives a blob.
func (s *ledgerStore) Read(_ context.Context, name string) ([]byte, error) {
	return s.disk.read(s.disk.path("ledger", name))
}

// Write makes or replaces a blob.
func (s *ledgerStore) Write(_ context.Context, name string, body []byte) error {
	path := s.disk.path("ledger", name)
	if err := s.disk.folder(s.disk.PathDir(path)); err != nil {
		return err
	}
	return s.disk.replaceBytes(path, false, body)
}

// Swap replaces a blob that is still old.
func (s *ledgerStore) Swap(ctx context.Context, name string, old, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	is, err := s.Read(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		is, err = nil, nil
	}
	if err != nil {
		return err
	}
	if (is == nil) != (old == nil) || !bytes.Equal(is, old) {
		return ledger.ErrMoved
	}
	return s.Write(ctx, name, body)
}

// Remove deletes a blob, if it is there.
func (s *ledgerStore) Remove(_ context.Context, name string) error {
	path := s.disk.path("ledger", name)
	if err := s.disk.FS.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.disk.sync(s.disk.PathDir(path))
}
