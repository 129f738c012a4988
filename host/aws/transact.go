package aws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// errAgain says that another writer came between: read again, and try again.
var errAgain = errors.New("another writer came between")

// errThrottled says that a transaction was refused for there were too many. The SDK
// does not repeat it: the store hides it among the reasons of a cancelled one.
var errThrottled = fmt.Errorf("throttled: %w", errAgain)

// tries bounds how often a write begins anew because others came between, and
// throttledTries how often because there were too many.
const (
	tries          = 200
	throttledTries = 3
)

// again runs a read and a conditional write until no other writer comes between.
func again(ctx context.Context, try func() error) error {
	for n, throttled := 0, 0; ; n++ {
		err := try()
		if !errors.Is(err, errAgain) {
			return err
		}
		if n == tries {
			return fmt.Errorf("giving up after %d tries: %w", tries, err)
		}
		if errors.Is(err, errThrottled) {
			if throttled++; throttled == throttledTries {
				return err
			}
			if err := pause(ctx, n+4); err != nil {
				return err
			}
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// pause waits a while drawn at random, longer from one try to the next.
func pause(ctx context.Context, n int) error {
	wait := time.NewTimer(time.Duration(rand.Int64N(int64(2*time.Millisecond) << min(n, 6))))
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return nil
	}
}

// transaction is several writes that happen together or not at all. Each names the
// error that says what it means when its condition fails.
type transaction struct {
	h     *Host
	items []types.TransactWriteItem
	means []error
	err   error // why it cannot be written
}

func (h *Host) transaction() *transaction { return &transaction{h: h} }

// put replaces an item if its condition holds; "" puts it whatever was there.
func (t *transaction) put(table string, i item, condition string, values item, means error) {
	p := &types.Put{TableName: t.h.table(table), Item: i}
	if condition != "" {
		p.ConditionExpression, p.ExpressionAttributeValues = &condition, values
	}
	t.add(types.TransactWriteItem{Put: p}, means)
}

// update changes attributes of an item if its condition holds.
func (t *transaction) update(table string, key item, change, condition string, values item, means error) {
	u := &types.Update{TableName: t.h.table(table), Key: key, UpdateExpression: &change, ExpressionAttributeValues: values}
	if condition != "" {
		u.ConditionExpression = &condition
	}
	t.add(types.TransactWriteItem{Update: u}, means)
}

// check fails the whole if a condition on an item that stays as it is does not hold.
func (t *transaction) check(table string, key item, condition string, values item, means error) {
	t.add(types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
		TableName: t.h.table(table), Key: key, ConditionExpression: &condition, ExpressionAttributeValues: values,
	}}, means)
}

// delete removes an item if its condition holds.
func (t *transaction) delete(table string, key item, condition string, values item, means error) {
	d := &types.Delete{TableName: t.h.table(table), Key: key}
	if condition != "" {
		d.ConditionExpression, d.ExpressionAttributeValues = &condition, values
	}
	t.add(types.TransactWriteItem{Delete: d}, means)
}

func (t *transaction) add(w types.TransactWriteItem, means error) {
	t.items, t.means = append(t.items, w), append(t.means, means)
}

// commit writes all or nothing. If conditions failed, the error is what the first of
// them means; one that means more than errAgain counts before it. The SDK repeats a
// call under one token, so that a repetition of what was done does nothing.
//
// Two transactions that touch one item at once may cancel each other although both
// conditions hold: that is errAgain too.
func (t *transaction) commit(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	_, err := t.h.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: t.items})
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		return t.h.fault("dynamodb:TransactWriteItems", "table "+t.tables(), err)
	}
	var says error
	for i, r := range cancelled.CancellationReasons {
		switch code := sdk.ToString(r.Code); {
		case code == "ConditionalCheckFailed" && i < len(t.means) && t.means[i] != nil:
			if says == nil || errors.Is(says, errAgain) && !errors.Is(t.means[i], errAgain) {
				says = t.means[i]
			}
		case code == "TransactionConflict" && says == nil:
			says = errAgain
		case (code == "ThrottlingError" || code == "ProvisionedThroughputExceeded") && (says == nil || errors.Is(says, errAgain)):
			says = errThrottled
		}
	}
	if errors.Is(says, errThrottled) {
		return fmt.Errorf("dynamodb:TransactWriteItems on table %s: %w", t.tables(), Failure{Kind: "throttled", err: says})
	}
	if says == nil {
		says = t.h.fault("dynamodb:TransactWriteItems", "table "+t.tables(), err)
	}
	return says
}

// tables names what the transaction writes to, each once.
func (t *transaction) tables() (out string) {
	seen := map[string]bool{}
	for _, i := range t.items {
		var name string
		switch {
		case i.Put != nil:
			name = *i.Put.TableName
		case i.Update != nil:
			name = *i.Update.TableName
		case i.Delete != nil:
			name = *i.Delete.TableName
		case i.ConditionCheck != nil:
			name = *i.ConditionCheck.TableName
		}
		if !seen[name] {
			out += map[bool]string{true: "", false: ", "}[out == ""] + name
		}
		seen[name] = true
	}
	return out
}

// calm makes a call about one item again, a few times, if it met a transaction there.
func calm(ctx context.Context, call func() error) error {
	for n := 0; ; n++ {
		var met *types.TransactionConflictException
		err := call()
		if n == 8 || !errors.As(err, &met) {
			return err
		}
		if err := pause(ctx, n); err != nil {
			return err
		}
	}
}

// putOne writes one item.
func (h *Host) putOne(ctx context.Context, put *dynamodb.PutItemInput) error {
	return calm(ctx, func() error {
		_, err := h.db.PutItem(ctx, put)
		return err
	})
}
