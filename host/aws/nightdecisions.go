//go:build !lambda.norpc

package aws

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/snapshot"
)

// decisions are brought into one object a day: what was delivered, what the tables
// hold, and what earlier nights kept, by writer and number, each record once.
type decisions struct {
	*Night
	book    *bookCopy
	through time.Time
	first   string // records of days before it go
	buried  bool   // somebody was erased since the last night
	shelf   *shelf
	lines   *spool[place]

	mu     sync.Mutex
	took   map[string]map[string]bool // raw objects by day
	erased map[string]bool            // hashes of records whose content goes
}

// place is where a record stands among others, and which it is.
type place struct {
	at     int64 // nanoseconds
	writer string
	n      uint64
	hash   string // hex, of what was decided, also when only that is left of it
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.at, o.at), cmp.Compare(p.writer, o.writer), cmp.Compare(p.n, o.n), cmp.Compare(p.hash, o.hash))
}

func (n *Night) compactDecisions(ctx context.Context, d *decisions) (err error) {
	d.took, d.erased = map[string]map[string]bool{}, map[string]bool{}
	if d.shelf, err = n.openShelf(ctx, decisionDays); err != nil {
		return err
	}
	if d.lines, err = newSpool[place](filepath.Join(n.work(), "decisions.spool")); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.lines.close()) }()
	delivered, err := n.survey(ctx, streamDecisions, d.take)
	if err != nil {
		return err
	}
	days, err := d.due(ctx)
	if err != nil {
		return err
	}
	if err := d.gather(ctx, days); err != nil {
		return err
	}
	if err := n.h.entomb(ctx, slices.Sorted(maps.Keys(d.erased))); err != nil {
		return err
	}
	if err := d.writeDays(ctx, days); err != nil {
		return err
	}
	closed := func(day string) bool { return day < dayOf(d.through) }
	return errors.Join(delivered.tidy(ctx, closed, d.look), d.shelf.sweep(ctx))
}

// read gives a record and what may stay of its line.
func (d *decisions) read(line []byte) (r decide.Record, left []byte, err error) {
	if err := json.Unmarshal(line, &r); err != nil {
		return r, nil, fmt.Errorf("unreadable decision: %w", err)
	}
	if r.Erased != "" || !d.book.Erased(r.Subject) {
		return r, line, nil
	}
	r = flow.Redacted(r)
	left, err = json.Marshal(r)
	d.mu.Lock()
	d.erased[r.Erased] = true
	d.mu.Unlock()
	return r, left, err
}

func (d *decisions) look(_ *rawObject, line []byte) (string, []byte, error) {
	r, left, err := d.read(line)
	return dayOf(r.Time), left, err
}

// take lets a delivered record join its day.
func (d *decisions) take(o *rawObject, line []byte) (string, []byte, error) {
	r, left, err := d.read(line)
	day := dayOf(r.Time)
	if err != nil || day >= dayOf(d.through) || day < d.first || d.shelf.days[day].took(o.key) {
		return day, left, err
	}
	d.mu.Lock()
	if d.took[day] == nil {
		d.took[day] = map[string]bool{}
	}
	d.took[day][o.key] = true
	d.mu.Unlock()
	return day, left, d.add(r, left)
}

func (d *decisions) add(r decide.Record, line []byte) error {
	hash := r.Hash()
	return d.lines.add(place{r.Time.UnixNano(), r.Writer, r.N, hex.EncodeToString(hash[:])}, line)
}

// due are the days to be written: those that something joins, those that no night
// has seen yet, and after an erasure those that hold the erased.
func (d *decisions) due(ctx context.Context) ([]string, error) {
	due := map[string]bool{}
	for day := range d.took {
		due[day] = true
	}
	known := d.shelf.names()
	from := ""
	if len(known) > 0 {
		from = known[len(known)-1]
	} else if len(due) > 0 {
		from = slices.Min(slices.Collect(maps.Keys(due)))
	}
	for at, err := time.Parse(time.DateOnly, from); err == nil && dayOf(at) < dayOf(d.through); at = at.AddDate(0, 0, 1) {
		if _, is := d.shelf.days[dayOf(at)]; !is {
			due[dayOf(at)] = true
		}
	}
	for _, day := range known {
		if !d.buried || due[day] {
			continue
		}
		err := d.kept(ctx, day, func(_ decide.Record, line, left []byte) error {
			if !bytes.Equal(left, line) {
				due[day] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(due)), nil
}

// kept gives the records of a day that earlier nights kept: each line, and what may
// stay of it.
func (d *decisions) kept(ctx context.Context, day string, do func(r decide.Record, line, left []byte) error) error {
	path, err := d.shelf.file(ctx, day)
	if err != nil {
		return err
	}
	return eachLineOf(path, func(line []byte) error {
		r, left, err := d.read(line)
		if err != nil {
			return err
		}
		return do(r, line, left)
	})
}

// gather adds to the days what is kept and what the tables hold.
func (d *decisions) gather(ctx context.Context, days []string) error {
	for i, day := range days {
		d.o.Progress("gathering decisions", int64(i), int64(len(days)))
		if _, known := d.shelf.days[day]; known {
			if err := d.kept(ctx, day, func(r decide.Record, _, left []byte) error { return d.add(r, left) }); err != nil {
				return fmt.Errorf("reading the decisions of %s: %w", day, err)
			}
		}
		if err := d.fromTables(ctx, day); err != nil {
			return err
		}
	}
	d.o.Progress("gathering decisions", int64(len(days)), int64(len(days)))
	return d.lines.sort(place.compare)
}

// fromTables adds the records of a day that the tables hold. One that came there
// after its subject was erased leaves its content now.
func (d *decisions) fromTables(ctx context.Context, day string) error {
	tables := []string{tableDecision, tablePriced}
	return each(ctx, len(tables)*24*shards, atOnce, func(ctx context.Context, i int) error {
		table, slot := tables[i%2], slotOf(fmt.Sprintf("%sT%02d", day, i/2/shards), uint32(i/2%shards))
		return d.h.query(ctx, &dynamodb.QueryInput{
			TableName: d.h.table(table), IndexName: sdk.String(indexByTime), KeyConditionExpression: sdk.String("slot = :slot"),
			ExpressionAttributeValues: item{":slot": str(slot)},
		}, func(i item) error {
			line := binOf(i, "body")
			r, left, err := d.read(line)
			if err != nil {
				return fmt.Errorf("table %s: %w", *d.h.table(table), err)
			}
			if string(left) != string(line) {
				err = d.h.redactItem(ctx, table, r.ID, left)
			}
			return errors.Join(err, d.add(r, left))
		})
	})
}

// redactItem leaves of a decision in a table what may stay of it.
func (h *Host) redactItem(ctx context.Context, table, id string, left []byte) error {
	_, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(table), Key: item{"id": str(id)}, UpdateExpression: sdk.String("SET body = :b REMOVE s"),
		ConditionExpression: sdk.String("attribute_exists(id)"), ExpressionAttributeValues: item{":b": bin(left)},
	})
	return h.fault("dynamodb:UpdateItem", "table "+*h.table(table), err)
}

// entomb has the ledger say of which decisions the content is gone, so that an audit
// can tell an erasure from a forgery. The same hashes make one leaf.
func (h *Host) entomb(ctx context.Context, hashes []string) error {
	for part := range slices.Chunk(hashes, 1000) {
		sum := sha256.New()
		for _, hash := range part {
			_, _ = io.WriteString(sum, hash)
		}
		id := "decisions-erased-" + hex.EncodeToString(sum.Sum(nil)[:16])
		t := h.transaction()
		_, err := t.lay(id, ledger.Tombstone{
			Schema: ledger.TombstoneSchema, ID: id, Time: h.now(), Leaves: []int64{}, Proofs: "erased", Decisions: part,
		}, errLaid)
		if err == nil {
			err = t.commit(ctx)
		}
		if err != nil && !errors.Is(err, errLaid) {
			return err
		}
	}
	return nil
}

// errLaid says that a leaf was laid before.
var errLaid = errors.New("it is in the ledger's queue, or was")

// writeDays writes each day in the order of time, writer and number, each record
// once. Two records in one place that are not the same both stay: the audit names them.
func (d *decisions) writeDays(ctx context.Context, days []string) error {
	at := 0
	for _, day := range days {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := at
		for end < len(d.lines.all) && dayOf(time.Unix(0, d.lines.all[end].key.at)) <= day {
			end++
		}
		if err := d.writeDay(ctx, day, at, end); err != nil {
			return fmt.Errorf("keeping the decisions of %s: %w", day, err)
		}
		at = end
	}
	return nil
}

func (d *decisions) writeDay(ctx context.Context, day string, from, to int) error {
	was := d.shelf.days[day]
	next := keptDay{Day: snapshot.Day{Day: day, Generation: was.Generation + 1}, Took: slices.Clone(was.Took)}
	next.Took = append(next.Took, slices.Collect(maps.Keys(d.took[day]))...)
	err := d.shelf.write(next.Day, func(f io.Writer) error {
		out, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
		if err != nil {
			return err
		}
		next.Rows, err = d.copy(out, from, to)
		return errors.Join(err, out.Close())
	})
	if err != nil {
		return err
	}
	if next.SHA256, err = digestOf(d.shelf.path(next.Day)); err != nil {
		return err
	}
	if next.SHA256 == was.SHA256 && len(d.took[day]) == 0 { // nothing new, nothing gone
		return removeIfThere(d.shelf.path(next.Day))
	}
	return d.shelf.keep(ctx, next)
}

// copy writes the spooled records from one to another, of equal ones that of which
// less is left.
func (d *decisions) copy(out io.Writer, from, to int) (rows int64, err error) {
	for i := from; i < to; {
		best, err := d.lines.read(i)
		if err != nil {
			return rows, err
		}
		j := i + 1
		for ; j < to && d.lines.all[j].key == d.lines.all[i].key; j++ {
			other, err := d.lines.read(j)
			if err != nil {
				return rows, err
			}
			if c := cmp.Compare(len(other), len(best)); c < 0 || c == 0 && string(other) < string(best) {
				best = other
			}
		}
		if _, err := out.Write(append(best, '\n')); err != nil {
			return rows, err
		}
		rows, i = rows+1, j
	}
	return rows, nil
}

// eachDecision gives the records of compacted days in [from, to), in order.
func (n *Night) eachDecision(ctx context.Context, s *shelf, from, to time.Time, do func(decide.Record, []byte) error) error {
	for _, day := range s.names() {
		if day < dayOf(from) || !to.IsZero() && day > dayOf(to) {
			continue
		}
		path, err := s.file(ctx, day)
		if err != nil {
			return err
		}
		err = eachLineOf(path, func(line []byte) error {
			var r decide.Record
			if err := json.Unmarshal(line, &r); err != nil {
				return err
			}
			if r.Time.Before(from) || !to.IsZero() && !r.Time.Before(to) {
				return nil
			}
			return do(r, line)
		})
		if err != nil {
			return fmt.Errorf("reading the decisions of %s: %w", day, err)
		}
	}
	return nil
}
