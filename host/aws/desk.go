package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// The items of the desk. What every offer asks for, who is there and how busy, lies
// in one partition with a copy of each open contact: one read gives it all. A contact
// is found by its id, by its token, and by whom it is about.
const (
	deskNow     = "desk"
	deskAdviser = "adviser#"
	deskOpen    = "open#"
)

func deskKey(p, r string) item                   { return item{"p": str(p), "r": str(r)} }
func contactKey(id string) item                  { return deskKey("contact#"+id, "at") }
func tokenKey(token string) item                 { return deskKey("token#"+token, "at") }
func openKey(id string) item                     { return deskKey(deskNow, deskOpen+id) }
func aboutKey(s consent.Subject, id string) item { return deskKey("of#"+subjectKey(s), id) }

// errTaken says that an item with this key is there.
var errTaken = errors.New("it is there already")

// OpenContact keeps the first contact of a token key. One about a subject that was
// erased since the offer is kept without it.
func (h *Host) OpenContact(ctx context.Context, c flow.Contact) (first flow.Contact, opened bool, err error) {
	if c.ID == "" || c.TokenKey == "" {
		return flow.Contact{}, false, errors.New("opening contact: id or token key is missing")
	}
	err = again(ctx, func() error {
		i, err := h.get(ctx, tableDesk, tokenKey(c.TokenKey))
		if err != nil {
			return err
		}
		if i != nil {
			opened = false
			first, err = h.Contact(ctx, strOf(i, "id"))
			return err
		}
		first, opened = c, true
		switch err = h.openContact(ctx, c); {
		case errors.Is(err, flow.ErrMoved): // erased
			c.Subject, c.Account = consent.Subject{}, consent.Subject{}
			return errAgain
		case errors.Is(err, errTaken):
			if i, err := h.get(ctx, tableDesk, tokenKey(c.TokenKey)); err != nil || i == nil {
				return cmp.Or(err, fmt.Errorf("id %q is used", c.ID))
			}
			return errAgain // the same click came twice at once
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

// now reads the desk: advisers by name, and open contacts.
func (h *Host) desk(ctx context.Context) (advisers []flow.Adviser, open []flow.Contact, err error) {
	is := "p = :p"
	q := &dynamodb.QueryInput{
		TableName: h.table(tableDesk), KeyConditionExpression: &is, ExpressionAttributeValues: item{":p": str(deskNow)},
	}
	err = h.query(ctx, q, func(i item) error {
		if strings.HasPrefix(strOf(i, "r"), deskAdviser) {
			var a flow.Adviser
			err := json.Unmarshal(binOf(i, "body"), &a)
			advisers = append(advisers, a)
			return err
		}
		var c flow.Contact
		err := json.Unmarshal(binOf(i, "body"), &c)
		open = append(open, c)
		return err
	})
	if err != nil {
		return nil, nil, fmt.Errorf("reading the desk: %w", err)
	}
	return advisers, open, nil
}

// Waiting lists open, unaccepted contacts.
func (h *Host) Waiting(ctx context.Context) ([]flow.Contact, error) {
	_, open, err := h.desk(ctx)
	out := slices.DeleteFunc(open, func(c flow.Contact) bool { return c.AcceptedAt != nil })
	slices.SortFunc(out, func(a, b flow.Contact) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, err
}

// PutAdviser keeps an adviser's own word.
func (h *Host) PutAdviser(ctx context.Context, a flow.Adviser) error {
	a.Busy = 0
	if err := h.putBody(ctx, tableDesk, deskKey(deskNow, deskAdviser+a.Name), a); err != nil {
		return fmt.Errorf("keeping adviser: %w", err)
	}
	return nil
}

// AllAdvisers lists them by name, with the open contacts that keep them busy.
func (h *Host) AllAdvisers(ctx context.Context) ([]flow.Adviser, error) {
	advisers, open, err := h.desk(ctx)
	busy := map[string]int{}
	for _, c := range open {
		if c.AcceptedAt != nil {
			busy[c.Adviser]++
		}
	}
	for i, a := range advisers {
		advisers[i].Busy = busy[a.Name]
	}
	return advisers, err
}

// PutSwitch sets a switch; whoever reads after it returned sees it.
func (h *Host) PutSwitch(ctx context.Context, s flow.Switch) error {
	if err := h.putBody(ctx, tableControl, controlKey(controlSwitch+s.Name), s); err != nil {
		return fmt.Errorf("setting switch: %w", err)
	}
	return nil
}

// AllSwitches gives every switch that was ever set.
func (h *Host) AllSwitches(ctx context.Context) (map[string]flow.Switch, error) {
	control, err := h.control(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading switches: %w", err)
	}
	out := map[string]flow.Switch{}
	for r, i := range control {
		if name, is := strings.CutPrefix(r, controlSwitch); is {
			var s flow.Switch
			if err := json.Unmarshal(binOf(i, "body"), &s); err != nil {
				return nil, fmt.Errorf("reading switch %s: %w", name, err)
			}
			out[name] = s
		}
	}
	return out, nil
}

// putBody replaces what lies under a key by a value. A try that comes late must not
// undo what others said since: each version follows the one that was read.
func (h *Host) putBody(ctx context.Context, table string, key item, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	me := randomName()
	defer forgetAhead(ctx)
	return again(ctx, func() error {
		was, err := h.get(ctx, table, key)
		if err != nil {
			return err
		}
		i, last := maps.Clone(key), "attribute_not_exists(n)"
		i["body"], i["n"], i["w"] = bin(body), num(numOf(was, "n")+1), str(me)
		values := item{":me": str(me)}
		if was != nil {
			last, values[":n"] = "n = :n", num(numOf(was, "n"))
		}
		last += " OR w = :me"
		_, err = h.db.PutItem(ctx, &dynamodb.PutItemInput{
			TableName: h.table(table), Item: i, ConditionExpression: &last, ExpressionAttributeValues: values,
		})
		var moved *types.ConditionalCheckFailedException
		if errors.As(err, &moved) {
			return errAgain
		}
		return h.fault("dynamodb:PutItem", "table "+*h.table(table), err)
	})
}
