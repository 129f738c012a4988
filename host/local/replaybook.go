package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/snapshot"
)

// ReplayBook rebuilds every subject's state from its records and list entries and
// compares it with the one that is kept. A state that does not come out again is
// an error that names its subject's bucket, not the subject.
func (h *Host) ReplayBook(ctx context.Context) (snapshot.BookHash, error) {
	state := h.db.NewSnapshot()
	out, err := replayBook(ctx, state)
	if err = errors.Join(err, state.Close()); err != nil {
		return snapshot.BookHash{}, fmt.Errorf("replaying the book: %w", err)
	}
	return out, nil
}

func replayBook(ctx context.Context, r pebble.Reader) (snapshot.BookHash, error) {
	var replay snapshot.Replay
	err := under(r, []byte{tabState}, func(k, v []byte) error {
		var kept stored
		if err := json.Unmarshal(v, &kept); err != nil {
			return fmt.Errorf("unreadable consent state: %w", err)
		}
		kept.Subject = consent.Subject(k[1:])
		var all []consent.Record
		err := under(r, key(tabRecord, kept.Subject[:]), func(_, v []byte) error {
			_, rec, err := readRecord(v)
			all = append(all, rec)
			return err
		})
		if err != nil {
			return err
		}
		listed, err := listedIn(r, kept.Subject)
		if err != nil {
			return err
		}
		return errors.Join(replay.Subject(kept.State, all, listed), ctx.Err())
	})
	if err != nil {
		return snapshot.BookHash{}, err
	}
	return replay.End(), nil
}
