package aws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

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

// Publish writes publication and memberships under a new run, then swaps the
// pointer. Of two nights at once the one that began last is published, and the other
// gets an error. What a night left behind that came to no end, the next removes.
func (h *Host) Publish(ctx context.Context, p flow.Publication, members *profile.Members) error {
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
	if last != "" {
		dead = append(dead, last)
	}
	if err := h.dropLeavers(ctx, run, dead); err != nil { // the publication stands, and nobody reads them
		h.opts.Log.Warn("taking out the memberships of who left failed; the next night tries again", "err", err)
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
	gone := ""
	err = again(ctx, func() error {
		at, err := h.control(ctx, controlPublication)
		if err != nil {
			return err
		}
		object := strOf(at, "object")
		p, err = h.publicationAt(ctx, object)
		if errors.Is(err, fs.ErrNotExist) && object != gone { // replaced twice while we were at it
			gone = object
			forgetAhead(ctx) // where the same pointer may lie again
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
