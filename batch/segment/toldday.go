package segment

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// tellDay tells of the last ingest day what the first report did that told of it: an earlier
// run's of this date, or another night's that had no newer day either. Who was erased since, or
// withdrew, would show in the difference (EXP-07).
func (n *night) tellDay() error {
	day := n.report.Fresh.LastDay
	if day == "" {
		return nil
	}
	entries, err := os.ReadDir(n.in.Out)
	if err != nil {
		return fmt.Errorf("looking for earlier reports: %w", err)
	}
	for _, e := range entries { // by date
		if _, err := time.Parse(time.DateOnly, e.Name()); err != nil || e.Name() <= day {
			continue
		}
		r, err := n.reportOf(e.Name())
		if err != nil {
			return err
		}
		if r != nil && r.Fresh.LastDay >= day {
			n.report.tellDayAs(r)
			return nil
		}
	}
	return nil
}

// reportOf reads the report of a date; nil if there is none.
func (n *night) reportOf(date string) (*Report, error) {
	m, err := n.manifestOf(date)
	if err != nil || m.Schema == "" {
		return nil, err
	}
	r, err := n.readReport(filepath.Join(n.in.Out, date))
	if err != nil {
		return nil, fmt.Errorf("reading the report of %s: %w", date, err)
	}
	return r, nil
}

// tellDayAs takes over what another report told of the same day, whole: what it lacks was none.
func (r *Report) tellDayAs(other *Report) {
	if other.Fresh.LastDay != r.Fresh.LastDay {
		return
	}
	r.Fresh.Events, r.Use, r.LeftOut = other.Fresh.Events, other.Use, other.LeftOut
	if other.Cost != nil {
		r.Cost.Events, r.Cost.Fields = other.Cost.Events, other.Cost.Fields
	}
}
