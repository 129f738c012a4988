package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/handschlag/handschlag/consent"
)

// standsAt is where a queued entry must be found, unless it was erased.
type standsAt struct {
	table string
	key   item
}

// stands says where a queued entry must be found; nowhere in particular, if its key
// is nil.
func (j jot) stands(e entry) (standsAt, error) {
	switch {
	case e.kind == leafOfRecord:
		return standsAt{tableBook, recordIDKey(e.id)}, nil
	case j.Kind == jotOfEntry && j.Entry != nil:
		return standsAt{tableBook, entryKey(j.Subject, j.Entry.Version)}, nil
	case j.Kind == jotOfID:
		id, err := j.identifier()
		return standsAt{tableIdentity, identityKey(id)}, err
	}
	return standsAt{}, nil
}

// dropped parts a batch: what was erased before it had its place is gone. If a table
// lacks something else that waits, it is an old copy: then lost names it, and all is
// left as it is.
func (h *Host) dropped(ctx context.Context, queue []entry) (rest, gone []entry, lost []string, err error) {
	jots, at := make([]jot, len(queue)), make([]standsAt, len(queue))
	for n, e := range queue {
		if jots[n], err = h.unline(e.line); err == nil {
			at[n], err = jots[n].stands(e)
		}
		if err != nil {
			return nil, nil, nil, fmt.Errorf("the queue holds an unreadable line: %w", err)
		}
	}
	there, err := h.present(ctx, at)
	if err != nil {
		return nil, nil, nil, err
	}
	for n, e := range queue {
		switch why, err := h.absent(ctx, jots[n], there[n]); {
		case err != nil:
			return nil, nil, nil, err
		case why == erasedSince:
			gone = append(gone, e)
		case why == unknown && !slices.Contains(lost, at[n].table):
			lost = append(lost, at[n].table)
		default:
			rest = append(rest, e)
		}
	}
	if len(lost) > 0 {
		return queue, nil, lost, nil
	}
	return rest, gone, nil, nil
}

// present looks for all places at once. Those that are nowhere are there.
func (h *Host) present(ctx context.Context, at []standsAt) ([]bool, error) {
	asked, found := map[string]map[string]item{tableBook: {}, tableIdentity: {}}, map[string]bool{}
	for _, x := range at {
		if x.key != nil {
			asked[x.table][nameOf(x.table, x.key)] = x.key
		}
	}
	for table, keys := range asked {
		err := h.getAll(ctx, table, slices.Collect(maps.Values(keys)), func(i item) { found[nameOf(table, i)] = true })
		if err != nil {
			return nil, err
		}
	}
	there := make([]bool, len(at))
	for n, x := range at {
		there[n] = x.key == nil || found[nameOf(x.table, x.key)]
	}
	return there, nil
}

// absence is why an entry is not where it must be.
type absence int

const (
	not         absence = iota // it is there, or was let go after another replaced it
	erasedSince                // with its subject
	unknown
)

func (h *Host) absent(ctx context.Context, j jot, there bool) (absence, error) {
	if there {
		return not, nil
	}
	dead, err := h.erasedAmong(ctx, []consent.Subject{j.Subject})
	if err != nil || dead[j.Subject] {
		return erasedSince, err
	}
	if j.Entry != nil {
		if st, err := h.stored(ctx, j.Subject); err != nil || st.Version >= j.Entry.Version {
			return not, err
		}
	}
	return unknown, nil
}
