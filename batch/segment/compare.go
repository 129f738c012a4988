package segment

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Differ counts daily rows of two state folders, as of one date, that the other does
// not have: 0 and 0 for a rescan and an increment that agree.
func Differ(ctx context.Context, one, other string) (left, right int64, err error) {
	spill, err := os.MkdirTemp("", "handschlag-compare-")
	if err != nil {
		return 0, 0, fmt.Errorf("comparing states: %w", err)
	}
	defer func() { _ = os.RemoveAll(spill) }()
	w, err := openWarehouse(ctx, spill, 1024, 2)
	if err != nil {
		return 0, 0, err
	}
	defer w.close()
	days, err := sameDays(one, other)
	if err != nil {
		return 0, 0, err
	}
	for _, pair := range days {
		var l, r int64
		rows := [2]string{"select * from read_parquet(" + quote(pair[0]) + ")", "select * from read_parquet(" + quote(pair[1]) + ")"}
		query := fmt.Sprintf("select (select count(*) from (%[1]s except all %[2]s)), (select count(*) from (%[2]s except all %[1]s))", rows[0], rows[1])
		if err := w.one(ctx, query, &l, &r); err != nil {
			return 0, 0, fmt.Errorf("comparing states: %w", err)
		}
		left, right = left+l, right+r
	}
	return left, right, nil
}

// sameDays pairs the files of two states' days.
func sameDays(one, other string) (pairs [][2]string, err error) {
	a, err := readState(one)
	if err != nil {
		return nil, err
	}
	b, err := readState(other)
	if err != nil {
		return nil, err
	}
	if len(a.Days) != len(b.Days) {
		return nil, fmt.Errorf("comparing states: one has %d days, the other %d", len(a.Days), len(b.Days))
	}
	for i := range a.Days {
		if a.Days[i].Day != b.Days[i].Day {
			return nil, fmt.Errorf("comparing states: day %s stands beside %s", a.Days[i].Day, b.Days[i].Day)
		}
		pairs = append(pairs, [2]string{filepath.Join(one, a.Days[i].File), filepath.Join(other, b.Days[i].File)})
	}
	return pairs, nil
}
