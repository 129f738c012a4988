package demo

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the clickstream
	"encoding/csv"
	"fmt"
	"strconv"
	"time"
)

//go:embed data/eshop-clothing-2008.csv.gz
var clicksGZ []byte

// Click is one line of the file.
type Click struct {
	Day      time.Time // midnight UTC of the date; the file has no time of day
	Order    int       // sequence in the session, from 1
	Country  int       // 1 to 47, of the IP address
	Session  int
	Category string // trousers | skirts | blouses | sale
	Model    string // product code, one fixed price each
	Page     int    // 1 to 5, page of the shop
	Cents    int64  // US cents
}

var categories = map[string]string{"1": "trousers", "2": "skirts", "3": "blouses", "4": "sale"}

// The columns that are read, by their place in the file.
const (
	colYear = iota
	colMonth
	colDay
	colOrder
	colCountry
	colSession
	colCategory
	colModel
	colPrice = 11
	colPage  = 13
)

// Clicks reads the whole file, in its own order: by session, then by click.
func Clicks() ([]Click, error) {
	zr, err := gzip.NewReader(bytes.NewReader(clicksGZ))
	if err != nil {
		return nil, fmt.Errorf("unpacking the clickstream: %w", err)
	}
	r := csv.NewReader(zr)
	r.Comma, r.ReuseRecord = ';', true
	if _, err := r.Read(); err != nil {
		return nil, fmt.Errorf("reading the clickstream's header: %w", err)
	}
	all := make([]Click, 0, 165474)
	for line := 2; ; line++ {
		rec, err := r.Read()
		if rec == nil && err != nil {
			if err.Error() == "EOF" {
				return all, nil
			}
			return nil, fmt.Errorf("reading the clickstream, line %d: %w", line, err)
		}
		c, err := readClick(rec)
		if err != nil {
			return nil, fmt.Errorf("reading the clickstream, line %d: %w", line, err)
		}
		all = append(all, c)
	}
}

func readClick(rec []string) (Click, error) {
	var n [14]int
	for _, i := range []int{colYear, colMonth, colDay, colOrder, colCountry, colSession, colPrice, colPage} {
		v, err := strconv.Atoi(rec[i])
		if err != nil {
			return Click{}, fmt.Errorf("column %d: %w", i+1, err)
		}
		n[i] = v
	}
	return Click{
		Day:   time.Date(n[colYear], time.Month(n[colMonth]), n[colDay], 0, 0, 0, 0, time.UTC),
		Order: n[colOrder], Country: n[colCountry], Session: n[colSession],
		Category: categories[rec[colCategory]], Model: rec[colModel], Page: n[colPage], Cents: int64(n[colPrice]) * 100,
	}, nil
}
