package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/event"
)

// PutCases remembers cases. A case's id is the digest of what it says, so that
// putting it again changes nothing.
func (h *Host) PutCases(ctx context.Context, cases map[event.CaseID][]byte) error {
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(cases)), mostAtOnce) {
		batch := make([]types.WriteRequest, len(ids))
		for i, id := range ids {
			batch[i].PutRequest = &types.PutRequest{Item: item{"id": str(fmt.Sprintf("%016x", uint64(id))), "body": bin(cases[id])}}
		}
		if err := h.writeBatch(ctx, *h.table(tableCase), batch); err != nil {
			return fmt.Errorf("keeping cases: %w", err)
		}
	}
	return nil
}

// ReadCases gives every case.
func (h *Host) ReadCases(ctx context.Context) (map[event.CaseID][]byte, error) {
	out := map[event.CaseID][]byte{}
	err := h.everyItem(ctx, tableCase, func(i item) error {
		id, err := strconv.ParseUint(strOf(i, "id"), 16, 64)
		if err != nil {
			return fmt.Errorf("unreadable case id: %w", err)
		}
		out[event.CaseID(id)] = binOf(i, "body")
		return nil
	})
	return out, err
}

// everyItem calls do for every item of a table, by consistent reads.
func (h *Host) everyItem(ctx context.Context, table string, do func(item) error) error {
	yes := true
	pages := dynamodb.NewScanPaginator(h.db, &dynamodb.ScanInput{TableName: h.table(table), ConsistentRead: &yes})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return h.fault("dynamodb:Scan", "table "+*h.table(table), err)
		}
		for _, i := range page.Items {
			if err := do(i); err != nil {
				return err
			}
		}
	}
	return nil
}
