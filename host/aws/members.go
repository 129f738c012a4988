package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

func memberKey(s consent.Subject) item { return item{"s": str(subjectKey(s))} }

// runAttribute is the name of a run's membership in an item.
func runAttribute(run string) string { return "m" + run }

// membersAtOnce is how many items are written side by side.
const membersAtOnce = 32

// putMembers writes memberships, and takes out again who was erased: whoever erases
// marks the subject before it deletes the item.
func (h *Host) putMembers(ctx context.Context, p flow.Publication, run string, dead []string, members *profile.Members) error {
	for some := range members.Chunks(1000) {
		subjects := make([]consent.Subject, some.Len())
		err := each(ctx, some.Len(), membersAtOnce, func(ctx context.Context, i int) error {
			s, m := some.At(i)
			subjects[i] = s
			return h.putMember(ctx, p.AsOf, run, dead, s, m)
		})
		if err != nil {
			return err
		}
		erased, err := h.erasedAmong(ctx, subjects)
		if err != nil {
			return err
		}
		for s := range erased {
			if _, err := h.eraseMember(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *Host) putMember(ctx context.Context, asOf time.Time, run string, dead []string, s consent.Subject, m profile.Membership) error {
	body, err := json.Marshal(m)
	if err != nil {
		return err
	}
	change, names := without(dead)
	change, names["#me"] = "SET #me = :m, expires = :expires"+change, runAttribute(run)
	_, err = h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(tableMember), Key: memberKey(s), UpdateExpression: &change, ExpressionAttributeNames: names,
		ExpressionAttributeValues: item{":m": bin(body), ":expires": num(h.membersUntil(asOf).Unix())},
	})
	return h.fault("dynamodb:UpdateItem", "table "+*h.table(tableMember), err)
}

// dropLeavers takes runs that nobody reads any more out of the items of those who are
// no members under the run in force: who withdrew leaves no segment behind. What a
// night at the same time writes stays; the bare item expires.
func (h *Host) dropLeavers(ctx context.Context, run string, dead []string) error {
	var left []item
	err := h.everyItem(ctx, tableMember, func(i item) error {
		if i[runAttribute(run)] == nil && slices.ContainsFunc(dead, func(r string) bool { return i[runAttribute(r)] != nil }) {
			left = append(left, item{"s": i["s"]})
		}
		return nil
	})
	if err != nil {
		return err
	}
	change, names := without(dead)
	condition := "attribute_exists(s)"
	return each(ctx, len(left), membersAtOnce, func(ctx context.Context, i int) error {
		_, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: h.table(tableMember), Key: left[i], UpdateExpression: &change, ConditionExpression: &condition, ExpressionAttributeNames: names,
		})
		var erased *types.ConditionalCheckFailedException
		if errors.As(err, &erased) {
			return nil
		}
		return h.fault("dynamodb:UpdateItem", "table "+*h.table(tableMember), err)
	})
}

// without is the update that takes runs out of an item.
func without(runs []string) (change string, names map[string]string) {
	names = map[string]string{}
	for i, r := range runs {
		name := fmt.Sprintf("#d%d", i)
		names[name] = runAttribute(r)
		change += map[bool]string{true: " REMOVE ", false: ", "}[i == 0] + name
	}
	return change, names
}

// membersUntil is when the table may forget a membership. Readers look at Until.
func (h *Host) membersUntil(asOf time.Time) time.Time {
	if asOf.Before(h.now()) {
		asOf = h.now()
	}
	days := h.opts.Retain.SegmentDays
	if days <= 0 {
		days = 365
	}
	return asOf.AddDate(0, 0, days+1)
}

// eraseMember deletes what the nights found out about a subject, and says whether
// there was something. The subject must be marked as erased before: a night that is
// at it takes out whom it finds marked.
func (h *Host) eraseMember(ctx context.Context, s consent.Subject) (bool, error) {
	out, err := h.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName: h.table(tableMember), Key: memberKey(s), ReturnValues: types.ReturnValueAllOld,
	})
	if err != nil {
		return false, h.fault("dynamodb:DeleteItem", "table "+*h.table(tableMember), err)
	}
	return len(out.Attributes) > 0, nil
}

// Membership gives a subject's segments under the publication in force. An item that
// does not know the run in force is read again: a night may have come between.
func (h *Host) Membership(ctx context.Context, s consent.Subject) (m profile.Membership, err error) {
	for last := ""; ; {
		at, err := h.control(ctx, controlPublication)
		if err != nil {
			return m, fmt.Errorf("reading a membership: %w", err)
		}
		i, err := h.get(ctx, tableMember, memberKey(s))
		if err != nil {
			return m, fmt.Errorf("reading a membership: %w", err)
		}
		run := strOf(at, "run")
		if body := binOf(i, runAttribute(run)); body != nil {
			return m, json.Unmarshal(body, &m)
		}
		if i == nil || run == last || run == "" {
			return m, nil
		}
		last = run
	}
}
