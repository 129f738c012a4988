//go:build !lambda.norpc

package aws

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/snapshot"
	"github.com/handschlag/handschlag/price"
)

// Snapshot compacts every ingest day before the day of through and writes what the
// night reads into dir. Tables are read item by item, consistently, not all as of
// one moment: Standings is read again before anything is published. The checkpoint
// covers every consent record that was there when the snapshot began.
func (n *Night) Snapshot(ctx context.Context, through time.Time, dir string) error {
	if err := n.snapshot(ctx, through.UTC(), dir); err != nil {
		return fmt.Errorf("taking snapshot: %w", err)
	}
	return nil
}

func (n *Night) snapshot(ctx context.Context, through time.Time, dir string) error {
	if err := n.h.trusted(ctx); err != nil { // OPS-06: no night rests on a book that is behind
		return err
	}
	m := snapshot.Manifest{Through: through, Taken: n.h.now(), Tenant: n.h.opts.Tenant, Days: []snapshot.ManifestDay{}}
	if err := n.h.covered(ctx); err != nil {
		return err
	}
	c, err := ledger.Published(ctx, ledgerStore{h: n.h})
	if err != nil && !errors.Is(err, ledger.ErrNone) {
		return fmt.Errorf("reading checkpoint: %w", err)
	}
	m.Checkpoint = string(c.Note)
	to, err := nightFolder(dir).begin()
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(n.work()), os.MkdirAll(n.work(), 0o700)); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(n.work()) }() // it holds pseudonyms; nothing reads it later
	book, err := n.h.copyBook(ctx, n.work())
	if err != nil {
		return err
	}
	defer func() { _ = book.close() }() // removed with its folder
	err = n.write(ctx, to, book, through, &m)
	if err == nil {
		err = to.Manifest(m)
	}
	return err
}

// write compacts, then writes every file but the last.
func (n *Night) write(ctx context.Context, to snapshot.Replace, book *bookCopy, through time.Time, m *snapshot.Manifest) error {
	counts, err := n.h.countsBefore(ctx, through)
	if err != nil {
		return err
	}
	cases, err := n.h.ReadCases(ctx)
	if err != nil {
		return err
	}
	book.cases = cases
	events, kept, err := n.compact(ctx, book, counts, through)
	if err != nil {
		return err
	}
	for _, day := range events.names() {
		if d := events.days[day]; day < dayOf(through) {
			path, err := events.file(ctx, day)
			if err != nil {
				return err
			}
			m.Days = append(m.Days, snapshot.ManifestDay{Day: day, Path: path, Rows: d.Rows, SHA256: d.SHA256, Generation: d.Generation})
		}
	}
	if days := kept.names(); len(days) > 0 {
		m.Decided = days[0]
	}
	return errors.Join(book.write(to, m.Taken), to.Counters(eachOf(counts)), n.writeShop(ctx, to, cases), n.writeDecisions(ctx, to, kept, through))
}

// compact brings events and decisions up to date, and the marks of what they were
// narrowed by. Profiles lose what no yes carries any more.
func (n *Night) compact(ctx context.Context, book *bookCopy, counts []snapshot.Count, through time.Time) (events, kept *shelf, err error) {
	path := filepath.Join(n.StateDir(), marksFile)
	was, err := readMarks(path)
	if err != nil {
		return nil, nil, err
	}
	is, err := marksOf(book, through)
	if err != nil {
		return nil, nil, err
	}
	c := &compaction{Night: n, book: book, through: through, was: was, is: is, admitted: map[string]int64{}, first: firstDay(through, n.h.opts.Retain.EventDays)}
	for _, x := range counts {
		if x.Name == flow.Admitted {
			c.admitted[dayOf(x.Hour)] += x.N
		}
	}
	d := &decisions{Night: n, book: book, through: through, buried: was.first || was.Graves != is.Graves, first: firstDay(through, n.h.opts.Retain.DecisionDays)}
	if err := n.compactEvents(ctx, c); err != nil {
		return nil, nil, err
	}
	if err := n.compactDecisions(ctx, d); err != nil {
		return nil, nil, err
	}
	if err := n.tidyJournal(ctx, d.buried); err != nil {
		return nil, nil, err
	}
	if err := n.forget(ctx, book, was, through); err != nil {
		return nil, nil, fmt.Errorf("forgetting what lapsed: %w", err)
	}
	return c.shelf, d.shelf, is.write(path)
}

// firstDay is the first day that so many days before a night keep; "" keeps all.
func firstDay(through time.Time, days int) string {
	if days <= 0 {
		return ""
	}
	return dayOf(through.AddDate(0, 0, -days))
}

// Standings writes only standings.parquet, subjects.parquet and links.parquet into
// dir, as they are now: what the night reads again before it publishes.
func (n *Night) Standings(ctx context.Context, dir string) error {
	if err := n.standings(ctx, dir); err != nil {
		return fmt.Errorf("writing standings: %w", err)
	}
	return nil
}

func (n *Night) standings(ctx context.Context, dir string) error {
	n.h.trust.forget()
	if err := n.h.trusted(ctx); err != nil {
		return err
	}
	to, err := nightFolder(dir).begin()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(n.work(), 0o700); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(n.work()) }()
	at := n.h.now()
	book, err := n.h.copyBook(ctx, n.work())
	if err != nil {
		return err
	}
	return errors.Join(book.write(to, at), book.close())
}

// writeShop writes cases, products and prices.
func (n *Night) writeShop(ctx context.Context, to snapshot.Replace, cases map[event.CaseID][]byte) error {
	products, err := n.h.AllProducts(ctx)
	if err != nil {
		return err
	}
	histories, err := n.h.allPrices(ctx)
	if err != nil {
		return err
	}
	all := make([]snapshot.Case, 0, len(cases))
	for id, body := range cases {
		all = append(all, snapshot.Case{ID: id, Body: body})
	}
	slices.SortFunc(all, func(a, b snapshot.Case) int { return cmp.Compare(a.ID, b.ID) })
	return errors.Join(to.Cases(eachOf(all)), to.Products(eachOf(products)), to.Prices(eachOf(histories)))
}

// writeDecisions writes the records of the last 90 days before through, in the order
// of time: of those about erased subjects, what is left. A decision that was written
// twice, under two numbers, because its answer was asked for again, counts once.
func (n *Night) writeDecisions(ctx context.Context, to snapshot.Replace, kept *shelf, through time.Time) error {
	return to.Decisions(func(do func([]byte) error) error {
		day, seen := "", map[string]bool{}
		return n.eachDecision(ctx, kept, through.Add(-snapshot.DecisionsFor), through, func(r decide.Record, line []byte) error {
			if is := dayOf(r.Time); is != day {
				day = is
				clear(seen)
			}
			if seen[r.ID] {
				return nil
			}
			seen[r.ID] = true
			return do(line)
		})
	})
}

// eachOf gives the things of a list.
func eachOf[T any](all []T) snapshot.Each[T] {
	return func(do func(T) error) error {
		for _, x := range all {
			if err := do(x); err != nil {
				return err
			}
		}
		return nil
	}
}

// countsBefore sums the writers' counts by hour and name, of hours before through.
func (h *Host) countsBefore(ctx context.Context, through time.Time) ([]snapshot.Count, error) {
	type key struct{ hour, name string }
	sums := map[key]int64{}
	var mu sync.Mutex
	before := through.Truncate(time.Hour).Format(hourFormat)
	err := h.scan(ctx, tableCounter, "", nil, func(i item) error {
		hour := strOf(i, "hour")
		names, is := i["names"].(*types.AttributeValueMemberM)
		if !is || hour >= before {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		for name := range names.Value {
			sums[key{hour, name}] += numOf(names.Value, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]snapshot.Count, 0, len(sums))
	for k, n := range sums {
		hour, err := time.Parse(hourFormat, k.hour)
		if err != nil {
			return nil, fmt.Errorf("table %s holds an unreadable hour: %w", *h.table(tableCounter), err)
		}
		out = append(out, snapshot.Count{Hour: hour, Name: k.name, N: n})
	}
	slices.SortFunc(out, func(a, b snapshot.Count) int { return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Name, b.Name)) })
	return out, nil
}

// nightFolder is where a snapshot goes.
type nightFolder string

// begin makes the folder. An old manifest must not vouch for new files.
func (f nightFolder) begin() (snapshot.Replace, error) {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return nil, fmt.Errorf("making snapshot folder: %w", err)
	}
	return f.write, removeIfThere(filepath.Join(string(f), snapshot.ManifestFile))
}

// write makes one file, whole and durable.
func (f nightFolder) write(name string, fill func(io.Writer) error) error {
	path := filepath.Join(string(f), name)
	file, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	w := bufio.NewWriterSize(file, 1<<16)
	err = fill(w)
	if err == nil {
		err = errors.Join(w.Flush(), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// allPrices gives every history, in the order of their keys.
func (h *Host) allPrices(ctx context.Context) ([][]price.Interval, error) {
	found, asked := map[string][]price.Interval{}, []string{}
	err := h.everyItem(ctx, tablePrice, func(i item) (err error) {
		k := strOf(i, "k")
		switch {
		case strings.Count(k, "#") != 3: // an import's decision
		case strOf(i, "tx") != "":
			asked = append(asked, k)
		default:
			found[k], err = intervals(binOf(i, "body"))
		}
		return err
	})
	for _, k := range asked {
		var p [4]string
		for i, part := range strings.Split(k, "#") {
			if p[i], err = url.PathUnescape(part); err != nil {
				return nil, fmt.Errorf("unreadable price history: %w", err)
			}
		}
		if found[k], err = h.PriceHistory(ctx, p[0], p[1], p[2], p[3]); err != nil {
			return nil, err
		}
	}
	out := make([][]price.Interval, 0, len(found))
	for _, k := range slices.Sorted(maps.Keys(found)) {
		out = append(out, found[k])
	}
	return out, err
}
