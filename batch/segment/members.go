package segment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/profile"
)

// listMembers lists what the day reads: segments and value tier of every subject
// that makes up a person. Few combinations occur, so that a subject is one number.
func (n *night) listMembers(ctx context.Context) error {
	if err := n.db.table(ctx, "combinations"); err != nil {
		return err
	}
	kinds, err := n.combinations(ctx)
	if err != nil {
		return fmt.Errorf("listing combinations of segments: %w", err)
	}
	path := filepath.Join(n.in.State, "spill", "members.parquet")
	query := `select p.subject, c.combination
		from persons as p
		join person_facts as f using (person)
		join combinations as c on c.value_tier = f.value_tier and c.segments is not distinct from f.segments
		order by p.subject`
	if err := n.db.exec(ctx, fmt.Sprintf("copy (%s) to %s (format parquet)", query, quote(path))); err != nil {
		return fmt.Errorf("listing members: %w", err)
	}
	if n.members, err = readMembers(path, kinds); err != nil {
		return fmt.Errorf("listing members: %w", err)
	}
	return os.Remove(path)
}

// readMembers takes members by way of a file: that is ten times faster than row by row.
func readMembers(path string, kinds []profile.Membership) (members *profile.Members, err error) {
	f, err := openColumns(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	members = &profile.Members{}
	var subjects []byte
	var which []int64
	alike := map[int64]uint32{} // number of a kind that was added before
	for _, g := range f.pf.RowGroups() {
		if subjects, err = f.subjects(g, subjects); err != nil {
			return nil, err
		}
		if err := f.ints(g, &which, "combination"); err != nil {
			return nil, err
		}
		for i, kind := range which {
			subject := consent.Subject(subjects[16*i : 16*i+16])
			if number, before := alike[kind]; before {
				members.AddAlike(subject, number)
				continue
			}
			members.Add(subject, kinds[kind])
			alike[kind] = members.Last()
		}
	}
	return members, nil
}

// combinations are the memberships that occur, by number.
func (n *night) combinations(ctx context.Context) (kinds []profile.Membership, err error) {
	query := `select value_tier, to_json(list_filter(range(%d), lambda place: coalesce(get_bit(segments, place::integer), 0) = 1))::varchar
		from combinations order by combination`
	err = n.db.each(ctx, fmt.Sprintf(query, len(n.in.Config.Segments)), func(scan func(...any) error) error {
		m := profile.Membership{Purpose: basis, AsOf: n.in.AsOf, Until: n.till, Segments: []string{}}
		var text string
		if err := scan(&m.ValueTier, &text); err != nil {
			return err
		}
		var places []int
		if err := json.Unmarshal([]byte(text), &places); err != nil {
			return err
		}
		for _, place := range places {
			m.Segments = append(m.Segments, n.in.Config.Segments[place].Name)
		}
		kinds = append(kinds, m)
		return nil
	})
	return kinds, err
}
