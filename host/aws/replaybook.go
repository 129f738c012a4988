//go:build !lambda.norpc

package aws

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/snapshot"
)

// told is what a subject's state is folded from, and the state itself.
type told struct {
	who  consent.Subject
	what byte // s, r or e: state, record, entry
}

// ReplayBook rebuilds every subject's state from its records and list entries and
// compares it with the one that is kept (L12). A state that does not come out again
// is an error that names its subject's bucket, not the subject, and ends all reliance
// on consent; a table that cannot be read does not. Who is written to while the table
// is read is read again alone.
func (n *Night) ReplayBook(ctx context.Context) (snapshot.BookHash, error) {
	out, err := n.replayBook(ctx)
	if err != nil {
		return snapshot.BookHash{}, n.h.suspect(ctx, fmt.Errorf("replaying the book: %w", err))
	}
	return out, nil
}

func (n *Night) replayBook(ctx context.Context) (out snapshot.BookHash, err error) {
	if err := os.MkdirAll(n.work(), 0o700); err != nil {
		return out, err
	}
	defer func() { _ = os.RemoveAll(n.work()) }()
	all, err := newSpool[told](filepath.Join(n.work(), "book.spool"))
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, all.close()) }()
	err = n.h.scan(ctx, tableBook, "r = :state or begins_with(r, :rec) or begins_with(r, :ent)",
		item{":state": str("state"), ":rec": str("rec#"), ":ent": str("ent#")}, func(i item) error { return spoolTold(all, i) })
	if err == nil {
		err = all.sort(func(a, b told) int { return cmp.Or(bytes.Compare(a.who[:], b.who[:]), cmp.Compare(a.what, b.what)) })
	}
	if err != nil {
		return out, err
	}
	var replay snapshot.Replay
	for i := 0; i < len(all.all); {
		j := i
		for j < len(all.all) && all.all[j].key.who == all.all[i].key.who {
			j++
		}
		if err := n.replayOne(ctx, &replay, all, i, j); err != nil {
			return out, err
		}
		i = j
	}
	return replay.End(), ctx.Err()
}

func spoolTold(all *spool[told], i item) error {
	s, err := parseSubjectKey(strOf(i, "s"))
	body := binOf(i, "b")
	if err != nil || body == nil {
		return err
	}
	what := byte('s')
	if r := strOf(i, "r"); strings.HasPrefix(r, "rec#") {
		what = 'r'
	} else if strings.HasPrefix(r, "ent#") {
		what = 'e'
	}
	return all.add(told{s, what}, body)
}

// replayOne folds the things in [from, to), which are one subject's.
func (n *Night) replayOne(ctx context.Context, replay *snapshot.Replay, all *spool[told], from, to int) error {
	var kept consent.State
	var records []consent.Record
	var entries []consent.Entry
	for i := from; i < to; i++ {
		body, err := all.read(i)
		if err != nil {
			return err
		}
		switch all.all[i].key.what {
		case 's':
			err = json.Unmarshal(body, &kept)
		case 'r':
			records, err = decoded(records, body)
		default:
			entries, err = decoded(entries, body)
		}
		if err != nil {
			return errSplit{"the book holds something unreadable: " + err.Error()}
		}
	}
	who := all.all[from].key.who
	kept.Subject = who
	sortByVersion(records, func(r consent.Record) uint64 { return r.Version })
	sortByVersion(entries, func(e consent.Entry) uint64 { return e.Version })
	if replay.Subject(kept, records, entries) == nil {
		return nil
	}
	return n.replayAgain(ctx, replay, who)
}

func decoded[T any](all []T, body []byte) ([]T, error) {
	var x T
	err := json.Unmarshal(body, &x)
	return append(all, x), err
}

// replayAgain reads a subject alone, a few times if it is written to meanwhile.
func (n *Night) replayAgain(ctx context.Context, replay *snapshot.Replay, s consent.Subject) (err error) {
	for try := range 5 {
		var kept stored
		var records []consent.Record
		var entries []consent.Entry
		if kept, err = n.h.stored(ctx, s); err == nil {
			records, err = n.h.History(ctx, s)
		}
		if err == nil {
			entries, err = n.h.Listed(ctx, s)
		}
		if err != nil {
			return err
		}
		if kept.Version == 0 && len(records)+len(entries) == 0 { // erased meanwhile
			return nil
		}
		if err = replay.Subject(kept.State, records, entries); err == nil {
			return nil
		}
		if err := pause(ctx, try+4); err != nil {
			return err
		}
	}
	return errSplit{err.Error()}
}

func sortByVersion[T any](all []T, version func(T) uint64) {
	slices.SortFunc(all, func(a, b T) int { return cmp.Compare(version(a), version(b)) })
}
