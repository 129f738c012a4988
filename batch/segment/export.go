package segment

import (
	"context"
	"fmt"
)

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
	for _, t := range []string{"changed", "signatures_before", "offered", "contents", "contacts", "learners", "learning", "known_contents", "histories", "buyers"} {
		if err := n.db.exec(ctx, "drop table if exists "+t); err != nil {
			return fmt.Errorf("letting go of table %s: %w", t, err)
		}
	}
	return nil
}
