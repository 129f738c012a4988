package aws

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// An import of more histories than a transaction takes lays each new history beside
// the old one, under the import's name. Then one item decides for all of them, and
// after that they are moved in. A history that is laid aside keeps other imports
// away; one whose import ended without a decision is freed by the next who comes.
const (
	importDone    = "done"
	importDropped = "dropped"
	importWait    = 30 * time.Second // for an import that has not decided
	importsAtOnce = 16
)

func importKey(tx string) item { return priceKey("tx#" + tx) }

// putManyPrices writes histories in two steps.
func (h *Host) putManyPrices(ctx context.Context, changed []history) error {
	tx := randomName()
	err := each(ctx, len(changed), importsAtOnce, func(ctx context.Context, i int) error { return h.layAside(ctx, tx, changed[i]) })
	if err == nil {
		err = h.decideImport(ctx, tx, importDone)
	}
	if err != nil {
		h.dropImport(context.WithoutCancel(ctx), tx, changed)
		return err
	}
	err = each(ctx, len(changed), importsAtOnce, func(ctx context.Context, i int) error { return h.moveIn(ctx, tx, changed[i].key, importDone) })
	if err == nil {
		err = h.forgetImport(ctx, tx)
	}
	if err != nil { // all of it is in force: readers ask the import
		h.opts.Log.Warn("some price histories are still beside their old ones", "err", err)
	}
	return nil
}

// layAside puts a new history beside the old one, if that is still what it was made of.
func (h *Host) layAside(ctx context.Context, tx string, x history) error {
	same := "(attribute_not_exists(n) AND attribute_not_exists(tx)) OR tx = :tx"
	values := item{":tx": str(tx), ":next": bin(x.packed), ":since": num(h.now().UnixMilli()), ":one": num(x.n + 1)}
	if x.n > 0 {
		same = "(n = :n AND attribute_not_exists(tx)) OR tx = :tx"
		values[":n"] = num(x.n)
	}
	return h.updatePrice(ctx, x.key, "SET nxt = :next, tx = :tx, since = :since, n = :one", same, values, errAgain)
}

// updatePrice changes an item; otherwise is what it means that the condition fails.
func (h *Host) updatePrice(ctx context.Context, k, change, condition string, values item, otherwise error) error {
	_, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(tablePrice), Key: priceKey(k), UpdateExpression: &change, ConditionExpression: &condition, ExpressionAttributeValues: values,
	})
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return otherwise
	}
	if codeOf(err) == "TransactionConflictException" { // a smaller import is at the same history
		return errAgain
	}
	return h.fault("dynamodb:UpdateItem", "table "+*h.table(tablePrice), err)
}

// decideImport decides an import, once: errAgain if it was decided otherwise.
func (h *Host) decideImport(ctx context.Context, tx, said string) error {
	i, first := importKey(tx), "attribute_not_exists(k) OR said = :said"
	i["said"] = str(said)
	_, err := h.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: h.table(tablePrice), Item: i, ConditionExpression: &first, ExpressionAttributeValues: item{":said": str(said)},
	})
	var failed *types.ConditionalCheckFailedException
	if errors.As(err, &failed) {
		return errAgain
	}
	return h.fault("dynamodb:PutItem", "table "+*h.table(tablePrice), err)
}

// decidedImport gives an import's decision, "" before there is one.
func (h *Host) decidedImport(ctx context.Context, tx string) (string, error) {
	i, err := h.get(ctx, tablePrice, importKey(tx))
	return strOf(i, "said"), err
}

// moveIn ends an import for one history, as it was decided.
func (h *Host) moveIn(ctx context.Context, tx, k, said string) error {
	change := "REMOVE nxt, tx, since"
	if said == importDone {
		change = "SET body = nxt " + change
	}
	return again(ctx, func() error { return h.updatePrice(ctx, k, change, "tx = :tx", item{":tx": str(tx)}, nil) })
}

// dropImport frees what was laid aside, if the import is not decided already. What
// it does not reach is freed by the next import.
func (h *Host) dropImport(ctx context.Context, tx string, changed []history) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := h.decideImport(ctx, tx, importDropped)
	if err == nil {
		err = each(ctx, len(changed), importsAtOnce, func(ctx context.Context, i int) error { return h.moveIn(ctx, tx, changed[i].key, importDropped) })
	}
	if err != nil { // the decision stays: a try of ours may still come late
		h.opts.Log.Warn("an import of prices that failed is still in the way", "err", err)
	}
}

// forgetImport removes the decision once nothing asks for it any more.
func (h *Host) forgetImport(ctx context.Context, tx string) error {
	_, err := h.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: h.table(tablePrice), Key: importKey(tx)})
	return h.fault("dynamodb:DeleteItem", "table "+*h.table(tablePrice), err)
}

// endImports frees histories that imports are at: as they were decided, or because
// they have waited long enough for a decision. Then they must be read again.
func (h *Host) endImports(ctx context.Context, busy []item) error {
	said := map[string]string{}
	for _, i := range busy {
		tx := strOf(i, "tx")
		if _, known := said[tx]; known {
			continue
		}
		is, err := h.endedImport(ctx, tx, time.UnixMilli(numOf(i, "since")))
		if err != nil {
			return err
		}
		said[tx] = is
	}
	err := each(ctx, len(busy), importsAtOnce, func(ctx context.Context, i int) error {
		tx := strOf(busy[i], "tx")
		return h.moveIn(ctx, tx, strOf(busy[i], "k"), said[tx])
	})
	return cmp.Or(err, errAgain)
}

// endedImport gives an import's decision. One that is overdue is dropped.
func (h *Host) endedImport(ctx context.Context, tx string, since time.Time) (string, error) {
	said, err := h.decidedImport(ctx, tx)
	if err != nil || said != "" {
		return said, err
	}
	if h.now().Sub(since) < importWait {
		return "", errAgain
	}
	return importDropped, h.decideImport(ctx, tx, importDropped)
}
