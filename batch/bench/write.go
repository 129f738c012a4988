package bench

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/host/snapshot"
	"github.com/handschlag/handschlag/policy"
)

// The snapshots that Write makes in its folder.
const (
	Snapshot  = "snapshot" // as of the shop's night
	DayBefore = "before"   // as of the night before: some had not withdrawn yet
)

// Write makes the shop's days of events in dir/events, and its snapshots. rules must
// be freshly loaded: their cases become the snapshots'.
func Write(ctx context.Context, in Shop, rules *policy.Rules, dir string, progress func(done, total int64)) (snapshot.Manifest, error) {
	s, err := begin(ctx, in, rules)
	if err != nil {
		return snapshot.Manifest{}, err
	}
	days := make([]snapshot.ManifestDay, s.Days)
	if err := s.writeDays(ctx, dir, days, progress); err != nil {
		return snapshot.Manifest{}, fmt.Errorf("writing events: %w", err)
	}
	s.known = rules.NewCases()
	if _, err := s.snapshot(dir, DayBefore, s.AsOf.AddDate(0, 0, -1), days[:len(days)-1]); err != nil {
		return snapshot.Manifest{}, err
	}
	return s.snapshot(dir, Snapshot, s.AsOf, days)
}

// snapshot writes what a host hands a night, and consent as the night reads it again.
func (s *shop) snapshot(dir, name string, through time.Time, days []snapshot.ManifestDay) (m snapshot.Manifest, err error) {
	m = snapshot.Manifest{Through: through, Taken: through.Add(readAfter), Tenant: "bench", Days: days}
	var public string
	if m.Checkpoint, public, err = s.checkpoint(len(days)); err != nil {
		return m, err
	}
	s.read = m.Taken
	to := replaceIn(filepath.Join(dir, name))
	if err := errors.Join(s.writeConsent(to), s.writeTables(to), s.writeDecisions(dir, to, len(days))); err != nil {
		return m, fmt.Errorf("writing the snapshot: %w", err)
	}
	s.read = through.Add(againAfter)
	if err := s.writeConsent(replaceIn(filepath.Join(dir, again(name)))); err != nil {
		return m, fmt.Errorf("writing the second reading: %w", err)
	}
	return m, errors.Join(os.WriteFile(filepath.Join(dir, keyFile), []byte(public), 0o600), to.Manifest(m))
}

// writeDays writes the ingest days, Threads of them at a time.
func (s *shop) writeDays(ctx context.Context, dir string, days []snapshot.ManifestDay, progress func(done, total int64)) error {
	next, failed, done := make(chan int), make([]error, len(days)), make(chan int, len(days))
	var workers sync.WaitGroup
	for range max(1, s.Threads) {
		workers.Go(func() {
			for d := range next {
				if failed[d] = ctx.Err(); failed[d] == nil {
					days[d], failed[d] = s.writeDay(dir, d)
				}
				done <- d
			}
		})
	}
	go func() {
		for d := range days {
			next <- d
		}
		close(next)
	}()
	for i := range days {
		<-done
		if progress != nil {
			progress(int64(i+1), int64(len(days)))
		}
	}
	workers.Wait()
	return errors.Join(failed...)
}

func (s *shop) writeDay(dir string, d int) (out snapshot.ManifestDay, err error) {
	about := s.day(d)
	path, err := filepath.Abs(filepath.Join(dir, "events", "dt="+about.Day, "events.parquet"))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err != nil {
		return out, err
	}
	sum := sha256.New()
	var rows int64
	err = create(path, func(w io.Writer) error {
		file := snapshot.NewRowWriter(io.MultiWriter(w, sum), about)
		rows, err = s.dayOf(d, file.Add)
		return errors.Join(err, file.Close())
	})
	return snapshot.ManifestDay{Day: about.Day, Path: path, Rows: rows, SHA256: hex.EncodeToString(sum.Sum(nil)), Generation: about.Generation}, err
}

func create(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	return errors.Join(fill(w), w.Flush(), f.Close())
}

func replaceIn(dir string) snapshot.Replace {
	return func(name string, fill func(io.Writer) error) error {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
		return create(filepath.Join(dir, name), fill)
	}
}

// writeConsent writes where everybody stands, and who is whose device.
func (s *shop) writeConsent(to snapshot.Replace) error {
	return errors.Join(to.Standings(s.states, func(c consent.State) consent.State { return c }), to.Links(s.links))
}

// writeDecisions writes the records of the first so many days. The second snapshot takes
// over what the first has.
func (s *shop) writeDecisions(dir string, to snapshot.Replace, days int) error {
	return to.Decisions(func(do func([]byte) error) error {
		if s.written > 0 {
			if err := eachLine(filepath.Join(dir, DayBefore, "decisions.ndjson"), do); err != nil {
				return err
			}
		}
		for ; s.written < days; s.written++ {
			if err := s.decisions(s.written, do); err != nil {
				return err
			}
		}
		return nil
	})
}

func eachLine(path string, do func([]byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() && err == nil {
		err = do(lines.Bytes())
	}
	return errors.Join(err, lines.Err(), f.Close())
}

// writeTables writes what a snapshot holds beside events, consent and decisions.
func (s *shop) writeTables(to snapshot.Replace) error {
	return errors.Join(
		to.Products(func(do func(event.Product) error) error {
			for i := range s.products {
				if err := do(s.product(i)); err != nil {
					return err
				}
			}
			return nil
		}),
		to.Cases(func(do func(snapshot.Case) error) error {
			for _, id := range slices.Sorted(maps.Keys(s.known)) {
				if err := do(snapshot.Case{ID: id, Body: s.known[id]}); err != nil {
					return err
				}
			}
			return nil
		}),
		to.Counters(func(func(snapshot.Count) error) error { return nil }),
	)
}

func (s *shop) links(do func(snapshot.LinkRow) error) error {
	for i := range s.people {
		if j, linked := s.linkedTo(i); linked {
			if err := do(snapshot.LinkRow{Device: s.people[i].subject, Account: s.people[j].subject}); err != nil {
				return err
			}
		}
	}
	return nil
}

// states gives the subjects as the ledger knows them: not those who were erased.
func (s *shop) states(do func(snapshot.Person) error) error {
	for i := range s.people {
		if s.people[i].habit == erased {
			continue
		}
		if err := do(s.state(i)); err != nil {
			return err
		}
	}
	return nil
}

// state is where a subject stands when consent is read.
func (s *shop) state(i int) snapshot.Person {
	p := &s.people[i]
	scope := consent.Device
	if p.no%10 < 3 && p.no%12 != 0 {
		scope = consent.Account
	}
	return snapshot.Person{State: s.standing(p), Scope: scope}
}
