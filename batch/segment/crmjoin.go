package segment

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// crmFolder lies in a night's folder. Nothing publishes it: no manifest of the export
// names what is in it, no report counts it, and the next night removes it.
const crmFolder = "crm"

// Joined is crm/manifest.json: what the join with the CRM made, signed like the export's.
// Customers are all of the file; Known have a pseudonym; Shared addresses are of two
// customers and go to neither, for one of them might have said no (EXP-04).
type Joined struct {
	Schema    string    `json:"schema"`
	AsOf      time.Time `json:"as_of"`
	Until     time.Time `json:"until"`
	Expires   time.Time `json:"expires_at"`
	Customers int64     `json:"customers"`
	Known     int64     `json:"known"`
	Shared    int64     `json:"shared_addresses"`
	Files     []File    `json:"files"`
}

const joinedSchema = "handschlag-crm/1"

// admittedRow is a row of tonight's exports, by the person it is about.
type admittedRow struct {
	person  consent.Subject
	channel int // of the file's channels
	segment string
}

// address is a row of a joined file.
type address struct{ number, segment, address string }

// joinCRM writes, for each channel that the CRM has addresses for, the customer number
// and that channel's address of every admitted row.
func (n *night) joinCRM(ctx context.Context) error {
	if n.in.CRM == nil {
		return nil
	}
	r, err := n.openCRM()
	if err != nil {
		return err
	}
	defer func() { _ = r.close() }()
	admitted, err := n.admittedOn(ctx, r.channels)
	if err != nil {
		return err
	}
	shared, j, err := r.shared()
	if err != nil {
		return err
	}
	rows := make([][]address, len(r.channels))
	j.Known, err = n.known(ctx, r, func(c customer, who consent.Subject) {
		at, _ := slices.BinarySearchFunc(admitted, who, func(a admittedRow, s consent.Subject) int { return bytes.Compare(a.person[:], s[:]) })
		for ; at < len(admitted) && admitted[at].person == who; at++ {
			a := admitted[at]
			to := c.addresses[a.channel]
			if to != "" && !shared[a.channel][sameAddress(r.channels[a.channel].Purpose, to)] {
				rows[a.channel] = append(rows[a.channel], address{c.number, a.segment, to})
			}
		}
	})
	if err != nil {
		return err
	}
	return n.writeJoined(j, r.channels, rows)
}

// admittedOn reads tonight's admitted rows on some channels, in the order of persons.
func (n *night) admittedOn(ctx context.Context, channels []config.Channel) (out []admittedRow, err error) {
	var names []string
	for _, c := range channels {
		names = append(names, c.Name)
	}
	query := "select e.person, list_position(" + list(names) + ", e.channel) - 1, n.segment" +
		" from exports as e join segment_names as n on get_bit(e.segments, n.place) = 1 where list_contains(" + list(names) + ", e.channel) order by all"
	segments := map[string]string{} // one copy of each name
	err = n.db.each(ctx, query, func(scan func(...any) error) error {
		var person duckdb.UUID
		var a admittedRow
		if err := scan(&person, &a.channel, &a.segment); err != nil {
			return err
		}
		if _, seen := segments[a.segment]; !seen {
			segments[a.segment] = a.segment
		}
		a.person, a.segment = consent.Subject(person), segments[a.segment]
		out = append(out, a)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing admitted rows: %w", err)
	}
	return out, nil
}

// shared reads the whole file once: it counts customers, and finds the addresses that
// two of them have, by channel.
func (r *crmReader) shared() ([]map[string]bool, Joined, error) {
	j := Joined{Schema: joinedSchema, Files: []File{}}
	seen := make([]map[string]bool, len(r.channels)) // true: twice
	for i := range seen {
		seen[i] = map[string]bool{}
	}
	err := r.customers(func(c customer) error {
		j.Customers++
		for i, to := range c.addresses {
			if to == "" {
				continue
			}
			key := sameAddress(r.channels[i].Purpose, to)
			twice, before := seen[i][key]
			if before && !twice {
				j.Shared++
			}
			seen[i][key] = before
		}
		return nil
	})
	return seen, j, err
}

// atOnce is how many customer numbers are asked for in one call.
const atOnce = 1000

// known calls each for every customer who has a pseudonym, and counts them.
func (n *night) known(ctx context.Context, r *crmReader, each func(customer, consent.Subject)) (count int64, err error) {
	var some []customer
	ask := func() error {
		numbers := make([]string, len(some))
		for i, c := range some {
			numbers[i] = c.number
		}
		subjects, err := n.in.CRM.Subjects(ctx, numbers)
		if err != nil {
			return fmt.Errorf("finding the accounts of the CRM: %w", err)
		}
		for _, c := range some {
			if who, is := subjects[c.number]; is && !who.IsZero() {
				count++
				each(c, who)
			}
		}
		some = some[:0]
		return nil
	}
	err = r.customers(func(c customer) error {
		if some = append(some, c); len(some) < atOnce {
			return nil
		}
		return ask()
	})
	if err == nil && len(some) > 0 {
		err = ask()
	}
	return count, err
}

// writeJoined writes the joined files and their signed manifest.
func (n *night) writeJoined(j Joined, channels []config.Channel, rows [][]address) error {
	dir := filepath.Join(n.runDir(), crmFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the CRM's folder: %w", err)
	}
	j.AsOf, j.Until, j.Expires = n.manifest.AsOf, n.manifest.Until, n.manifest.Expires
	for i, c := range channels {
		slices.SortFunc(rows[i], func(a, b address) int {
			return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.segment, b.segment))
		})
		for ext, write := range map[string]func(string, []joinedColumn, int) error{".csv": writeCSV, ".parquet": writeParquetRows} {
			f := File{Name: c.Name + ext, Kind: crmFolder, Channel: c.Name, Recipient: c.Recipient, Purpose: string(c.Purpose), Rows: int64(len(rows[i])), Label: "personal"}
			columns := n.joinedColumns(c, rows[i])
			for _, x := range columns {
				f.Columns = append(f.Columns, x.name+" varchar")
			}
			path := filepath.Join(dir, f.Name)
			if err := write(path, columns, len(rows[i])); err != nil {
				return fmt.Errorf("writing %s: %w", f.Name, err)
			}
			var err error
			if f.Bytes, f.SHA256, err = digestFile(path); err != nil {
				return fmt.Errorf("digesting %s: %w", f.Name, err)
			}
			j.Files = append(j.Files, f)
		}
	}
	slices.SortFunc(j.Files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return n.signJoined(dir, j)
}

// joinedColumn is a column of a joined file: a name, and the cell of each row.
type joinedColumn struct {
	name string
	cell func(row int) string
}

// joinedColumns are a channel's fields with the customer number for the key, and the
// address (EXP-08).
func (n *night) joinedColumns(c config.Channel, rows []address) []joinedColumn {
	out := []joinedColumn{{customerNumber, func(i int) string { return rows[i].number }}}
	for _, field := range fieldsOf(c) {
		switch field {
		case "segment":
			out = append(out, joinedColumn{field, func(i int) string { return rows[i].segment }})
		case "as_of":
			out = append(out, joinedColumn{field, func(int) string { return n.date }})
		case "until":
			out = append(out, joinedColumn{field, func(int) string { return n.till.Format(time.DateOnly) }})
		}
	}
	return append(out, joinedColumn{"address", func(i int) string { return rows[i].address }})
}

// keepJoined replaces only the CRM's folder of an export whose every other byte is
// there already.
func (n *night) keepJoined(final string) error {
	if n.in.CRM == nil {
		return nil
	}
	if err := n.stillFresh(); err != nil {
		return err
	}
	old := filepath.Join(n.runDir(), crmFolder+".old")
	if err := os.Rename(filepath.Join(final, crmFolder), old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("replacing the CRM's folder: %w", err)
	}
	if err := os.Rename(filepath.Join(n.runDir(), crmFolder), filepath.Join(final, crmFolder)); err != nil {
		return fmt.Errorf("replacing the CRM's folder: %w", err)
	}
	return syncFolder(final)
}
