package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"maps"
	"sync"
	"testing"
	"testing/fstest"
)

var ctx = context.Background()

var errPower = errors.New("power cut")

// memory is a Store in memory that can lose its power after some writes. A write
// during which it does is either not kept, or kept without the writer knowing.
type memory struct {
	mu    sync.Mutex
	blobs map[string][]byte
	left  int  // writes before the power cut; negative: none comes
	kept  bool // whether the write that fails is kept
	steps int  // writes so far
}

func newMemory() *memory { return &memory{blobs: map[string][]byte{}, left: -1} }

func (m *memory) Read(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		return nil, errPower
	}
	b, ok := m.blobs[name]
	if !ok {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return bytes.Clone(b), nil
}

// write does one change, unless the power is gone.
func (m *memory) write(do func()) error {
	m.steps++
	switch {
	case m.left == 0:
		return errPower
	case m.left == 1:
		m.left = 0
		if m.kept {
			do()
		}
		return errPower
	case m.left > 1:
		m.left--
	}
	do()
	return nil
}

func (m *memory) Write(_ context.Context, name string, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(func() { m.blobs[name] = bytes.Clone(body) })
}

func (m *memory) Swap(_ context.Context, name string, old, body []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if have, ok := m.blobs[name]; ok != (old != nil) || !bytes.Equal(have, old) {
		return ErrMoved
	}
	return m.write(func() { m.blobs[name] = bytes.Clone(body) })
}

func (m *memory) Remove(_ context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(func() { delete(m.blobs, name) })
}

// restore gives the power back.
func (m *memory) restore() { m.left = -1 }

func (m *memory) copy() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{blobs: maps.Clone(m.blobs), left: -1}
}

func (m *memory) folder() fstest.MapFS {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := fstest.MapFS{}
	for name, body := range m.blobs {
		f[name] = &fstest.MapFile{Data: body}
	}
	return f
}

// testSigner is a fixed key: checkpoints in failures can be compared.
func testSigner(t testing.TB, origin string) Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(origin))
	private, public, err := GenerateKey(bytes.NewReader(seed[:]), origin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	if s.Public != public {
		t.Fatalf("public key %q, want %q", s.Public, public)
	}
	return s
}

// testLeaves are n leaves that differ from each other and from other seeds'.
func testLeaves(seed, n int) []Leaf {
	out := make([]Leaf, n)
	for i := range out {
		salt := [32]byte{}
		binary.BigEndian.PutUint64(salt[:], uint64(seed))
		out[i] = NewLeaf(salt, binary.BigEndian.AppendUint64(nil, uint64(i)))
	}
	return out
}

// testLedger is a ledger that grew by batches.
func testLedger(t testing.TB, s Signer, batches ...int) *memory {
	t.Helper()
	m := newMemory()
	if _, err := Create(ctx, m, s); err != nil {
		t.Fatal(err)
	}
	for i, n := range batches {
		if _, _, err := Append(ctx, m, s, testLeaves(i, n)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}
