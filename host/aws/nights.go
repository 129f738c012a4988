package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// A subject's memberships lie in one item, each under the name of its run: the one
// in force, and the one that is being written. The pointer in control names the run
// in force, so that they change for everybody at once; erasing a subject deletes the
// one item.

// publication is what the pointer named when it was last followed.
type publication struct {
	object string
	flow.Publication
}

func memberKey(s consent.Subject) item { return item{"s": str(subjectKey(s))} }

// runAttribute is the name of a run's membership in an item.
func runAttribute(run string) string { return "m" + run }

// Publish writes publication and memberships under a new run, then swaps the
// pointer. Of two nights at once the one that began last is published, and the other
// gets an error. What a night left behind that came to no end, the next removes.
func (h *Host) Publish(ctx context.Context, p flow.Publication, members map[consent.Subject]profile.Membership) error {
	defer forgetAhead(ctx)
	run := randomName()
	last, dead, err := h.beginRun(ctx, run)
	if err == nil {
		err = h.putMembers(ctx, p, run, dead, members)
	}
	object := "publications/" + run + ".json.gz"
	if err == nil {
		err = h.putPublication(ctx, object, p)
	}
	if err == nil {
		err = h.swapRun(ctx, run, last, object)
	}
	if err != nil {
		return fmt.Errorf("publishing: %w", err)
	}
	return nil
}

// beginRun notes a run and says which one is in force, and which nobody reads any more.
func (h *Host) beginRun(ctx context.Context, run string) (last string, dead []string, err error) {
	change := "SET latest = :run ADD runs :runs"
	out, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(tableControl), Key: controlKey(controlPublication), UpdateExpression: &change, ReturnValues: types.ReturnValueAllNew,
		ExpressionAttributeValues: item{":run": str(run), ":runs": &types.AttributeValueMemberSS{Value: []string{run}}},
	})
	if err != nil {
		return "", nil, h.fault("dynamodb:UpdateItem", "table "+*h.table(tableControl), err)
	}
	last = strOf(out.Attributes, "run")
	if runs, is := out.Attributes["runs"].(*types.AttributeValueMemberSS); is {
		dead = slices.DeleteFunc(runs.Value, func(r string) bool { return r == run || r == last })
	}
	return last, dead, nil
}

// membersAtOnce is how many items are written side by side.
const membersAtOnce = 32

// putMembers writes memberships, and takes out again who was erased: whoever erases
// marks the subject before it deletes the item.
func (h *Host) putMembers(ctx context.Context, p flow.Publication, run string, dead []string, members map[consent.Subject]profile.Membership) error {
	all := make([]consent.Subject, 0, len(members))
	for s := range members {
		all = append(all, s)
	}
	for some := range slices.Chunk(all, 1000) {
		err := each(ctx, len(some), membersAtOnce, func(ctx context.Context, i int) error {
			return h.putMember(ctx, p.AsOf, run, dead, some[i], members[some[i]])
		})
		if err != nil {
			return err
		}
		erased, err := h.erasedAmong(ctx, some)
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
	change, names := "SET #me = :m, expires = :expires", map[string]string{"#me": runAttribute(run)}
	for i, r := range dead {
		name := fmt.Sprintf("#d%d", i)
		names[name] = runAttribute(r)
		change += map[bool]string{true: " REMOVE ", false: ", "}[i == 0] + name
	}
	_, err = h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(tableMember), Key: memberKey(s), UpdateExpression: &change, ExpressionAttributeNames: names,
		ExpressionAttributeValues: item{":m": bin(body), ":expires": num(h.membersUntil(asOf).Unix())},
	})
	return h.fault("dynamodb:UpdateItem", "table "+*h.table(tableMember), err)
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

func (h *Host) putPublication(ctx context.Context, object string, p flow.Publication) error {
	body, err := pack(p)
	if err != nil {
		return err
	}
	return h.writeObject(ctx, bucketShop, object, body, nil)
}

// swapRun puts a run in force if no other began after it. The last one stays noted:
// the next night removes what it left.
func (h *Host) swapRun(ctx context.Context, run, last, object string) error {
	runs := []string{run}
	if last != "" {
		runs = append(runs, last)
	}
	change, latest := "SET #before = if_not_exists(#object, :none), #run = :run, #object = :object, runs = :runs", "latest = :run"
	out, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(tableControl), Key: controlKey(controlPublication), UpdateExpression: &change, ConditionExpression: &latest,
		ExpressionAttributeNames: map[string]string{"#run": "run", "#object": "object", "#before": "before"}, ReturnValues: types.ReturnValueUpdatedOld,
		ExpressionAttributeValues: item{":run": str(run), ":object": str(object), ":none": str(""), ":runs": &types.AttributeValueMemberSS{Value: runs}},
	})
	var other *types.ConditionalCheckFailedException
	if errors.As(err, &other) {
		return errors.New("another night began after this one")
	}
	if err != nil {
		return h.fault("dynamodb:UpdateItem", "table "+*h.table(tableControl), err)
	}
	h.sweep(ctx, strOf(out.Attributes, "before")) // whoever still reads the last one finds it
	return nil
}

// Published gives the publication in force.
func (h *Host) Published(ctx context.Context) (p flow.Publication, err error) {
	err = again(ctx, func() error {
		control, err := h.control(ctx)
		if err != nil {
			return err
		}
		p, err = h.publicationAt(ctx, strOf(control[controlPublication], "object"))
		if errors.Is(err, fs.ErrNotExist) { // replaced twice while we were at it
			return errAgain
		}
		return err
	})
	if err != nil {
		return flow.Publication{}, fmt.Errorf("reading the night's publication: %w", err)
	}
	return p, nil
}

func (h *Host) publicationAt(ctx context.Context, object string) (flow.Publication, error) {
	if object == "" {
		return flow.Publication{}, nil
	}
	if last := h.memo.publication.Load(); last != nil && last.object == object {
		return last.Publication, nil
	}
	body, _, err := h.readObject(ctx, bucketShop, object)
	if err != nil {
		return flow.Publication{}, err
	}
	p := &publication{object: object}
	if err := unpack(body, &p.Publication); err != nil {
		return flow.Publication{}, fmt.Errorf("unreadable publication: %w", err)
	}
	h.memo.publication.Store(p)
	return p.Publication, nil
}

// Membership gives a subject's segments under the publication in force. An item that
// does not know the run in force is read again: a night may have come between.
func (h *Host) Membership(ctx context.Context, s consent.Subject) (m profile.Membership, err error) {
	for last := ""; ; {
		control, err := h.control(ctx)
		if err != nil {
			return m, fmt.Errorf("reading a membership: %w", err)
		}
		i, err := h.get(ctx, tableMember, memberKey(s))
		if err != nil {
			return m, fmt.Errorf("reading a membership: %w", err)
		}
		run := strOf(control[controlPublication], "run")
		if body := binOf(i, runAttribute(run)); body != nil {
			return m, json.Unmarshal(body, &m)
		}
		if i == nil || run == last || run == "" {
			return m, nil
		}
		last = run
	}
}
