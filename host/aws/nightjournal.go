//go:build !lambda.norpc

package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"
)

// journalPart is how much of a day lies in one object of the journal once the day is over.
const journalPart = 32 << 20

// tidyJournal drops what is older than any backup may be, gathers the minutes of each
// day that is over, and, if somebody was erased since the last night, takes the lines
// about erased subjects out: nobody's content is opened for that.
func (n *Night) tidyJournal(ctx context.Context, buried bool) error {
	if err := n.tidiedJournal(ctx, buried); err != nil {
		return fmt.Errorf("tidying the book's journal: %w", err)
	}
	return nil
}

func (n *Night) tidiedJournal(ctx context.Context, buried bool) error {
	all, err := n.h.objects(ctx, bucketNight, journalPrefix)
	if err != nil {
		return err
	}
	now := n.h.now()
	first, today := journalDay(journalKey(now.AddDate(0, 0, -backupDays))), journalDay(journalKey(now.Add(-time.Hour)))
	var old []string
	for len(all) > 0 {
		day, of := journalDay(all[0].key), 1
		for of < len(all) && journalDay(all[of].key) == day {
			of++
		}
		objects := all[:of]
		all = all[of:]
		switch over := day < today; {
		case day < first:
			for _, o := range objects {
				old = append(old, o.key)
			}
			continue
		case over && (len(objects) > 1 || buried):
			err = n.gatherJournal(ctx, objects)
		case buried: // the day still grows: each object for itself
			err = each(ctx, len(objects), atOnce, func(ctx context.Context, i int) error { return n.gatherJournal(ctx, objects[i:i+1]) })
		}
		if err != nil {
			return err
		}
	}
	return n.h.drop(ctx, bucketNight, old)
}

// journalDay is the day of an object of the journal.
func journalDay(key string) string {
	return key[len(journalPrefix):min(len(key), len(journalPrefix)+len(time.DateOnly))]
}

// gatherJournal writes objects of one day again, in as few as may be, without the
// lines about erased subjects and without those that are there twice. What is written
// is there before what it replaces goes.
func (n *Night) gatherJournal(ctx context.Context, objects []object) error {
	seen, changed := map[[sha256.Size]byte]bool{}, len(objects) > 1
	var body bytes.Buffer
	written := 0
	write := func() error {
		if body.Len() == 0 {
			return nil
		}
		key := fmt.Sprintf("%s%s-%04d-%s", journalPrefix, journalDay(objects[0].key), written, randomName()[:8])
		written++
		err := n.h.writeObject(ctx, bucketNight, key, body.Bytes(), nil)
		body.Reset()
		return err
	}
	var gone []string
	for _, o := range objects {
		lines, dropped, err := n.aliveLines(ctx, o)
		if err != nil {
			return fmt.Errorf("object %s of bucket %s: %w", o.key, *n.h.bucket(bucketNight), err)
		}
		changed = changed || dropped
		gone = append(gone, o.key)
		for _, line := range lines {
			is := sha256.Sum256(line)
			if seen[is] {
				continue
			}
			seen[is] = true
			body.Write(append(line, '\n'))
			if body.Len() >= journalPart {
				if err := write(); err != nil {
					return err
				}
			}
		}
	}
	if !changed {
		return nil
	}
	if err := write(); err != nil {
		return err
	}
	return n.h.drop(ctx, bucketNight, gone)
}

// aliveLines are the lines of an object but those about erased subjects.
func (n *Night) aliveLines(ctx context.Context, o object) (lines [][]byte, dropped bool, err error) {
	body, _, err := n.h.readObject(ctx, bucketNight, o.key)
	if err != nil {
		return nil, false, err
	}
	graves, marks := []item{}, map[string]bool{}
	var all []string
	err = eachLine(body, func(line []byte) error {
		var l jotted
		line = bytes.TrimSpace(line)
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		if l.Mark != "" && !marks[l.Mark] {
			grave, err := markOf(l.Mark)
			if err != nil {
				return err
			}
			graves, marks[l.Mark] = append(graves, grave), true
		}
		lines, all = append(lines, bytes.Clone(line)), append(all, l.Mark)
		return nil
	})
	dead := map[string]bool{}
	if err == nil {
		err = n.h.getAll(ctx, tableBook, graves, func(i item) { dead[strOf(i, "s")[len(gravePrefix):]] = true })
	}
	kept := lines[:0]
	for i, line := range lines {
		if !dead[all[i]] {
			kept = append(kept, line)
		}
	}
	return kept, len(kept) < len(all), err
}
