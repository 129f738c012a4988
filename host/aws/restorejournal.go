//go:build !lambda.norpc

package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// readJournal reads every batch that the oldest copy lacks. One that is not there any
// more means that the copy is too old.
func (r *restoring) readJournal(ctx context.Context) error {
	from := slices.Min(slices.Collect(maps.Values(r.marks)))
	if from >= r.n {
		return nil
	}
	all, err := r.objects(ctx, bucketNight, journalPrefix)
	if err != nil {
		return err
	}
	there := map[int64]bool{}
	for _, o := range all {
		_, a, b, err := batches(o.key)
		if err != nil {
			return err
		}
		if b <= from {
			continue
		}
		for n := a; n <= b; n++ {
			there[n] = true
		}
		if err := r.readBatch(ctx, o); err != nil {
			return fmt.Errorf("object %s of bucket %s: %w", o.key, *r.bucket(bucketNight), err)
		}
	}
	for n := from + 1; n <= r.n; n++ {
		if !there[n] {
			return fmt.Errorf("the journal, which goes back %d days, has no batch %d, and a table knows only those up to %d: a newer backup is needed", backupDays, n, from)
		}
	}
	return nil
}

func (r *restoring) readBatch(ctx context.Context, o object) error {
	body, _, err := r.readObject(ctx, bucketNight, o.key)
	if err != nil {
		return err
	}
	return eachLine(body, func(line []byte) error {
		j, err := r.unline(line)
		r.jots = append(r.jots, j)
		return err
	})
}

// readQueue reads what waits, and takes leaves out of the queue that are in the
// ledger: an old copy of the queue would enter them twice.
func (r *restoring) readQueue(ctx context.Context) error {
	queue, err := r.queued(ctx, integrated{}, math.MaxInt)
	if err != nil {
		return err
	}
	r.waits = map[ledger.Leaf]bool{}
	var gone []item
	for _, e := range queue {
		j, err := r.unline(e.line)
		if err != nil {
			return err
		}
		r.jots = append(r.jots, j)
		if at, in := r.index[e.leaf]; in && e.leads() {
			if err := r.Host.index(ctx, e, at); err != nil {
				return err
			}
			gone = append(gone, e.key())
		} else if e.leads() {
			r.waits[e.leaf] = true
		}
	}
	return r.remove(ctx, tableLeaf, gone)
}

// of gives the jots of a kind, in their order.
func (r *restoring) of(kinds ...string) (out []jot) {
	for _, j := range r.jots {
		if slices.Contains(kinds, j.Kind) {
			out = append(out, j)
		}
	}
	return out
}

// reopen keeps openings again that the table of leaves lacks.
func (r *restoring) reopen(ctx context.Context) error {
	if !r.back(tableLeaf) {
		return nil
	}
	all := r.of(leafOfOpening)
	return each(ctx, len(all), atATime, func(ctx context.Context, n int) error {
		j := all[n]
		i, err := r.get(ctx, tableLeaf, openingKey(j.ID))
		if err != nil || indexOf(i) >= 0 {
			return err
		}
		if len(j.Salt) != 32 {
			return errors.New("an opening without its salt")
		}
		leaf := ledger.NewLeaf([32]byte(j.Salt), j.Content)
		at, in := r.index[leaf]
		if i != nil {
			if in {
				return r.Host.index(ctx, entry{kind: leafOfOpening, id: j.ID}, at)
			}
			return nil
		}
		t, i := r.transaction(), openingKey(j.ID)
		i["salt"], i["b"] = bin(j.Salt), bin(j.Content)
		if in {
			i["i"] = num(at)
		} else if !r.waits[leaf] {
			t.queue(leaf, leafOfOpening, j.ID, j)
		}
		t.put(tableLeaf, i, "attribute_not_exists(q)", nil, errAgain)
		r.did(&r.out.Openings)
		return again(ctx, func() error { return t.commit(ctx) })
	})
}

// requeue walks the book: a record without a place gets it, and what an old copy of
// the queue lost is queued again.
func (r *restoring) requeue(ctx context.Context) error {
	if !r.back(tableBook) && !r.back(tableLeaf) {
		return nil
	}
	lost := map[ledger.Leaf]item{}
	err := r.scan(ctx, tableBook, "begins_with(s, :rec) and attribute_not_exists(i)", item{":rec": str("rec#")}, func(i item) error {
		leaf := ledger.Leaf{}
		if copy(leaf[:], binOf(i, "leaf")) != len(leaf) {
			return errors.New("the book holds an unreadable place of a record")
		}
		if at, in := r.index[leaf]; in {
			return r.Host.index(ctx, entry{kind: leafOfRecord, id: strings.TrimPrefix(strOf(i, "s"), "rec#")}, at)
		}
		r.mu.Lock()
		lost[leaf] = i
		r.mu.Unlock()
		return nil
	})
	if err != nil || !r.back(tableLeaf) { // a queue that is whole has them
		return err
	}
	queue, err := r.queued(ctx, integrated{}, math.MaxInt) // with what came since it was read first
	if err != nil {
		return err
	}
	for _, e := range queue {
		delete(lost, e.leaf)
	}
	for leaf, i := range lost {
		if err := r.requeueRecord(ctx, leaf, i); err != nil {
			return err
		}
	}
	return r.rejot(ctx)
}

func (r *restoring) requeueRecord(ctx context.Context, leaf ledger.Leaf, noted item) error {
	id := strings.TrimPrefix(strOf(noted, "s"), "rec#")
	_, rec, err := r.record(ctx, id)
	if errors.Is(err, flow.ErrNotFound) { // erased meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	s, err := parseSubjectKey(strOf(noted, "p"))
	if err != nil {
		return err
	}
	t := r.transaction()
	t.queue(leaf, leafOfRecord, id, recordJot(s, [32]byte(binOf(rec, "salt")), binOf(rec, "b")))
	r.did(&r.out.Queued)
	return again(ctx, func() error { return t.commit(ctx) })
}

// rejot queues list entries, links and erasures that an old copy of the queue lost
// before the journal had them. What it has already it may have twice.
func (r *restoring) rejot(ctx context.Context) error {
	known := map[string]bool{}
	for _, j := range r.of(jotOfEntry, jotOfLink) {
		known[nameOfJot(j)] = true
	}
	for mark := range r.buried {
		known[mark] = true
	}
	since := r.since.AddDate(0, 0, -1) // clocks differ, and what is there twice does no harm
	jotAgain := func(j jot, at time.Time) error {
		if known[nameOfJot(j)] || at.Before(since) {
			return nil
		}
		t := r.transaction()
		t.jot(j)
		r.did(&r.out.Queued)
		return again(ctx, func() error { return t.commit(ctx) })
	}
	kept := item{":ent": str("ent#"), ":link": str("link"), ":grave": str(gravePrefix)}
	return r.scan(ctx, tableBook, "begins_with(r, :ent) or r = :link or begins_with(s, :grave)", kept, func(i item) error {
		at := time.UnixMilli(numOf(i, "t")).UTC()
		if mark, is := strings.CutPrefix(strOf(i, "s"), gravePrefix); is {
			return jotAgain(jot{Kind: jotOfErasure, ID: mark, Burial: &burial{ID: randomName(), At: at}}, at)
		}
		s, err := parseSubjectKey(strOf(i, "s"))
		if err != nil {
			return err
		}
		if strOf(i, "r") == "link" {
			account, err := parseSubjectKey(strOf(i, "a"))
			if err != nil {
				return err
			}
			return jotAgain(jot{Kind: jotOfLink, At: at.UnixMilli(), Subject: s, Account: account}, at)
		}
		var e consent.Entry
		if err := json.Unmarshal(binOf(i, "b"), &e); err != nil {
			return fmt.Errorf("the book holds an unreadable list entry: %w", err)
		}
		return jotAgain(jot{Kind: jotOfEntry, Subject: s, Entry: &e}, e.At)
	})
}

// nameOfJot tells entries, erasures and links apart.
func nameOfJot(j jot) string {
	switch {
	case j.Entry != nil:
		return fmt.Sprintf("%s %d", j.Subject, j.Entry.Version)
	case j.Burial != nil:
		return j.ID
	}
	return fmt.Sprintf("%s %s %d", j.Subject, j.Account, j.At)
}
