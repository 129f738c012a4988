package aws

import (
	"bufio"
	"cmp"
	"errors"
	"os"
	"slices"
	"sync"
)

// spool is a file of things that are too many for memory. In memory is where each
// lies and what it is sorted by.
type spool[K any] struct {
	mu   sync.Mutex
	file *os.File
	out  *bufio.Writer
	size int64
	all  []spooled[K]
}

type spooled[K any] struct {
	key  K
	from int64
	n    int32
}

func newSpool[K any](path string) (*spool[K], error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return &spool[K]{file: f, out: bufio.NewWriterSize(f, 1<<18)}, nil
}

// add takes a thing in; any number of goroutines may.
func (s *spool[K]) add(k K, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, spooled[K]{k, s.size, int32(len(body))})
	s.size += int64(len(body))
	_, err := s.out.Write(body)
	return err
}

// sort ends writing.
func (s *spool[K]) sort(compare func(a, b K) int) error {
	slices.SortFunc(s.all, func(a, b spooled[K]) int { return cmp.Or(compare(a.key, b.key), cmp.Compare(a.from, b.from)) })
	return s.out.Flush()
}

// read gives a thing in a buffer of its own.
func (s *spool[K]) read(i int) ([]byte, error) {
	b := make([]byte, s.all[i].n)
	_, err := s.file.ReadAt(b, s.all[i].from)
	return b, err
}

// close removes the file.
func (s *spool[K]) close() error {
	if s == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
