package segment

import (
	"context"
	"errors"
	"fmt"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// CRM is the shop's own file of customers. It lies beside the night and is joined
// there (design.md, "Two halves"): what it says is neither stored nor published, but for
// the addresses of the rows that were admitted, in a folder of their own.
type CRM struct {
	// Path of a CSV (RFC 4180, UTF-8, header) or Parquet file. Column customer_number holds
	// the account's userId; a column named like a channel holds that channel's address, empty
	// where there is none. Other columns are not read.
	Path string
	// Subjects gives the pseudonyms of those customer numbers that have one. It makes none.
	Subjects func(ctx context.Context, numbers []string) (map[string]consent.Subject, error)
}

const customerNumber = "customer_number"

// customer is a line of the CRM file.
type customer struct {
	line      int // of the CSV; of a Parquet file the row, from 1
	number    string
	addresses []string // by the channels that the file has columns for
}

// crmReader reads customers of a file in its order.
type crmReader struct {
	channels []config.Channel // that have a column
	each     func(func(line int, number string, addresses []string) error) error
	close    func() error
}

// openCRM opens a file and finds its columns.
func (n *night) openCRM() (*crmReader, error) {
	var columns []string
	r, err := openTable(n.in.CRM.Path, func(header []string) ([]string, error) {
		if i := slices.Index(header, ""); i >= 0 {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		if !slices.Contains(header, customerNumber) {
			return nil, fmt.Errorf("there is no column %s, but %s", customerNumber, strings.Join(header, ", "))
		}
		columns = []string{customerNumber}
		for i, name := range header {
			if slices.Contains(header[:i], name) {
				return nil, fmt.Errorf("column %s is there twice", name)
			}
			if slices.ContainsFunc(n.in.Config.Exports.Channels, func(c config.Channel) bool { return c.Name == name && c.Purpose.Channel() != "" }) {
				columns = append(columns, name)
			}
		}
		return columns, nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the CRM file: %w", err)
	}
	for _, name := range columns[1:] {
		r.channels = append(r.channels, n.served(name))
	}
	if err := n.addressable(r.channels); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// addressable refuses channels that the CRM's addresses may not be used for.
func (n *night) addressable(channels []config.Channel) error {
	if len(channels) == 0 {
		return errors.New("reading the CRM file: no column is named like a channel of exports.channels that has addresses")
	}
	for _, c := range channels {
		if c.Purpose == consent.MarketingEmail && c.DoubleOptIn != "ours" {
			return fmt.Errorf("channel %s: the addresses are the CRM's, so the proof that their owners confirmed them must be ours: set double_opt_in: ours (EXP-04)", c.Name)
		}
	}
	return nil
}

// customers reads the file from start to end and checks every line. Messages name
// lines and columns, never what is in them.
func (r *crmReader) customers(each func(customer) error) error {
	lines := map[string]int{}
	return r.each(func(line int, number string, addresses []string) error {
		if _, err := consent.NewID(consent.Account, number); err != nil {
			return fmt.Errorf("line %d, column %s: %w", line, customerNumber, err)
		}
		if first, twice := lines[number]; twice {
			return fmt.Errorf("line %d: the customer number is there twice, first on line %d", line, first)
		}
		lines[number] = line
		for i, c := range r.channels {
			addresses[i] = strings.TrimSpace(addresses[i])
			if err := addressOf(c.Purpose, addresses[i]); err != nil {
				return fmt.Errorf("line %d, column %s: %w", line, c.Name, err)
			}
		}
		return each(customer{line, number, addresses})
	})
}

var phoneNumber = regexp.MustCompile(`^\+?[0-9][0-9 ()/.-]{4,30}$`)

// addressOf says what is wrong with an address; an empty one is none.
func addressOf(p consent.Purpose, address string) error {
	if address == "" {
		return nil
	}
	if !utf8.ValidString(address) {
		return errors.New("want UTF-8")
	}
	switch p.Channel() {
	case "email":
		if a, err := netmail.ParseAddress(address); err != nil || a.Address != address {
			return errors.New("want an e-mail address like ada@shop.example, or nothing")
		}
	case "sms", "phone":
		if !phoneNumber.MatchString(address) {
			return errors.New("want a phone number like +49 30 123456, or nothing")
		}
	}
	return nil
}

// sameAddress is what two spellings of one address have in common.
func sameAddress(p consent.Purpose, address string) string {
	switch p.Channel() {
	case "sms", "phone":
		return strings.Map(func(r rune) rune {
			if r == '+' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, address)
	}
	return strings.ToLower(strings.Join(strings.Fields(address), " "))
}

// lookAtCRM reads the file before the night begins: what is wrong with it is said at
// once.
func (n *night) lookAtCRM() error {
	if n.in.CRM == nil {
		return nil
	}
	r, err := n.openCRM()
	if err != nil {
		return err
	}
	return errors.Join(r.customers(func(customer) error { return nil }), r.close())
}
