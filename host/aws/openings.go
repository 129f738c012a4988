package aws

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent/ledger"
)

// Openings gives what every leaf of the ledger stands for that the book still
// knows: consent records, erasures, seals. Leaves that wait for a checkpoint are
// left out, and so are sealed proofs.
func (h *Host) Openings(ctx context.Context, do func(ledger.Opening) error) error {
	err := h.query(ctx, &dynamodb.QueryInput{
		TableName: h.table(tableLeaf), KeyConditionExpression: sdk.String("q = :o"), ExpressionAttributeValues: item{":o": str("o")},
	}, func(i item) error { return open(i, i, do) })
	if err != nil {
		return err
	}
	pages := dynamodb.NewScanPaginator(h.db, &dynamodb.ScanInput{
		TableName: h.table(tableBook), ConsistentRead: sdk.Bool(true),
		FilterExpression: sdk.String("begins_with(r, :rec)"), ExpressionAttributeValues: item{":rec": str("rec#")},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return h.fault("dynamodb:Scan", "table "+*h.table(tableBook), err)
		}
		noted, err := h.notedOf(ctx, page.Items)
		for n, i := range page.Items {
			if err == nil && noted[n] != nil {
				err = open(noted[n], i, do)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// notedOf finds where records are noted.
func (h *Host) notedOf(ctx context.Context, records []item) ([]item, error) {
	keys, ids, found := make([]item, len(records)), make([]string, len(records)), map[string]item{}
	for n, i := range records {
		r, err := readRecord(i)
		if err != nil {
			return nil, err
		}
		keys[n] = recordIDKey(r.RecordID)
		ids[n] = strOf(keys[n], "s")
	}
	err := h.getAll(ctx, tableBook, keys, func(i item) { found[strOf(i, "s")] = i })
	out := make([]item, len(records))
	for n, id := range ids {
		out[n] = found[id]
	}
	return out, err
}

func open(noted, i item, do func(ledger.Opening) error) error {
	if at := indexOf(noted); at >= 0 {
		return do(ledger.Opening{Index: at, Salt: hex.EncodeToString(binOf(i, "salt")), Content: bytes.Clone(binOf(i, "b"))})
	}
	return nil
}

// Verifier is the ledger's public key, as it lies beside the ledger.
func (h *Host) Verifier(ctx context.Context) (string, error) {
	if h.keys.signer != nil {
		return h.keys.signer.Public, nil
	}
	key, err := ledgerStore{h: h}.Read(ctx, ledgerVerifier)
	return strings.TrimSuffix(string(key), "\n"), err
}
