package snapshot

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// BookHash is the book in one number: the same records and list entries always give
// the same (L12).
type BookHash struct {
	Subjects int64  `json:"subjects"`
	Records  int64  `json:"records"`
	Entries  int64  `json:"entries"` // of the lists
	Hash     string `json:"hash"`    // hex SHA-256 over all states in the order of subjects
}

// Replay rebuilds states from what they are folded from, one subject after the
// other in their order. The zero Replay begins.
type Replay struct {
	found BookHash
	sum   hash.Hash
}

// endOfTime is after everything that was recorded.
var endOfTime = time.UnixMilli(math.MaxInt64 / 2).UTC()

// Subject folds a subject's records and entries and compares what comes out with
// the state that is kept. One that does not come out again is an error that names
// its bucket, not the subject. A suppression that was taken over from an earlier
// life of the identifier is an entry like any other.
func (r *Replay) Subject(kept consent.State, records []consent.Record, entries []consent.Entry) error {
	if r.sum == nil {
		r.sum = sha256.New()
	}
	replayed := consent.Retold(records, entries, endOfTime)
	replayed.Subject = kept.Subject
	was, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	is, err := json.Marshal(replayed)
	if err != nil {
		return err
	}
	if !bytes.Equal(was, is) {
		return fmt.Errorf("a state of bucket %d is not what its %d records and %d entries give", kept.Subject.Bucket(), len(records), len(entries))
	}
	r.found.Subjects, r.found.Records, r.found.Entries = r.found.Subjects+1, r.found.Records+int64(len(records)), r.found.Entries+int64(len(entries))
	_, _ = r.sum.Write(is) // a hash takes everything
	return nil
}

// End gives the book's hash.
func (r *Replay) End() BookHash {
	if r.sum == nil {
		r.sum = sha256.New()
	}
	r.found.Hash = hex.EncodeToString(r.sum.Sum(nil))
	return r.found
}
