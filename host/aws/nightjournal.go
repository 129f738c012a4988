//go:build !lambda.norpc

package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
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
	first, today, late := dayOf(now.AddDate(0, 0, -backupDays)), dayOf(now.Add(-time.Hour)), dayOf(now.AddDate(0, 0, -2))
	var old []string
	for len(all) > 0 {
		day, of, err := dayOfJournal(all)
		if err != nil {
			return err
		}
		objects := all[:of]
		all = all[of:]
		looks := buried || day >= late // a batch may have been on its way when somebody was erased
		switch {
		case day < first:
			for _, o := range objects {
				old = append(old, o.key)
			}
		case day < today && (len(objects) > 1 || looks):
			err = n.gatherJournal(ctx, day, objects)
		case looks: // the day still grows: each object for itself
			err = each(ctx, len(objects), atOnce, func(ctx context.Context, i int) error { return n.cleanseJournal(ctx, objects[i]) })
		}
		if err != nil {
			return err
		}
	}
	return n.h.drop(ctx, bucketNight, old)
}

// dayOfJournal is the first object's day, and how many objects are of that day.
func dayOfJournal(all []object) (day string, of int, err error) {
	for _, o := range all {
		is, _, _, err := batches(o.key)
		if err != nil {
			return "", 0, err
		}
		if day == "" {
			day = is
		}
		if is != day {
			break
		}
		of++
	}
	return day, of, nil
}

// gatherJournal writes the batches of a day that is over again, in as few objects as
// may be, without the lines about erased subjects and without those that are there
// twice. What is written is there before what it replaces goes.
func (n *Night) gatherJournal(ctx context.Context, day string, objects []object) error {
	seen, changed := map[[sha256.Size]byte]bool{}, slices.ContainsFunc(objects[:len(objects)-1], func(o object) bool { return o.size < journalPart })
	var body bytes.Buffer
	var gone []string
	from, to := int64(0), int64(0)
	write := func() error {
		err := n.h.writeObject(ctx, bucketNight, batchKey(day, from, to), body.Bytes(), nil)
		body.Reset()
		from = 0
		return err
	}
	for _, o := range objects { // in the order of their numbers
		lines, dropped, err := n.aliveLines(ctx, o)
		if err != nil {
			return fmt.Errorf("object %s of bucket %s: %w", o.key, *n.h.bucket(bucketNight), err)
		}
		_, a, b, err := batches(o.key)
		if err != nil {
			return err
		}
		if from == 0 {
			from, to = a, b
		}
		to = max(to, b)
		changed = changed || dropped
		gone = append(gone, o.key)
		for _, line := range lines {
			if is := sha256.Sum256(line); !seen[is] {
				seen[is] = true
				body.Write(append(line, '\n'))
			}
		}
		if body.Len() >= journalPart && changed {
			if err := write(); err != nil {
				return err
			}
		}
	}
	if !changed {
		return nil
	}
	if from > 0 { // also if nothing is left: the numbers must not have gaps
		if err := write(); err != nil {
			return err
		}
	}
	return n.h.drop(ctx, bucketNight, gone)
}

// cleanseJournal writes one object again, if it holds a line about who was erased.
func (n *Night) cleanseJournal(ctx context.Context, o object) error {
	lines, dropped, err := n.aliveLines(ctx, o)
	if err == nil && dropped {
		err = n.h.writeObject(ctx, bucketNight, o.key, append(bytes.Join(lines, []byte("\n")), '\n'), nil)
	}
	if err != nil {
		return fmt.Errorf("object %s of bucket %s: %w", o.key, *n.h.bucket(bucketNight), err)
	}
	return nil
}

// aliveLines are the lines of an object but those about erased subjects.
func (n *Night) aliveLines(ctx context.Context, o object) (lines [][]byte, dropped bool, err error) {
	body, _, err := n.h.readObject(ctx, bucketNight, o.key)
	if err != nil {
		return nil, false, err
	}
	var graves []item
	asked, all := map[string]bool{}, [][]string{}
	err = eachLine(body, func(line []byte) error {
		var l jotted
		line = bytes.TrimSpace(line)
		if err := json.Unmarshal(line, &l); err != nil {
			return err
		}
		for _, m := range l.Marks {
			grave, err := markOf(m)
			if err != nil {
				return err
			}
			if !asked[m] {
				graves, asked[m] = append(graves, grave), true
			}
		}
		lines, all = append(lines, bytes.Clone(line)), append(all, l.Marks)
		return nil
	})
	dead := map[string]bool{}
	if err == nil {
		err = n.h.getAll(ctx, tableBook, graves, func(i item) {
			dead[strOf(i, "s")[len(gravePrefix):]] = i["p"] == nil // an erasure that is only begun has no line yet
		})
	}
	kept := lines[:0]
	for i, line := range lines {
		if !slices.ContainsFunc(all[i], func(m string) bool { return dead[m] }) {
			kept = append(kept, line)
		}
	}
	return kept, len(kept) < len(all), err
}
