package eval

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"

	"github.com/handschlag/handschlag/fairness"
)

// FairnessFile is a CSV of offers with its question. Path "" is The Markup's study.
type FairnessFile struct {
	Path     string
	Question fairness.Question
}

const (
	fairnessGroup = "fairness"
	markup        = "markup-isp-prices/"
	markupTable   = "table1_disparities_by_city.csv"
)

// cities are the files of table 1, by its first column.
var cities = map[string]string{
	"New Orleans": "new_orleans_att.csv", "Minneapolis": "minneapolis_centurylink.csv", "Indianapolis": "indianapolis_earthlink.csv",
}

// shares are the columns of table 1 by the question's pairs: worse, better.
var shares = [][2]string{
	{"pct_slow_lower_income", "pct_slow_upper_income"}, {"pct_slow_least_white", "pct_slow_most_white"}, {"pct_slow_d_rated", "pct_slow_ab_rated"},
}

// Fairness holds the shares of slow offers per group against The Markup's table 1 (J.
// Yin and A. Sankin, 2022), read from the data folder or, where it is not there, from
// the copy in the program. Of a file of one's own it shows the shares.
func Fairness(ctx context.Context, o Options, in FairnessFile) ([]Row, error) {
	if in.Path != "" {
		return ownOffers(in)
	}
	table, err := readTable(o)
	if err != nil {
		return nil, err
	}
	var rows []Row
	for line, city := range table {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		more, err := cityRows(o, city)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", markupTable, line+2, err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// cityRows are two rows for each pair of groups.
func cityRows(o Options, city map[string]string) (rows []Row, err error) {
	name := city["major_city"]
	var a fairness.Answer
	err = published(o, cities[name], func(r io.Reader) (err error) {
		a, err = fairness.Audit(r, fairness.InternetOffers())
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, c := range a.Comparisons {
		for j, s := range []fairness.Share{c.Worse, c.Better} {
			want, err := strconv.ParseFloat(city[shares[i][j]], 64)
			if err != nil {
				return nil, fmt.Errorf("column %s: %q is no share", shares[i][j], city[shares[i][j]])
			}
			row := Digits(fairnessGroup, fmt.Sprintf("%s, slow offers, %s", name, s.Group), want, s.Share, 4)
			rows = append(rows, row.Noted("%d of %d; 95 %% %.3f to %.3f; %s", s.With, s.N, s.Low, s.High, c.Verdict))
		}
	}
	return rows, nil
}

// readTable reads table 1, each line by column.
func readTable(o Options) (out []map[string]string, err error) {
	return out, published(o, markupTable, func(r io.Reader) error {
		lines, err := csv.NewReader(r).ReadAll()
		if err != nil {
			return err
		}
		for _, line := range lines[min(1, len(lines)):] {
			row := map[string]string{}
			for i, v := range line {
				row[lines[0][i]] = v
			}
			out = append(out, row)
		}
		return nil
	})
}

// published opens a file of the study: of the data folder, else the program's copy.
func published(o Options, name string, read func(io.Reader) error) error {
	f, err := fs.File(nil), error(nil)
	if f, err = o.Open(markup + name); errors.Is(err, fs.ErrNotExist) {
		for _, copied := range []string{name, name + ".gz"} {
			if f, err = fairness.Published.Open("testdata/" + copied); err == nil {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	return offers(name, f, read)
}

// offers reads plain or gzipped text to the end and closes it.
func offers(name string, f fs.File, read func(io.Reader) error) error {
	defer func() { _ = f.Close() }()
	in := bufio.NewReader(f)
	var text io.Reader = in
	if head, _ := in.Peek(2); slices.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return fmt.Errorf("unpacking %s: %w", name, err)
		}
		text = z
	}
	if err := read(text); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// ownOffers shows the shares of a file of the same shape.
func ownOffers(in FairnessFile) (rows []Row, err error) {
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, err
	}
	return rows, offers(in.Path, f, func(r io.Reader) error {
		a, err := fairness.Audit(r, in.Question)
		for _, c := range a.Comparisons {
			for _, s := range []fairness.Share{c.Worse, c.Better} {
				row := Show(fairnessGroup, fmt.Sprintf("%s %s, %s", c.Column, s.Group, a.Outcome), s.Share, 4)
				rows = append(rows, row.Noted("%d of %d; difference %+.4f (%+.4f to %+.4f): %s", s.With, s.N, c.Difference, c.Low, c.High, c.Verdict))
			}
		}
		return err
	})
}
