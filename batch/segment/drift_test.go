package segment

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/consent"
)

// TestDriftStopsTheNight changes one row of the state behind the night's back, sums
// and all. Some night soon rebuilds the row and says so, and nothing is published;
// a state that nobody touched passes every one of those nights.
func TestDriftStopsTheNight(t *testing.T) {
	s := newShop(t)
	s.everyday(40, 14)
	in := s.night(monday.AddDate(0, 0, 13))
	s.run(in)
	honest := s.beside(in, "honest")
	s.falsify(in)
	var told error
	for night := range driftShare * driftDays {
		in.AsOf = in.AsOf.AddDate(0, 0, 1)
		in.Config.Retention.FeatureDays = 400
		in.Snapshot = s.snapshot(in.AsOf)
		if _, told = Run(context.Background(), in); told != nil {
			break
		}
		if night%5 > 0 {
			continue
		}
		honest.AsOf, honest.Snapshot = in.AsOf, in.Snapshot
		honest.Config.Retention.FeatureDays = 400
		s.run(honest)
	}
	if told == nil || !strings.Contains(told.Error(), "drifted") || !strings.Contains(told.Error(), "1 rows are not what the events say") {
		t.Errorf("nobody noticed: %v", told)
	}
}

// TestDriftStopsAPartOfTheNight changes a row as above: the part that holds it does not come
// to be on the night that looks at it, while its neighbours do, as it does before the change.
func TestDriftStopsAPartOfTheNight(t *testing.T) {
	s := newShop(t)
	s.everyday(40, 14)
	in := s.night(monday.AddDate(0, 0, 13))
	s.run(in)
	const size = consent.Buckets / driftShare
	bucket := int(subject(1).Bucket())
	for in.AsOf = in.AsOf.AddDate(0, 0, 1); int(in.AsOf.Unix()/86_400)%driftShare != bucket/size; {
		in.AsOf = in.AsOf.AddDate(0, 0, 1)
	}
	in.Config.Retention.FeatureDays = 400
	in.Snapshot = s.snapshot(in.AsOf)
	s.parts(in, cut(bucket, bucket+1), 2)
	s.falsify(in)
	for _, b := range cut(bucket, bucket+1) {
		err := RunPart(t.Context(), in, b, filepath.Join(s.dir, "after", b.String()))
		if holds := b == (Buckets{bucket, bucket}); holds != (err != nil) || holds && !strings.Contains(err.Error(), "drifted: of buckets "+b.String()+", 1 rows are not what the events say") {
			t.Errorf("part %s: %v", b, err)
		}
	}
}

// falsify gives one subject an event more on every day of the state.
func (s *shop) falsify(in Inputs) {
	st, err := readState(in.State)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, d := range st.Days {
		path := filepath.Join(in.State, d.File)
		var rows []dayRow
		if err := eachRow(path, func(r *dayRow) error {
			row := *r
			row.Orders, row.Returns = slices.Clone(r.Orders), slices.Clone(r.Returns)
			rows = append(rows, row)
			return nil
		}); err != nil {
			s.t.Fatal(err)
		}
		out, err := createDay(path)
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range rows {
			if rows[i].Subject == subject(1) {
				rows[i].Events++
			}
			if err := out.add(&rows[i]); err != nil {
				s.t.Fatal(err)
			}
		}
		if err := out.close(); err != nil {
			s.t.Fatal(err)
		}
	}
	st.Sums = nil
	if err := st.digest(in.State, nil); err != nil {
		s.t.Fatal(err)
	}
	body, err := st.seal()
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(in.State, "state.json"), body)
}
