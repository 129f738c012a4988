package aws

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent/ledger"
)

// A mark says in a table how far the ledger had grown, or was about to, when the
// table was last written beside it. The ledger's checkpoint lies in a bucket, where
// no backup of a table brings an old one back: a table whose mark is behind it was
// put back, and lacks withdrawals, objections and erasures since (L11).

// markedTables are those on which it rests whether somebody may be processed.
var markedTables = []string{tableBook, tableLeaf, tableIdentity, tableGrant}

// markKey is where a table keeps its mark.
func markKey(table string) item {
	switch table {
	case tableBook:
		return item{"s": str("mark"), "r": str("at")}
	case tableLeaf:
		return item{"q": str("mark"), "n": str("at")}
	}
	return item{"k": str("mark")}
}

// mark raises the marks before the ledger grows to a size. They never sink.
func (h *Host) mark(ctx context.Context, size int64) error {
	return each(ctx, len(markedTables), len(markedTables), func(ctx context.Context, i int) error {
		table := markedTables[i]
		err := calm(ctx, func() error {
			_, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: h.table(table), Key: markKey(table), UpdateExpression: sdk.String("SET m = :m"),
				ConditionExpression: sdk.String("attribute_not_exists(m) or m < :m"), ExpressionAttributeValues: item{":m": num(size)},
			})
			return err
		})
		var higher *types.ConditionalCheckFailedException
		if errors.As(err, &higher) {
			return nil
		}
		return h.fault("dynamodb:UpdateItem", "table "+*h.table(table), err)
	})
}

// noneBack is an error if one of the tables was put back from a backup and nobody
// has put right yet what it lacks. The checkpoint is read first: marks never sink, and
// are raised before it grows.
func (h *Host) noneBack(ctx context.Context, tables ...string) error {
	ctx = context.WithValue(ctx, foresightKey{}, nil) // nobody foresees these
	published, err := ledger.Published(ctx, ledgerStore{h: h})
	if errors.Is(err, ledger.ErrNone) {
		return nil
	}
	if err != nil {
		return err
	}
	marks := make([]int64, len(tables))
	err = each(ctx, len(tables), len(tables), func(ctx context.Context, i int) (err error) {
		marks[i], err = h.marked(ctx, tables[i])
		return err
	})
	for i, table := range tables {
		if err == nil && marks[i] < published.Size {
			err = errSplit{fmt.Sprintf("table %s knows %d leaves of the ledger, which has %d: it was put back from a backup; next: handschlag ledger restore --host aws",
				*h.table(table), marks[i], published.Size)}
		}
	}
	return err
}

func (h *Host) marked(ctx context.Context, table string) (int64, error) {
	i, err := h.get(ctx, table, markKey(table))
	return numOf(i, "m"), err
}
