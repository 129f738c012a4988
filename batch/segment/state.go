package segment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"
)

// state is state.json, the night's memory: which files of daily aggregates count,
// and what they were built from. It is replaced as a whole, so a night killed
// half-way leaves the one before.
type state struct {
	Revision  int64             `json:"revision"`
	Code      string            `json:"code"`      // digest of the SQL that makes daily rows
	Sensitive map[string]string `json:"sensitive"` // categories as configured
	Days      []stateDay        `json:"days"`      // in order
	Files     map[string]string `json:"files"`     // signatures, verdicts, product_tags: path within the state folder
	Sums      map[string]string `json:"sums"`      // SHA-256 of every file named above, by path
	Sum       string            `json:"sum"`       // SHA-256 of this file with an empty sum
}

// stateDay is the file of one ingest day's rows.
type stateDay struct {
	Day        string `json:"day"`
	Generation int64  `json:"generation"`
	File       string `json:"file"`
}

// remembered are the tables that tonight's run compares itself with.
var remembered = map[string]string{
	"signatures":   "select * from signatures order by subject",
	"verdicts":     "select * from verdicts order by all",
	"product_tags": "select p.product_id, coalesce(t.tags, 0) as tags from products as p left join product_tags as t using (product_id) order by all",
}

// codeDigest changes with what decides what a daily row holds: the walk over events,
// and the SQL of what it asks.
func codeDigest() (string, error) {
	h := sha256.New()
	for _, name := range []string{"own_standings", "standings_now", "subjects_now", "signatures", "product_tags"} {
		body, err := tables.ReadFile("sql/" + name + ".sql")
		if err != nil {
			return "", fmt.Errorf("digesting SQL: %w", err)
		}
		_, _ = h.Write(body)
	}
	for _, name := range walkFiles {
		body, err := walkCode.ReadFile(name)
		if err != nil {
			return "", fmt.Errorf("digesting code: %w", err)
		}
		_, _ = h.Write(body)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// recall loads what last night remembered and says whether its daily rows still
// hold for subjects whose consent did not change: the same SQL, the same verdicts
// for the same cases, and no product or category that became sensitive or stopped
// being so. Without such a night everything is rebuilt.
func (n *night) recall(ctx context.Context) (holds bool, err error) {
	if err := n.was.verify(n.in.State); err != nil {
		return false, err
	}
	if err := n.db.exec(ctx, `create or replace table verdicts
		(case_id bigint, state varchar, tag varchar, age varchar, allowed boolean, keep bigint)`); err != nil {
		return false, fmt.Errorf("making table verdicts: %w", err)
	}
	if n.was.Files == nil {
		return false, nil
	}
	for name := range remembered {
		if name == "signatures" {
			continue // listChanged reads them
		}
		path := filepath.Join(n.in.State, n.was.Files[name])
		query := fmt.Sprintf("create or replace table %s_before as select * from read_parquet(%s)", name, quote(path))
		if err := n.db.exec(ctx, query); err != nil {
			return false, fmt.Errorf("reading the night's state, %s: %w", filepath.Base(path), err)
		}
	}
	sameVerdicts, err := n.decideAgain(ctx)
	if err != nil {
		return false, err
	}
	var moved int64
	if err := n.db.one(ctx, `select count(*) from product_tags_before as b
		left join product_tags as t using (product_id)
		where b.tags <> coalesce(t.tags, 0)`, &moved); err != nil {
		return false, fmt.Errorf("comparing sensitive products: %w", err)
	}
	return sameVerdicts && moved == 0 && n.was.Code == n.code && maps.Equal(n.was.Sensitive, n.in.Config.Sensitive), nil
}

// decideAgain judges the cases of earlier nights under tonight's rules. Cases that
// the snapshot no longer holds belong to events that are gone.
func (n *night) decideAgain(ctx context.Context) (same bool, err error) {
	type known struct {
		nightCase
		allowed bool
		keep    int64
	}
	var before []known
	err = n.db.each(ctx, "select case_id, state, tag, age, allowed, keep from verdicts_before order by all",
		func(scan func(...any) error) error {
			var k known
			if err := scan(&k.id, &k.state, &k.tag, &k.age, &k.allowed, &k.keep); err != nil {
				return err
			}
			before = append(before, k)
			return nil
		})
	if err != nil {
		return false, fmt.Errorf("reading last night's verdicts: %w", err)
	}
	same = true
	return same, n.db.fill("verdicts", func(add func(...any) error) error {
		for _, k := range before {
			if _, held := n.cases[k.id]; !held {
				continue
			}
			v, err := n.verdict(ctx, k.nightCase)
			if err != nil {
				return err
			}
			same = same && v.Allowed == k.allowed && int64(v.Keep) == k.keep
			if err := add(k.id, k.state, k.tag, k.age, v.Allowed, int64(v.Keep)); err != nil {
				return err
			}
		}
		return nil
	})
}

// work is what tonight does about one ingest day.
type work struct {
	day    eventDay  // Path is "" if the host no longer has the events
	before *stateDay // nil: nothing is known of it yet, or nothing that holds
}

// plan lists the days that features may look back on, each with what is known of
// it. A day whose events are gone and whose rows no longer hold is dropped.
func (n *night) plan(holds bool) []work {
	first := n.in.AsOf.AddDate(0, 0, -n.featureDays).Format(time.DateOnly)
	days := map[string]work{}
	for _, d := range n.snap.Days {
		if d.Day >= first {
			days[d.Day] = work{day: d}
		}
	}
	for _, b := range n.was.Days {
		if !holds || b.Day < first || b.Day >= n.date {
			continue
		}
		w, held := days[b.Day]
		if held && w.day.Generation != b.Generation {
			continue
		}
		if !held {
			w.day = eventDay{Day: b.Day, Generation: b.Generation}
		}
		w.before = &b
		days[b.Day] = w
	}
	out := make([]work, 0, len(days))
	for _, day := range slices.Sorted(maps.Keys(days)) {
		out = append(out, days[day])
	}
	return out
}

// accumulate brings the daily rows up to tonight's consent, here or from parts.
func (n *night) accumulate(ctx context.Context) error {
	if n.parts != nil && !n.joined {
		return n.combine(ctx)
	}
	if err := n.build(ctx, n.oneDay); err != nil {
		return err
	}
	if err := n.remember(ctx); err != nil || n.parts == nil {
		return err
	}
	return n.noteMerged()
}

// build brings the daily rows up to tonight's consent: new and rewritten days as a
// whole, the others only for subjects whose signature changed.
func (n *night) build(ctx context.Context, one func(context.Context, work) (stateDay, error)) error {
	holds, err := n.recall(ctx)
	if err != nil {
		return err
	}
	if err := n.narrow(ctx); err != nil {
		return err
	}
	if err := n.listChanged(ctx, holds); err != nil {
		return err
	}
	if err := n.readTags(ctx); err != nil {
		return err
	}
	n.is = state{Revision: n.was.Revision + 1, Code: n.code, Sensitive: n.in.Config.Sensitive, Files: map[string]string{}}
	todo := n.plan(holds)
	for i, w := range todo {
		n.progress("days", int64(i), int64(len(todo)))
		done, err := one(ctx, w)
		if err != nil {
			return fmt.Errorf("building day %s: %w", w.day.Day, err)
		}
		n.is.Days = append(n.is.Days, done)
		n.prev = n.became(w, done)
	}
	if err := n.drift(ctx, todo); err != nil {
		return err
	}
	n.door, n.changed = nil, nil
	debug.FreeOSMemory() // the walk's garbage: what follows needs the room
	n.progress("days", int64(len(todo)), int64(len(todo)))
	return nil
}

// became says where the rows of a day were, and are.
func (n *night) became(w work, done stateDay) dayBefore {
	p := dayBefore{day: w.day.Day, new: filepath.Join(n.rows, done.File)}
	if w.before != nil {
		p.old, p.moved = filepath.Join(n.in.State, w.before.File), n.moved
		if done == *w.before {
			p.new = p.old
		}
	}
	return p
}

// end is the first millisecond after the day.
func (w work) end() (int64, error) {
	start, err := time.Parse(time.DateOnly, w.day.Day)
	return start.AddDate(0, 0, 1).UnixMilli(), err
}

// remember makes tonight's state the one that counts, then removes files that it
// no longer names.
func (n *night) remember(ctx context.Context) error {
	for name, query := range remembered {
		file := fmt.Sprintf("%s.%06d.parquet", name, n.is.Revision)
		if err := n.keep(ctx, name, query, filepath.Join(n.in.State, file)); err != nil {
			return err
		}
		n.is.Files[name] = file
	}
	if err := n.is.digest(n.in.State, n.was.Sums); err != nil {
		return fmt.Errorf("writing the night's state: %w", err)
	}
	body, err := n.is.seal()
	if err != nil {
		return fmt.Errorf("writing the night's state: %w", err)
	}
	if err := replaceFile(filepath.Join(n.in.State, "state.json"), body, 0o600); err != nil {
		return fmt.Errorf("writing the night's state: %w", err)
	}
	return n.is.sweep(n.in.State)
}

// keep writes one of remembered, unless the walk over events had it written already.
func (n *night) keep(ctx context.Context, name, query, path string) error {
	if name != "signatures" || n.signed == "" {
		return n.db.copyTo(ctx, query, path)
	}
	if err := os.Rename(n.signed, path); err != nil {
		return fmt.Errorf("writing the night's state: %w", err)
	}
	n.signed = ""
	return nil
}

// writeSignatures writes table signatures to a file, once before the state is written.
func (n *night) writeSignatures(ctx context.Context) (string, error) {
	if n.signed != "" {
		return n.signed, nil
	}
	path := filepath.Join(n.rows, "spill", "signatures.parquet")
	if err := n.db.copyTo(ctx, remembered["signatures"], path); err != nil {
		return "", err
	}
	n.signed = path
	return path, nil
}

// sweep removes Parquet files of the state folder that the state does not name:
// those of days past, of subjects who withdrew, and of nights that were killed.
func (s state) sweep(dir string) error {
	named := s.named()
	for _, pattern := range []string{"*.parquet", filepath.Join("daily", "*", "*")} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("clearing old state: %w", err)
		}
		for _, path := range found {
			within, err := filepath.Rel(dir, path)
			if err != nil || slices.Contains(named, within) {
				continue
			}
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("clearing old state: %w", err)
			}
		}
	}
	return nil
}
