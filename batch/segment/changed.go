package segment

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/consent"
)

// listChanged makes table changed, of last night's state if its rows hold. Two files that
// lie in the order of subjects are held against each other at less than a join of everybody.
func (n *night) listChanged(ctx context.Context, holds bool) error {
	who, before := map[consent.Subject]bool{}, "signatures limit 0"
	if holds {
		now, err := n.writeSignatures(ctx)
		if err != nil {
			return err
		}
		path := filepath.Join(n.in.State, n.was.Files["signatures"])
		err = differing(path, now, "subject", func(s consent.Subject) {
			if n.part.holds(s) {
				who[s] = true
			}
		})
		if err != nil {
			return fmt.Errorf("comparing signatures: %w", err)
		}
		before = "read_parquet(" + quote(path) + ") where subject in (from differing)"
	}
	if err := n.listDiffering(ctx, who); err != nil {
		return err
	}
	if err := n.db.exec(ctx, "create or replace table signatures_before as from "+before); err != nil {
		return fmt.Errorf("reading the night's state: %w", err)
	}
	return n.db.table(ctx, "changed")
}

// listDiffering makes table differing.
func (n *night) listDiffering(ctx context.Context, who map[consent.Subject]bool) error {
	if err := n.db.exec(ctx, "create or replace table differing (subject uuid)"); err != nil {
		return fmt.Errorf("making table differing: %w", err)
	}
	return n.db.fill("differing", func(add func(...any) error) error {
		for _, s := range slices.SortedFunc(maps.Keys(who), compareSubjects) {
			if err := add(duckdb.UUID(s)); err != nil {
				return err
			}
		}
		return nil
	})
}
