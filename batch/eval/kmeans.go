package eval

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/handschlag/handschlag/batch/learn/cluster"
)

// KmeansFile is a log of purchases to find groups of customers in.
type KmeansFile struct {
	Path string    // "": CDNOW, with the figures it must give
	Ks   []int     // numbers of groups
	End  time.Time // the day after the last one observed; zero: that of the file
}

const cdnowMaster = "cdnow/CDNOW_master.txt"

// inertias are those of CDNOW's customers by k, as the issue states them.
var inertias = map[int]float64{3: 19588, 4: 15803, 5: 13016, 6: 11072}

const kmeansGroup, kmeansSeed = "kmeans", 1

// Kmeans groups customers by the logarithm of recency, frequency and money, each
// brought to mean 0 and spread 1. Recency counts days from the last day with a
// purchase to the day after the log's end, frequency days with a purchase, money is
// their sum: log(1+x) of each.
func Kmeans(ctx context.Context, o Options, in KmeansFile) ([]Row, error) {
	own := in.Path != ""
	if !own {
		in = KmeansFile{Ks: []int{3, 4, 5, 6}, End: time.Date(1998, 7, 1, 0, 0, 0, 0, time.UTC)}
	}
	log, err := in.read(o)
	if errors.Is(err, fs.ErrNotExist) && !own {
		return []Row{Absent(kmeansGroup, "CDNOW, inertia")}, nil
	}
	if err != nil {
		return nil, err
	}
	if log, err = in.until(log); err != nil {
		return nil, err
	}
	points, last := rfm(log, in.End)
	var rows []Row
	for _, k := range in.Ks {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := cluster.Fit(points.Log(), cluster.Options{K: k, Standardise: true, Seed: kmeansSeed, Workers: 4})
		if err != nil {
			return nil, err
		}
		row := Show(kmeansGroup, fmt.Sprintf("inertia, k = %d", k), r.Inertia, 0)
		if !own {
			row = Near(kmeansGroup, fmt.Sprintf("CDNOW, inertia, k = %d", k), inertias[k], r.Inertia, .005*inertias[k], 0)
		}
		rows = append(rows, row.Noted("%d customers to %s; sizes %v", points.Len(), last.AddDate(0, 0, -1).Format(time.DateOnly), r.Sizes))
	}
	return rows, nil
}

// until leaves out what was bought after the end.
func (in KmeansFile) until(log []purchase) ([]purchase, error) {
	if in.End.IsZero() {
		return log, nil
	}
	first := slices.MinFunc(log, func(a, b purchase) int { return a.day.Compare(b.day) }).day
	if log = slices.DeleteFunc(log, func(p purchase) bool { return !p.day.Before(in.End) }); len(log) == 0 {
		return nil, fmt.Errorf("%s has no purchase up to %s; the first is of %s", in.Path, in.End.AddDate(0, 0, -1).Format(time.DateOnly), first.Format(time.DateOnly))
	}
	return log, nil
}

func (in KmeansFile) read(o Options) ([]purchase, error) {
	name := in.Path
	f, err := os.Open(in.Path)
	if name == "" {
		name = cdnowMaster
		f, err = o.Open(cdnowMaster)
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return readPurchases(name, f)
}

// rfm gives per customer the days since the last purchase, the days with one, and
// the money of all. end is the day to count from; zero: the one after the last.
func rfm(log []purchase, end time.Time) (cluster.Points, time.Time) {
	type customer struct {
		days  map[time.Time]bool
		last  time.Time
		money float64
	}
	by, order := map[string]*customer{}, []*customer{}
	for _, p := range log {
		c := by[p.customer]
		if c == nil {
			c = &customer{days: map[time.Time]bool{}}
			by[p.customer], order = c, append(order, c)
		}
		c.days[p.day], c.money = true, c.money+p.amount
		if p.day.After(c.last) {
			c.last = p.day
		}
	}
	if end.IsZero() {
		for _, c := range order {
			if end.Before(c.last.AddDate(0, 0, 1)) {
				end = c.last.AddDate(0, 0, 1)
			}
		}
	}
	points := cluster.Points{Dim: 3}
	for _, c := range order {
		points.Values = append(points.Values, max(0, end.Sub(c.last).Hours()/24), float64(len(c.days)), c.money)
	}
	return points, end
}
