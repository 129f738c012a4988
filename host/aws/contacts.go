package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// errTaken says that an item with this key is there.
var errTaken = errors.New("it is there already")

// OpenContact keeps the first contact of a token key. One about a subject that was
// erased since the offer is kept without it.
func (h *Host) OpenContact(ctx context.Context, c flow.Contact) (first flow.Contact, opened bool, err error) {
	if c.ID == "" || c.TokenKey == "" {
		return flow.Contact{}, false, errors.New("opening contact: id or token key is missing")
	}
	err = again(ctx, func() error {
		first, opened = c, true
		err := h.openContact(ctx, c)
		switch {
		case errors.Is(err, flow.ErrMoved): // erased
			c.Subject, c.Account = consent.Subject{}, consent.Subject{}
			return errAgain
		case !errors.Is(err, errTaken) && !errors.Is(err, errAgain):
			return err
		}
		i, failed := h.get(ctx, tableDesk, tokenKey(c.TokenKey)) // the same click came before, or twice at once
		switch {
		case failed != nil:
			return failed
		case i != nil:
			opened = false
			first, failed = h.Contact(ctx, strOf(i, "id"))
			return failed
		case errors.Is(err, errTaken):
			return fmt.Errorf("id %q is used", c.ID)
		}
		return err
	})
	forgetAhead(ctx)
	if err != nil {
		return flow.Contact{}, false, fmt.Errorf("opening contact: %w", err)
	}
	return first, opened, nil
}

// openContact writes a new contact with all that it is found by.
func (h *Host) openContact(ctx context.Context, c flow.Contact) error {
	t := h.transaction()
	token := tokenKey(c.TokenKey)
	token["id"] = str(c.ID)
	t.put(tableDesk, token, "attribute_not_exists(p)", nil, errAgain)
	for _, s := range peopleOf(c) {
		t.alive(s)
	}
	if err := t.putContact(flow.Contact{}, c, 0); err != nil {
		return err
	}
	return t.commit(ctx)
}

// peopleOf lists whom a contact is about.
func peopleOf(c flow.Contact) (out []consent.Subject) {
	for _, s := range []consent.Subject{c.Subject, c.Account} {
		if !s.IsZero() && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// putContact writes version n+1 of a contact, with its copy while it is open.
func (t *transaction) putContact(was, c flow.Contact, n int64) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	i := contactKey(c.ID)
	i["body"], i["n"] = bin(body), num(n+1)
	if n == 0 {
		t.put(tableDesk, i, "attribute_not_exists(p)", nil, errTaken)
	} else {
		t.put(tableDesk, i, "n = :n", item{":n": num(n)}, errAgain)
	}
	if c.ClosedAt == nil {
		open := openKey(c.ID)
		open["body"] = bin(body)
		t.put(tableDesk, open, "", nil, nil)
	} else if n > 0 && was.ClosedAt == nil {
		t.delete(tableDesk, openKey(c.ID), "", nil, nil)
	}
	for _, s := range peopleOf(was) {
		if !slices.Contains(peopleOf(c), s) {
			t.delete(tableDesk, aboutKey(s, c.ID), "", nil, nil)
		}
	}
	for _, s := range peopleOf(c) {
		if !slices.Contains(peopleOf(was), s) {
			t.put(tableDesk, aboutKey(s, c.ID), "", nil, nil)
		}
	}
	return nil
}

// Contact finds one.
func (h *Host) Contact(ctx context.Context, id string) (flow.Contact, error) {
	c, _, err := h.contact(ctx, id)
	return c, err
}

func (h *Host) contact(ctx context.Context, id string) (c flow.Contact, n int64, err error) {
	i, err := h.get(ctx, tableDesk, contactKey(id))
	if err == nil && i == nil {
		err = flow.ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(binOf(i, "body"), &c)
	}
	if err != nil {
		return flow.Contact{}, 0, fmt.Errorf("contact: %w", err)
	}
	return c, numOf(i, "n"), nil
}

// ChangeContact calls change again if another change came between. Id and token key
// stay.
func (h *Host) ChangeContact(ctx context.Context, id string, change func(flow.Contact) (flow.Contact, error)) (c flow.Contact, err error) {
	var own error
	err = again(ctx, func() error {
		was, n, err := h.contact(ctx, id)
		if err != nil {
			return err
		}
		if c, own = change(was); own != nil {
			return own
		}
		c.ID, c.TokenKey = was.ID, was.TokenKey
		t := h.transaction()
		for _, s := range peopleOf(c) {
			if !slices.Contains(peopleOf(was), s) {
				t.alive(s)
			}
		}
		if err := t.putContact(was, c, n); err != nil {
			return err
		}
		return t.commit(ctx)
	})
	forgetAhead(ctx)
	switch {
	case own != nil:
		return flow.Contact{}, own
	case err != nil:
		return flow.Contact{}, fmt.Errorf("changing contact: %w", err)
	}
	return c, nil
}

// redactContacts takes who asked, and their words, out of a subject's hand-overs.
func (h *Host) redactContacts(ctx context.Context, s consent.Subject) (n int64, err error) {
	is := "p = :p"
	q := &dynamodb.QueryInput{
		TableName: h.table(tableDesk), KeyConditionExpression: &is, ExpressionAttributeValues: item{":p": aboutKey(s, "")["p"]},
	}
	err = h.query(ctx, q, func(i item) error {
		n++
		_, err := h.ChangeContact(ctx, strOf(i, "r"), func(c flow.Contact) (flow.Contact, error) {
			c.Subject, c.Account, c.Question, c.Callback = consent.Subject{}, consent.Subject{}, "", nil
			return c, nil
		})
		return err
	})
	if err != nil {
		return n, fmt.Errorf("redacting contacts: %w", err)
	}
	return n, nil
}
