package aws

import (
	"context"
	"fmt"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// found is what a subject's tables hold of it.
type found struct {
	id, profile, member bool
	state               stored
	records             []inBook
	entries, links      int
	items               []item // keys in the book
	account             consent.Subject
	devices             []consent.Subject
}

func (f found) nothing() bool { return !f.id && !f.profile && !f.member && len(f.items) == 0 }

// covered is an error as long as a record has no place in the ledger.
func (f found) covered() error {
	for _, r := range f.records {
		if r.index < 0 {
			return fmt.Errorf("a consent record waits for its place in the ledger, for a minute at most: %w", flow.ErrMoved)
		}
	}
	return nil
}

// find reads what there is.
func (e *erasing) find(ctx context.Context) (f found, err error) {
	err = e.under(ctx, e.s, "", func(i item) error { return f.add(e.s, i) })
	if err != nil {
		return f, err
	}
	if err := e.places(ctx, f.records); err != nil {
		return f, err
	}
	for table, is := range map[string]struct {
		key  item
		here *bool
	}{
		tableIdentity: {identifiedKey(e.s), &f.id}, tableProfile: {profileKey(e.s), &f.profile}, tableMember: {memberKey(e.s), &f.member},
	} {
		i, err := e.get(ctx, table, is.key)
		if *is.here = i != nil; err != nil {
			return f, err
		}
	}
	return f, nil
}

// add sorts one item of the subject's in the book.
func (f *found) add(s consent.Subject, i item) (err error) {
	name := strOf(i, "r")
	f.items = append(f.items, item{"s": i["s"], "r": i["r"]})
	switch kind, rest, _ := strings.Cut(name, "#"); kind {
	case "state":
		f.state, err = readState(s, i)
	case "rec":
		r := inBook{item: i, index: -1}
		r.record, err = readRecord(i)
		f.records = append(f.records, r)
	case "ent":
		f.entries++
	case "link":
		f.links++
		f.account, err = parseSubjectKey(strOf(i, "a"))
	case "dev":
		f.links++
		var d consent.Subject
		d, err = consent.ParseSubject(rest)
		f.devices = append(f.devices, d)
	}
	return err
}

// places finds where records lie in the ledger.
func (e *erasing) places(ctx context.Context, records []inBook) error {
	items := make([]item, len(records))
	for n, r := range records {
		items[n] = r.item
	}
	noted, err := e.notedOf(ctx, items)
	for n, i := range noted {
		if i != nil {
			records[n].index, records[n].noted = indexOf(i), true
		}
	}
	return err
}
