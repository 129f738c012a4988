package aws

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	firehose "github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// AppendDecision chains the record, and returns once the table and the delivery
// stream both have it: a decision that cannot be logged is none (OPS-01).
func (h *Host) AppendDecision(ctx context.Context, r *decide.Record) error {
	w, err := h.chain.take(ctx)
	if err != nil {
		return fmt.Errorf("appending decision: %w", err)
	}
	r.Writer, r.N, r.Prev = w.name, w.n+1, w.prev
	body, err := json.Marshal(r)
	if err != nil {
		h.chain.done(&w)
		return fmt.Errorf("appending decision: %w", err)
	}
	hash := r.Hash()
	w.n, w.prev = r.N, hex.EncodeToString(hash[:])
	whole, err := h.keepDecision(ctx, r, body, w.prev)
	if err != nil || !whole {
		h.chain.done(nil)
	} else {
		h.chain.done(&w)
	}
	if err != nil {
		return fmt.Errorf("appending decision: %w", err)
	}
	return nil
}

// keepDecision writes to table and stream, side by side. whole is false if the table
// holds the same decision from an earlier try, under another number.
func (h *Host) keepDecision(ctx context.Context, r *decide.Record, body []byte, hash string) (whole bool, err error) {
	var errs [3]error
	var work sync.WaitGroup
	work.Go(func() { whole, errs[0] = h.putDecision(ctx, r, body, hash) })
	work.Go(func() {
		errs[1] = h.deliver(ctx, streamDecisions, []firehose.Record{{Data: append(slices.Clone(body), '\n')}})
	})
	work.Go(func() { errs[2] = h.noteHour(ctx, decisionTable(r), hourName(r.Time)) })
	work.Wait()
	return whole, cmp.Or(errs[0], errs[1], errs[2])
}

// decisionTable is where a decision lies. Whoever judges prices reaches nothing that
// is about a person.
func decisionTable(r *decide.Record) string {
	if (r.Action == decide.ActionPrice || r.Action == decide.ActionMove) && r.Subject.IsZero() {
		return tablePriced
	}
	return tableDecision
}

// shards is how many parts of the index the decisions of one hour lie in.
const shards = 8

func slotOf(hour string, shard uint32) string { return fmt.Sprintf("%s#%d", hour, shard) }

func shardOf(id string) uint32 {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(id))
	return sum.Sum32() % shards
}

// orderOf is a decision's place in time, as text: the newest is the greatest.
func orderOf(r *decide.Record) string {
	return fmt.Sprintf("%013d#%s#%020d", max(r.Time.UnixMilli(), 0), r.Writer, r.N)
}

// putDecision writes the item, once: a repeated try finds its own hash there. One
// that comes late must not bring back what an erasure took out.
func (h *Host) putDecision(ctx context.Context, r *decide.Record, body []byte, hash string) (whole bool, err error) {
	i := item{
		"id": str(r.ID), "w": str(r.Writer), "n": num(r.N), "h": str(hash), "a": str(r.Action), "slot": str(slotOf(hourName(r.Time), shardOf(r.ID))),
		"at": str(orderOf(r)), "body": bin(body),
	}
	if !r.Subject.IsZero() {
		i["s"] = str(subjectKey(r.Subject))
	}
	h.expireDecision(i, r.Time)
	first := "attribute_not_exists(id)"
	_, err = h.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: h.table(decisionTable(r)), Item: i, ConditionExpression: &first,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var taken *types.ConditionalCheckFailedException
	if !errors.As(err, &taken) {
		return true, h.fault("dynamodb:PutItem", "table "+*h.table(decisionTable(r)), err)
	}
	if strOf(taken.Item, "h") == hash {
		return true, nil
	}
	var other decide.Record
	if err := json.Unmarshal(binOf(taken.Item, "body"), &other); err != nil || !sameDecision(&other, r) {
		return false, errors.New("another decision has this id")
	}
	return false, nil
}

// sameDecision reports whether two records say the same: a click that came twice.
func sameDecision(a, b *decide.Record) bool {
	return a.Action == b.Action && a.Subject == b.Subject && bytes.Equal(a.Input, b.Input) && bytes.Equal(a.Result, b.Result)
}

// expireDecision says when the table may forget an item about a moment. It does so late:
// readers look at the time themselves.
func (h *Host) expireDecision(i item, at time.Time) {
	if days := h.opts.Retain.DecisionDays; days > 0 {
		i["expires"] = num(at.AddDate(0, 0, days+1).Unix())
	}
}

// kept is the time from which decisions are still readable.
func (h *Host) kept() time.Time {
	if days := h.opts.Retain.DecisionDays; days > 0 {
		return h.now().AddDate(0, 0, -days)
	}
	return time.Time{}
}

// slotHours is the part of the index that lists the hours with decisions in them.
const slotHours = "hours"

// noteHour lists an hour, once per process: a search asks for the hours that are listed.
func (h *Host) noteHour(ctx context.Context, table, hour string) error {
	c, k := &h.chain, table+"#"+hour
	c.mu.Lock()
	noted := c.hours[k]
	c.mu.Unlock()
	if noted {
		return nil
	}
	i := item{"id": str("hour#" + hour), "slot": str(slotHours), "at": str(hour)}
	if at, err := time.Parse(hourFormat, hour); err == nil {
		h.expireDecision(i, at)
	}
	if _, err := h.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: h.table(table), Item: i}); err != nil {
		return h.fault("dynamodb:PutItem", "table "+*h.table(table), err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.hours) > 1000 {
		clear(c.hours)
	}
	c.hours[k] = true
	return nil
}

// Decision finds one record, as soon as it was acknowledged.
func (h *Host) Decision(ctx context.Context, id string) (decide.Record, error) {
	for _, table := range []string{tableDecision, tablePriced} {
		i, err := h.get(ctx, table, item{"id": str(id)})
		if err != nil {
			return decide.Record{}, fmt.Errorf("reading decision: %w", err)
		}
		if i == nil || binOf(i, "body") == nil {
			continue
		}
		var r decide.Record
		if err := json.Unmarshal(binOf(i, "body"), &r); err != nil {
			return r, fmt.Errorf("reading decision: %w", err)
		}
		if r.Time.Before(h.kept()) {
			break
		}
		one := []decide.Record{r}
		err = h.readable(ctx, one)
		return one[0], err
	}
	return decide.Record{}, fmt.Errorf("decision: %w", flow.ErrNotFound)
}
