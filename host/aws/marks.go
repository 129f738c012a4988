package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A mark says in a table how far the journal was, or was about to be, when the table
// was last written beside it. The journal's count lies in a bucket, where no backup
// of a table brings an old one back: a table whose mark is behind it was put back,
// and lacks withdrawals, objections and erasures since (L11).

// errOld says that a table was put back.
func (h *Host) errOld(table, why string) error {
	return errSplit{fmt.Sprintf("table %s %s: it was put back from a backup; next: handschlag ledger restore --host aws", *h.table(table), why)}
}

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

// mark raises the marks of those of the tables that know all batches up to was. They
// never sink; one that is behind stays so.
func (h *Host) mark(ctx context.Context, was, next int64, tables []string) error {
	condition, values := "m >= :was and m < :next", item{":was": num(was), ":next": num(next), ":at": num(h.now().UnixMilli())}
	if was == 0 {
		condition = "attribute_not_exists(m) or m < :next"
		delete(values, ":was")
	}
	return each(ctx, len(tables), len(tables), func(ctx context.Context, i int) error {
		table := tables[i]
		err := calm(ctx, func() error {
			_, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: h.table(table), Key: markKey(table), UpdateExpression: sdk.String("SET m = :next, t = :at"),
				ConditionExpression: &condition, ExpressionAttributeValues: values,
			})
			return err
		})
		var not *types.ConditionalCheckFailedException
		if errors.As(err, &not) {
			return nil
		}
		return h.fault("dynamodb:UpdateItem", "table "+*h.table(table), err)
	})
}

// noneBack is an error if one of the tables was put back from a backup and nobody
// has put right yet what it lacks. The count is read first: marks never sink, and are
// raised before it grows. A mark beyond every number means that the count was lost.
func (h *Host) noneBack(ctx context.Context, tables ...string) error {
	for try := 0; ; try++ {
		c, err := h.journaled(ctx)
		if err != nil {
			return err
		}
		marks, err := h.marks(ctx, tables)
		if err != nil {
			return err
		}
		if beyond := slices.IndexFunc(marks, func(m int64) bool { return m > c.Tried }); beyond >= 0 {
			if try < 10 { // the journal grew while we read
				continue
			}
			return errSplit{fmt.Sprintf("table %s knows batch %d of the journal, whose count, object %s of bucket %s, knows %d: it was lost or put back; "+
				"next: handschlag ledger restore --host aws", *h.table(tables[beyond]), marks[beyond], journalHead, *h.bucket(bucketLedger), c.Tried)}
		}
		for i, table := range tables {
			if marks[i] < c.N {
				return h.errOld(table, fmt.Sprintf("knows batch %d of the journal, which has %d", marks[i], c.N))
			}
		}
		return nil
	}
}

// marks are the marks of tables.
func (h *Host) marks(ctx context.Context, tables []string) ([]int64, error) {
	ctx = context.WithValue(ctx, foresightKey{}, nil) // nobody foresees these
	marks := make([]int64, len(tables))
	err := each(ctx, len(tables), len(tables), func(ctx context.Context, i int) error {
		it, err := h.get(ctx, tables[i], markKey(tables[i]))
		marks[i] = numOf(it, "m")
		return err
	})
	return marks, err
}
