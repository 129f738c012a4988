package eval

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// purchase is one line of a log of purchases.
type purchase struct {
	customer string
	day      time.Time // UTC midnight
	amount   float64   // in the file's currency
}

// readPurchases reads lines of customer, date, …, amount after a header: in columns
// parted by spaces as CDNOW's files are (the last one is the amount), or as CSV with
// columns customer_id, date and amount. Dates are 19970131 or 1997-01-31. Errors name
// the line, and the column of what is wrong.
func readPurchases(name string, r io.Reader) ([]purchase, error) {
	in := bufio.NewReader(r)
	head, err := in.ReadBytes('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	next, at := spaced(in), [3]int{0, 1, -1}
	if bytes.ContainsRune(head, ',') {
		if next, at, err = parted(head, in); err != nil {
			return nil, fmt.Errorf("%s, line 1: %w", name, err)
		}
	}
	var out []purchase
	for line := 2; ; line++ {
		fields, err := next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", name, line, err)
		}
		if len(fields) == 0 {
			continue
		}
		p, err := purchaseOf(fields, at)
		if err != nil {
			return nil, fmt.Errorf("%s, line %d, %w", name, line, err)
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s has no purchase; want a header and lines of customer, date and amount", name)
	}
	return out, nil
}

func spaced(in *bufio.Reader) func() ([]string, error) {
	return func() ([]string, error) {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) && line != "" {
			err = nil
		}
		return strings.Fields(line), err
	}
}

func parted(head []byte, in io.Reader) (next func() ([]string, error), at [3]int, err error) {
	names := strings.Split(strings.ToLower(strings.TrimSpace(string(head))), ",")
	for i, want := range []string{"customer_id", "date", "amount"} {
		if at[i] = slices.Index(names, want); at[i] < 0 {
			return nil, at, fmt.Errorf("there is no column %q; there are %s", want, strings.Join(names, ", "))
		}
	}
	c := csv.NewReader(in)
	c.FieldsPerRecord = len(names)
	return c.Read, at, nil
}

func purchaseOf(fields []string, at [3]int) (p purchase, err error) {
	if at[2] < 0 {
		if at[2] = len(fields) - 1; at[2] < 2 {
			return p, fmt.Errorf("column 1: %d fields; want customer, date and amount", len(fields))
		}
	}
	p.customer = fields[at[0]]
	for _, layout := range []string{"20060102", time.DateOnly} {
		if p.day, err = time.Parse(layout, fields[at[1]]); err == nil {
			break
		}
	}
	if err != nil {
		return p, fmt.Errorf("column %d: %q is no date; want 19970131 or 1997-01-31", at[1]+1, fields[at[1]])
	}
	p.amount, err = strconv.ParseFloat(fields[at[2]], 64)
	if err != nil || p.amount < 0 || math.IsInf(p.amount, 0) || math.IsNaN(p.amount) {
		return p, fmt.Errorf("column %d: %q is no amount; want a number of 0 or more", at[2]+1, fields[at[2]])
	}
	return p, nil
}
