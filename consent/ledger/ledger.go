package ledger

import (
	"context"
	"errors"
	"io"
	"io/fs"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var errNotBuilt = errors.New("not built yet")

// Leaf is one entry of the log.
type Leaf [32]byte

// NewLeaf is SHA-256(salt ‖ canonical): it binds a record without telling it.
func NewLeaf(salt [32]byte, canonical []byte) Leaf { return Leaf{} }

// Signer signs checkpoints as origin = its name. NewSigner makes one of a private
// key; a host whose key never leaves a KMS fills the struct itself.
type Signer struct {
	note.Signer
	Verifier note.Verifier
	Public   string // the verifier key
}

// GenerateKey makes an Ed25519 key pair for an origin, in the note package's form.
func GenerateKey(random io.Reader, origin string) (private, public string, err error) {
	return "", "", errNotBuilt
}

// NewSigner reads a private key.
func NewSigner(private string) (Signer, error) { return Signer{}, errNotBuilt }

// Checkpoint is a signed statement about the whole log.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
	Note   []byte // the signed note itself
}

// OpenCheckpoint checks a signed note against a public key.
func OpenCheckpoint(public string, signed []byte) (Checkpoint, error) {
	return Checkpoint{}, errNotBuilt
}

// Create starts an empty log in a store that has none; on one that has, it
// changes nothing but finishes what a crash left.
func Create(ctx context.Context, store Store, signer Signer) (Checkpoint, error) {
	return Checkpoint{}, errNotBuilt
}

// Append adds leaves in order and returns the index of the first and the
// checkpoint that covers them. With no leaves it only finishes what a crash left.
// After an error the leaves may be in or not: read Leaves before trying again.
func Append(ctx context.Context, store Store, signer Signer, leaves []Leaf) (int64, Checkpoint, error) {
	return 0, Checkpoint{}, errNotBuilt
}

// Published is the current checkpoint; its signature is not checked.
func Published(ctx context.Context, store Store) (Checkpoint, error) {
	return Checkpoint{}, errNotBuilt
}

// Leaves are the log's leaves from index from up to the current checkpoint.
func Leaves(ctx context.Context, store Store, from int64) ([]Leaf, error) { return nil, errNotBuilt }

// Inclusion proves leaf index under the tree of size, which is at most the
// current checkpoint's.
func Inclusion(ctx context.Context, store Store, index, size int64) (tlog.RecordProof, error) {
	return nil, errNotBuilt
}

// Consistency proves that the tree of size old is a prefix of the one of size new.
func Consistency(ctx context.Context, store Store, old, new int64) (tlog.TreeProof, error) {
	return nil, errNotBuilt
}

// CheckInclusion checks, with nothing but the public key, that leaf is the log's
// entry number index.
func CheckInclusion(public string, signed []byte, leaf Leaf, index int64, proof tlog.RecordProof) error {
	return errNotBuilt
}

// CheckConsistency checks that the log of the new checkpoint begins with all of the old one's.
func CheckConsistency(public string, old, new []byte, proof tlog.TreeProof) error { return errNotBuilt }

// Report says what Verify found in a sound folder.
type Report struct {
	Origin   string
	Size     int64     // leaves under the checkpoint
	Root     tlog.Hash // of those
	Unsealed int64     // leaves decided in head, not yet under the checkpoint: a crash between
	Spare    int       // right-edge tiles of smaller trees that a crash left; their bytes are right
	Files    int       // files read
}

// Fault is the first thing that Verify found wrong.
type Fault struct {
	File  string
	Index int64 // of the leaf, or -1
	Why   string
}

func (f *Fault) Error() string { return f.Why }

// Verify recomputes a ledger folder with only the public key. See verify.go.
func Verify(fsys fs.FS, public string, witnessed ...[]byte) (Report, error) {
	return Report{}, errNotBuilt
}
