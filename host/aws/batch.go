package aws

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// query calls do for every item that a query finds, by consistent reads.
func (h *Host) query(ctx context.Context, q *dynamodb.QueryInput, do func(item) error) error {
	if found, ahead, err := h.takePart(ctx, q); ahead {
		for i := 0; err == nil && i < len(found); i++ {
			err = do(found[i])
		}
		return err
	}
	if q.IndexName == nil {
		q.ConsistentRead = sdk.Bool(true)
	}
	for pages := dynamodb.NewQueryPaginator(h.db, q); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return h.fault("dynamodb:Query", "table "+*q.TableName, err)
		}
		for _, i := range page.Items {
			if err := do(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// scanSegments is how many parts of a table are read side by side.
const scanSegments = 8

// scan reads a whole table by consistent reads, in no order. do is called by several
// goroutines at once.
func (h *Host) scan(ctx context.Context, table, filter string, values item, do func(item) error) error {
	return each(ctx, scanSegments, scanSegments, func(ctx context.Context, i int) error {
		in := &dynamodb.ScanInput{
			TableName: h.table(table), ConsistentRead: sdk.Bool(true), Segment: sdk.Int32(int32(i)), TotalSegments: sdk.Int32(scanSegments),
		}
		if filter != "" {
			in.FilterExpression, in.ExpressionAttributeValues = &filter, values
		}
		for pages := dynamodb.NewScanPaginator(h.db, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return h.fault("dynamodb:Scan", "table "+*in.TableName, err)
			}
			for _, i := range page.Items {
				if err := do(i); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// getAll reads items of a table by key, consistently and in one call if they fit.
func (h *Host) getAll(ctx context.Context, table string, keys []item, do func(item)) error {
	name, yes := *h.table(table), true
	for n := 0; len(keys) > 0; n++ {
		now := keys[:min(len(keys), 100)]
		keys = keys[len(now):]
		out, err := h.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{name: {Keys: now, ConsistentRead: &yes}},
		})
		if err != nil {
			return h.fault("dynamodb:BatchGetItem", "table "+name, err)
		}
		for _, i := range out.Responses[name] {
			do(i)
		}
		if left := out.UnprocessedKeys[name].Keys; len(left) > 0 {
			if keys = append(keys, left...); len(left) == len(now) && n > 8 {
				return h.fault("dynamodb:BatchGetItem", "table "+name, errors.New("some items are left over after every try"))
			}
			if err := pause(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// mostAtOnce is how many items one batch call may write.
const mostAtOnce = 25

// remove deletes items by key, those that are not there too.
func (h *Host) remove(ctx context.Context, table string, keys []item) error {
	name := *h.table(table)
	for len(keys) > 0 {
		n := min(len(keys), mostAtOnce)
		left := make([]types.WriteRequest, n)
		for i, k := range keys[:n] {
			left[i].DeleteRequest = &types.DeleteRequest{Key: k}
		}
		if err := h.writeBatch(ctx, name, left); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// writeBatch writes up to mostAtOnce requests, what is left over again and again.
func (h *Host) writeBatch(ctx context.Context, table string, left []types.WriteRequest) error {
	for n := 0; len(left) > 0; n++ {
		out, err := h.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: left}})
		if err == nil && n == 8 && len(out.UnprocessedItems) > 0 {
			err = errors.New("some items are left over after every try")
		}
		if err != nil {
			return h.fault("dynamodb:BatchWriteItem", "table "+table, err)
		}
		if left = out.UnprocessedItems[table]; len(left) > 0 {
			if err := pause(ctx, n+2); err != nil {
				return err
			}
		}
	}
	return nil
}

// each runs do for 0 to n-1, a few at a time, and gives the first error.
func each(ctx context.Context, n, atOnce int, do func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var work sync.WaitGroup
	var next atomic.Int64
	for range min(n, atOnce) {
		work.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i); err != nil {
					stop(err)
				}
			}
		})
	}
	work.Wait()
	return context.Cause(ctx)
}
