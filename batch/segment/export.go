package segment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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

// takeOut reads consent anew, and takes out of the windows whoever it has changed for.
func (n *night) takeOut(ctx context.Context, dir string) error {
	if err := n.db.exec(ctx, `drop table if exists signatures_before;
		drop table if exists persons_before;
		alter table signatures rename to signatures_before;
		alter table persons rename to persons_before;
		alter view standings rename to standings_before`); err != nil {
		return fmt.Errorf("keeping what the snapshot said: %w", err)
	}
	if err := n.reloadLinks(ctx, dir); err != nil {
		return err
	}
	if err := n.consents(ctx, dir); err != nil {
		return err
	}
	if err := n.notBehind(ctx); err != nil {
		return err
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

// segments scores the persons that are left and lists who belongs where.
func (n *night) segments(ctx context.Context) error {
	if err := n.db.table(ctx, "thresholds"); err != nil {
		return err
	}
	if err := n.db.filed(ctx, "features"); err != nil {
		return err
	}
	if err := n.db.exec(ctx, `create or replace table segment_names (segment varchar, place integer);
		create or replace table members (segment varchar, person uuid)`); err != nil {
		return fmt.Errorf("making table members: %w", err)
	}
	for i, s := range n.in.Config.Segments {
		if !n.lawful(s) {
			s.Where = "false"
		}
		query := fmt.Sprintf("insert into segment_names values (%[1]s, %[2]d); insert into members select %[1]s, person from features where (\n%[3]s\n)",
			quote(s.Name), i, s.Where)
		if err := n.db.exec(ctx, query); err != nil {
			return fmt.Errorf("building segment %q (line %d): %w", s.Name, s.Line, firstLine(err))
		}
	}
	return n.makeRoom(ctx)
}

// makeRoom frees the memory of what no later step reads, which would push out what they do.
func (n *night) makeRoom(ctx context.Context) error {
	for _, t := range []string{"changed", "signatures_before", "persons_before", "learners", "learning", "histories", "buyers"} {
		if err := n.db.exec(ctx, "drop table if exists "+t); err != nil {
			return fmt.Errorf("letting go of table %s: %w", t, err)
		}
	}
	return nil
}
