package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cockroachdb/pebble/v2"

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

// endOfTime is after everything that was recorded.
var endOfTime = time.UnixMilli(math.MaxInt64 / 2).UTC()

// ReplayBook rebuilds every subject's state from its records and list entries and
// compares it with the one that is kept. A state that does not come out again is
// an error that names its subject's bucket, not the subject.
func (h *Host) ReplayBook(ctx context.Context) (BookHash, error) {
	state := h.db.NewSnapshot()
	out, err := replayBook(ctx, state)
	if err = errors.Join(err, state.Close()); err != nil {
		return BookHash{}, fmt.Errorf("replaying the book: %w", err)
	}
	return out, nil
}

func replayBook(ctx context.Context, r pebble.Reader) (out BookHash, err error) {
	sum := sha256.New()
	err = under(r, []byte{tabState}, func(k, v []byte) error {
		var kept stored
		if err := json.Unmarshal(v, &kept); err != nil {
			return fmt.Errorf("unreadable consent state: %w", err)
		}
		kept.Subject = consent.Subject(k[1:])
		replayed, records, entries, err := retold(r, kept)
		if err != nil {
			return err
		}
		was, err := json.Marshal(kept.State)
		if err != nil {
			return err
		}
		is, err := json.Marshal(replayed)
		if err != nil {
			return err
		}
		if !bytes.Equal(was, is) {
			return fmt.Errorf("a state of bucket %d is not what its %d records and %d entries give", kept.Subject.Bucket(), records, entries)
		}
		out.Subjects, out.Records, out.Entries = out.Subjects+1, out.Records+int64(records), out.Entries+int64(entries)
		_, _ = sum.Write(is) // a hash takes everything
		return ctx.Err()
	})
	if err != nil {
		return BookHash{}, err
	}
	out.Hash = hex.EncodeToString(sum.Sum(nil))
	return out, nil
}

// retold folds a subject's records and entries. A suppression that was taken over
// from an earlier life of the identifier is an entry like any other.
func retold(r pebble.Reader, kept stored) (s consent.State, records, entries int, err error) {
	var all []consent.Record
	err = under(r, key(tabRecord, kept.Subject[:]), func(_, v []byte) error {
		_, rec, err := readRecord(v)
		all = append(all, rec)
		return err
	})
	if err != nil {
		return s, 0, 0, err
	}
	listed, err := listedIn(r, kept.Subject)
	if err != nil {
		return s, 0, 0, err
	}
	s = consent.Retold(all, listed, endOfTime)
	s.Subject = kept.Subject
	return s, len(all), len(listed), nil
}
