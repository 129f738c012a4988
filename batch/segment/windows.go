package segment

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/handschlag/handschlag/consent"
)

// spans is in how many parts, by subject, all days are summed; they are the same
// whatever the number of threads.
const spans = 8

// sum reads the daily rows that count and sums them per person: views windows and
// sales, of files that go with the night. What oracle/windows.sql and oracle/sales.sql
// say of them is what a walk through all days at once makes, in no more memory than a
// piece of each.
func (n *night) sum(ctx context.Context) error {
	source := "select day, subject, first_ms from daily limit 0"
	if len(n.is.Days) > 0 {
		files := make([]string, len(n.is.Days))
		for i, d := range n.is.Days {
			files[i] = filepath.Join(n.in.State, d.File)
		}
		source = "select day, subject, first_ms from read_parquet(" + list(files) + ")"
	}
	if err := n.db.exec(ctx, "create or replace view daily_rows as "+source); err != nil {
		return fmt.Errorf("reading daily rows: %w", err)
	}
	dir := filepath.Join(n.in.State, "spill", "windows")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("summing windows: %w", err)
	}
	files, err := n.datedFiles()
	if err != nil {
		return err
	}
	w, err := n.sumUp(ctx, files, dir)
	if err != nil {
		return err
	}
	return n.showWindows(ctx, dir, w)
}

// datedFiles are the files of the days that windows look back on.
func (n *night) datedFiles() (out []datedFile, err error) {
	for _, d := range n.is.Days {
		day, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			return nil, fmt.Errorf("reading the night's state: %w", err)
		}
		age := int(n.in.AsOf.Truncate(24*time.Hour).Sub(day).Hours() / 24)
		if age >= 1 && age <= windowDays {
			out = append(out, datedFile{filepath.Join(n.in.State, d.File), age})
		}
	}
	return out, nil
}

// summed are the rows that were written of each kind.
type summed struct{ windows, sales int64 }

// sumUp writes the files: one of each kind for every span, and one for those persons
// that are several subjects.
func (n *night) sumUp(ctx context.Context, files []datedFile, dir string) (summed, error) {
	person, err := n.mergedPersons(ctx)
	if err != nil {
		return summed{}, err
	}
	threads := n.in.Threads
	if threads <= 0 {
		threads = runtime.NumCPU()
	}
	work, ctx := errgroup.WithContext(ctx)
	work.SetLimit(threads)
	joint, rows := make([]map[consent.Subject]*sums, spans), make([]summed, spans+1)
	for i := range spans {
		work.Go(func() (err error) {
			joint[i], rows[i], err = sumSpan(ctx, files, span{i * 256 / spans, (i + 1) * 256 / spans}, person, filepath.Join(dir, fmt.Sprint(i)))
			return err
		})
	}
	if err := work.Wait(); err != nil {
		return summed{}, err
	}
	if rows[spans], err = sumJoint(joint, filepath.Join(dir, "joint")); err != nil {
		return summed{}, err
	}
	var all summed
	for _, r := range rows {
		all.windows, all.sales = all.windows+r.windows, all.sales+r.sales
	}
	return all, nil
}

// mergedPersons gives the person of every subject that is one with others (CON-14).
func (n *night) mergedPersons(ctx context.Context) (map[consent.Subject]consent.Subject, error) {
	out := map[consent.Subject]consent.Subject{}
	err := n.db.each(ctx, "select subject, person from persons where person in (select person from persons where merged)", func(scan func(...any) error) error {
		var subject, person duckdb.UUID
		err := scan(&subject, &person)
		out[consent.Subject(subject)] = consent.Subject(person)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading who is one person: %w", err)
	}
	return out, nil
}

// sumFiles are a span's.
type sumFiles struct {
	windows *windowFile
	sales   *saleFile
}

func createSums(base string) (f sumFiles, err error) {
	if f.windows, err = createWindows(base + ".windows.parquet"); err != nil {
		return f, err
	}
	f.sales, err = createSales(base + ".sales.parquet")
	return f, err
}

func (f sumFiles) add(person consent.Subject, s *sums) error {
	s.once()
	return errors.Join(f.windows.add(person, s), s.sales(person, f.sales.add))
}

func (f sumFiles) close() (summed, error) {
	return summed{f.windows.n, f.sales.n}, errors.Join(f.windows.close(), f.sales.close())
}

// sumSpan writes the sums of a span, and gives those of persons that have subjects
// elsewhere too.
func sumSpan(ctx context.Context, files []datedFile, s span, person map[consent.Subject]consent.Subject, base string) (map[consent.Subject]*sums, summed, error) {
	out, err := createSums(base)
	if err != nil {
		return nil, summed{}, err
	}
	p := &personSums{person: person, joint: map[consent.Subject]*sums{}, done: out.add}
	m, err := openMerge(files, s)
	if err == nil {
		err = m.each(ctx, p.add)
		err = errors.Join(err, p.end(), m.close())
	}
	rows, closing := out.close()
	return p.joint, rows, errors.Join(err, closing)
}

// sumJoint writes the sums of persons whose subjects lie in several spans.
func sumJoint(joint []map[consent.Subject]*sums, base string) (summed, error) {
	out, err := createSums(base)
	if err != nil {
		return summed{}, err
	}
	all := joint[0]
	for _, j := range joint[1:] {
		for person, s := range j {
			if all[person] == nil {
				all[person] = s
				continue
			}
			all[person].join(s)
		}
	}
	for _, person := range slices.SortedFunc(maps.Keys(all), compareSubjects) {
		err = errors.Join(err, out.add(person, all[person]))
	}
	rows, closing := out.close()
	return rows, errors.Join(err, closing)
}

// join adds another part of the same person.
func (s *sums) join(o *sums) {
	for i := range s.all {
		s.all[i] += o.all[i]
		s.recent[i] += o.recent[i]
	}
	s.visited[0], s.visited[1] = s.visited[0]|o.visited[0], s.visited[1]|o.visited[1]
	s.orders, s.returns = append(s.orders, o.orders...), append(s.returns, o.returns...)
}

// showWindows makes views of the files. Whoever is named in left_out is in neither.
func (n *night) showWindows(ctx context.Context, dir string, w summed) error {
	of := func(kind string) string {
		var files []string
		for i := range spans {
			files = append(files, filepath.Join(dir, fmt.Sprintf("%d.%s.parquet", i, kind)))
		}
		return "read_parquet(" + list(append(files, filepath.Join(dir, "joint."+kind+".parquet"))) + ")"
	}
	windows := "select person, " + strings.Join(windowColumns, ", ") + " from " + of("windows") + " anti join left_out using (person)"
	if err := errors.Join(n.db.show(ctx, "windows", windows), n.db.show(ctx, "sales", "from "+of("sales")+" anti join left_out using (person)")); err != nil {
		return fmt.Errorf("reading windows: %w", err)
	}
	if n.in.Made != nil {
		n.in.Made("windows", w.windows)
		n.in.Made("sales", w.sales)
	}
	return nil
}
