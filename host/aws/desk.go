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

// desk reads the desk: advisers by name, and open contacts.
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
	body, err := json.Marshal(s)
	if err == nil {
		me := randomName()
		defer forgetAhead(ctx)
		err = again(ctx, func() error { return h.turnSwitch(ctx, s.Name, body, me) })
	}
	if err != nil {
		return fmt.Errorf("setting switch: %w", err)
	}
	return nil
}

// switchAttribute is where a switch stands in the item of all. Each has a number and
// a writer of its own, as putBody has it: who turns another one is not in the way.
const switchAttribute = "switch#"

func (h *Host) turnSwitch(ctx context.Context, name string, body []byte, me string) error {
	all, err := h.control(ctx, controlSwitches)
	if err != nil {
		return err
	}
	was, _ := all[switchAttribute+name].(*types.AttributeValueMemberM)
	change, last := "SET #s = :s", "attribute_not_exists(#s)"
	next, values := item{"n": num(1), "w": str(me), "body": bin(body)}, item{":me": str(me)}
	if was != nil {
		last, values[":n"] = "#s.n = :n", was.Value["n"]
		next["n"] = num(numOf(was.Value, "n") + 1)
	}
	last += " OR #s.w = :me"
	values[":s"] = &types.AttributeValueMemberM{Value: next}
	_, err = h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(tableControl), Key: controlKey(controlSwitches), UpdateExpression: &change, ConditionExpression: &last,
		ExpressionAttributeNames: map[string]string{"#s": switchAttribute + name}, ExpressionAttributeValues: values,
	})
	var moved *types.ConditionalCheckFailedException
	if errors.As(err, &moved) {
		return errAgain
	}
	return h.fault("dynamodb:UpdateItem", "table "+*h.table(tableControl), err)
}

// AllSwitches gives every switch that was ever set.
func (h *Host) AllSwitches(ctx context.Context) (map[string]flow.Switch, error) {
	all, err := h.control(ctx, controlSwitches)
	if err != nil {
		return nil, fmt.Errorf("reading switches: %w", err)
	}
	out := map[string]flow.Switch{}
	for attribute, v := range all {
		name, is := strings.CutPrefix(attribute, switchAttribute)
		if !is {
			continue
		}
		var s flow.Switch
		kept, _ := v.(*types.AttributeValueMemberM)
		if kept == nil {
			return nil, fmt.Errorf("reading switch %s: it is no map", name)
		}
		if err := json.Unmarshal(binOf(kept.Value, "body"), &s); err != nil {
			return nil, fmt.Errorf("reading switch %s: %w", name, err)
		}
		out[name] = s
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
