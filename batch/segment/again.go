package segment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/handschlag/handschlag/consent"
)

// reread asks the host once more where consent and the exports switch stand, and takes out, whole, every
// person for whom anything changed since the snapshot (T10), and everybody who objected
// to being profiled (EXP-03): what follows rests on the answer. The next night counts
// again what may be counted.
func (n *night) reread(ctx context.Context) error {
	if err := n.readAgain(ctx); err != nil {
		return err
	}
	if err := n.db.exec(ctx, "insert into left_out select person from objectors where purpose = getvariable('basis') and objected"); err != nil {
		return fmt.Errorf("taking out who objected: %w", err)
	}
	return nil
}

func (n *night) readAgain(ctx context.Context) error {
	if n.in.Fresh == nil {
		return nil
	}
	dir := filepath.Join(n.in.State, "fresh")
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clearing folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making folder: %w", err)
	}
	n.read = n.now() // before the host reads: what it says is at least as new
	off, err := n.in.Fresh(ctx, dir)
	if err != nil {
		return err
	}
	n.in.ExportsOff = off
	same, err := n.asBefore(dir)
	if err != nil || same {
		return err
	}
	return n.takeOut(ctx, dir)
}

// asBefore reports whether a second reading of consent is, byte for byte, the first.
func (n *night) asBefore(dir string) (bool, error) {
	for _, name := range []string{"standings.parquet", "subjects.parquet", "links.parquet"} {
		now := filepath.Join(dir, name)
		if name == "links.parquet" && !exists(now) { // the host writes it once
			continue
		}
		one, err := digestOf(now)
		if err != nil {
			return false, fmt.Errorf("reading snapshot: %w", err)
		}
		if two, err := digestOf(filepath.Join(n.in.Snapshot, name)); err != nil || one != two {
			return false, err
		}
	}
	return true, nil
}

// takeOut takes out of the windows whoever a second reading of consent has changed
// anything for. That can be only those whose rows differ from the first, and devices whose
// account's rows do: of the others nothing is folded again.
func (n *night) takeOut(ctx context.Context, dir string) error {
	if err := n.readBoth(ctx, dir); err != nil {
		return err
	}
	if err := n.db.table(ctx, "again"); err != nil {
		return err
	}
	if err := n.db.exec(ctx, "set search_path = 'again,main'"); err != nil {
		return fmt.Errorf("folding what differs: %w", err)
	}
	if err := n.notBehind(ctx); err != nil {
		return err
	}
	for _, t := range folded {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	if err := n.leaveOut(ctx); err != nil {
		return err
	}
	return n.putBack(ctx)
}

// leaveOut lists who changed their mind, or became another person.
func (n *night) leaveOut(ctx context.Context) error {
	query := ""
	for _, t := range append(foldedTables, "own_standings") {
		query += fmt.Sprintf("delete from again.%s where subject not in (from differing);", t)
	}
	if err := n.db.exec(ctx, query); err != nil {
		return fmt.Errorf("folding what differs: %w", err)
	}
	if err := n.db.table(ctx, "changed"); err != nil {
		return err
	}
	if err := n.db.exec(ctx, `insert into left_out
		select subject from changed
		union select person from persons_before where subject in (select subject from changed)
		union select person from persons where subject in (select subject from changed)
		union select unnest([b.person, p.person]) from persons_before as b full join persons as p using (subject)
			where b.person is distinct from p.person`); err != nil {
		return fmt.Errorf("taking out who changed their mind: %w", err)
	}
	return nil
}

// readBoth shows the second reading, keeps the first's standings as
// standings_before, and lists in table differing whose rows differ between them.
func (n *night) readBoth(ctx context.Context, dir string) error {
	who := map[consent.Subject]bool{}
	for name, key := range map[string]string{"standings": "subject", "subjects": "subject", "links": "device"} {
		now, was := filepath.Join(dir, name+".parquet"), filepath.Join(n.in.Snapshot, name+".parquet")
		if name == "links" && !exists(now) {
			continue
		}
		if err := differing(was, now, key, func(s consent.Subject) { who[s] = true }); err != nil {
			return fmt.Errorf("comparing %s.parquet of two readings of consent: %w", name, err)
		}
	}
	if err := n.listDiffering(ctx, who); err != nil {
		return err
	}
	if err := n.db.exec(ctx, "alter view standings rename to standings_before"); err != nil {
		return fmt.Errorf("keeping what the snapshot said: %w", err)
	}
	return errors.Join(n.reloadLinks(ctx, dir), n.showConsents(ctx, dir))
}

// foldedTables are those of folded that are in memory.
var foldedTables = []string{"linked_standings", "subjects_now", "persons", "signatures"}

// putBack puts what was folded again into the place of what the first reading gave.
func (n *night) putBack(ctx context.Context) error {
	query := "set search_path = 'main'; drop view standings_before"
	for _, t := range foldedTables {
		query += fmt.Sprintf("; delete from %[1]s where subject in (from differing); insert into %[1]s from again.%[1]s", t)
	}
	if err := n.db.exec(ctx, query); err != nil {
		return fmt.Errorf("folding what differs: %w", err)
	}
	if err := n.db.patched(ctx, "own_standings"); err != nil {
		return err
	}
	return n.db.table(ctx, "objectors")
}

// patched shows of a table that was filed only whom no table of schema again tells of.
func (w *warehouse) patched(ctx context.Context, name string) error {
	query := fmt.Sprintf("from read_parquet(%s) anti join differing using (subject) union all from again.%s", quote(w.file(name)), name)
	if err := w.show(ctx, name, query); err != nil {
		return fmt.Errorf("folding what differs: %w", err)
	}
	return nil
}
