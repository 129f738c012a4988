package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

type priceRefundsCmd struct {
	lists
}

type priceBoughtCmd struct {
	lists
}

// lists are the night's lists for the shop itself, with the shop's own ids where
// it brings them: what is stored are digests and pseudonyms.
type lists struct {
	place
	Orders   string `placeholder:"FILE" help:"Your order ids, one per line: they take the place of the keys."`
	Accounts string `placeholder:"FILE" help:"userIds of business accounts, one per line: their lines are marked, and named."`
}

// Run prints who is due a refund because a public price fell (PRI-14).
func (c priceRefundsCmd) Run(ctx context.Context, s streams) error {
	return c.print(ctx, s, "refunds")
}

// Run prints who bought right before a steep fall (R48).
func (c priceBoughtCmd) Run(ctx context.Context, s streams) error {
	return c.print(ctx, s, "bought_before")
}

func (c lists) print(ctx context.Context, s streams, name string) error {
	if err := thereIs(c.Data); err != nil {
		return err
	}
	dir := filepath.Join(c.Data, "night", "lists")
	f, err := os.Open(filepath.Join(dir, name+".csv"))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no night has made a list in %s: handschlag nightly makes it", dir)
	}
	if err != nil {
		return fmt.Errorf("reading the list: %w", err)
	}
	defer func() { _ = f.Close() }()
	known := names{Orders: map[string]string{}, Subjects: map[string]string{}}
	if c.Orders != "" || c.Accounts != "" {
		if known, err = c.names(ctx, s); err != nil {
			return err
		}
	}
	return s.named(f, known, c.Accounts != "")
}

// names are the shop's own ids by what they are stored as.
type names struct {
	Orders   map[string]string `json:"orders"`   // order_key → id
	Subjects map[string]string `json:"subjects"` // pseudonym → userId
}

// namesCall asks for them.
type namesCall struct {
	Orders   []string `json:"orders"`
	Accounts []string `json:"accounts"`
}

func (c lists) names(ctx context.Context, s streams) (out names, err error) {
	var call namesCall
	if call.Orders, err = idsIn(c.Orders); err != nil {
		return out, err
	}
	if call.Accounts, err = idsIn(c.Accounts); err != nil {
		return out, err
	}
	err = c.within(ctx, s, func(r *reached) error { return r.call(ctx, "POST", "/admin/names", call, &out) })
	return out, err
}

func idsIn(path string) (out []string, err error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading ids: %w", err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if id := strings.TrimSpace(lines.Text()); id != "" {
			out = append(out, id)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading ids: %w", err)
	}
	return out, nil
}

// named copies a list with the ids that are known.
func (s streams) named(in io.Reader, known names, mark bool) error {
	r, w := csv.NewReader(in), csv.NewWriter(s.out)
	order, subject := -1, -1
	for line := 0; ; line++ {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			if line == 1 {
				_, _ = fmt.Fprintln(s.err, "the last night found nobody")
			}
			w.Flush()
			return w.Error()
		}
		if err != nil {
			return fmt.Errorf("reading the list: %w", err)
		}
		if line == 0 {
			order, subject = slices.Index(row, "order_key"), slices.Index(row, "subject")
			if mark {
				row = append(row, "business_account")
			}
		} else {
			row = known.row(row, order, subject, mark)
		}
		if err := w.Write(row); err != nil {
			return fmt.Errorf("writing the list: %w", err)
		}
	}
}

func (n names) row(row []string, order, subject int, mark bool) []string {
	if id, ok := n.Orders[row[order]]; ok {
		row[order] = id
	}
	if mark {
		row = append(row, n.Subjects[strings.ReplaceAll(row[subject], "-", "")])
	}
	return row
}

// names answers with what the shop's own ids are stored as. It is the owner's own
// question about the owner's own ids; nothing is stored.
func (sh *shop) names(r *http.Request) (any, error) {
	var in namesCall
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, fmt.Errorf("reading the call: %w", err)
	}
	out := names{Orders: map[string]string{}, Subjects: map[string]string{}}
	for _, id := range in.Orders {
		out.Orders[strconv.FormatInt(sh.flow.OrderKey(id), 10)] = id
	}
	for _, id := range in.Accounts {
		s, err := sh.flow.AccountKnown(r.Context(), id)
		if err != nil {
			return nil, err
		}
		if !s.IsZero() {
			out.Subjects[s.String()] = id
		}
	}
	return out, nil
}
