package aws

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// readable leaves of records what anybody may read of them: of one about an erased
// subject what Redacted keeps, even before its bytes are gone.
func (h *Host) readable(ctx context.Context, rs []decide.Record) error {
	var about []consent.Subject
	for _, r := range rs {
		if !r.Subject.IsZero() && !slices.Contains(about, r.Subject) {
			about = append(about, r.Subject)
		}
	}
	if len(about) == 0 {
		return nil
	}
	erased, err := h.erasedAmong(ctx, about)
	if err != nil {
		clear(rs)
		return fmt.Errorf("looking for erasures: %w", err)
	}
	for i, r := range rs {
		if erased[r.Subject] {
			rs[i] = flow.Redacted(r)
		}
	}
	return nil
}

// redactDecisions leaves of a subject's decisions what Redacted keeps, and gives the
// hashes that they had. One that comes later is redacted when it is read, and here
// when this is called again.
func (h *Host) redactDecisions(ctx context.Context, s consent.Subject) (hashes []string, err error) {
	of, index := "s = :s", indexBySubject
	q := &dynamodb.QueryInput{
		TableName: h.table(tableDecision), IndexName: &index, KeyConditionExpression: &of, ExpressionAttributeValues: item{":s": str(subjectKey(s))},
	}
	var all []decide.Record
	err = h.query(ctx, q, func(i item) error {
		var r decide.Record
		err := json.Unmarshal(binOf(i, "body"), &r)
		if err == nil && r.Erased == "" {
			all = append(all, r)
		}
		return err
	})
	if err == nil {
		err = each(ctx, len(all), 8, func(ctx context.Context, i int) error { return h.redactDecision(ctx, &all[i]) })
	}
	if err != nil {
		return nil, fmt.Errorf("redacting decisions: %w", err)
	}
	for _, r := range all {
		hash := r.Hash()
		hashes = append(hashes, hex.EncodeToString(hash[:]))
	}
	return hashes, nil
}

// redactDecision takes the content out of an item, and the subject out of its index.
func (h *Host) redactDecision(ctx context.Context, r *decide.Record) error {
	body, err := json.Marshal(flow.Redacted(*r))
	if err != nil {
		return err
	}
	hash := r.Hash()
	change, same := "SET body = :b REMOVE s", "h = :h"
	_, err = h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: h.table(tableDecision), Key: item{"id": str(r.ID)}, UpdateExpression: &change, ConditionExpression: &same,
		ExpressionAttributeValues: item{":b": bin(body), ":h": str(hex.EncodeToString(hash[:]))},
	})
	var gone *types.ConditionalCheckFailedException
	if errors.As(err, &gone) { // its time was over
		return nil
	}
	return h.fault("dynamodb:UpdateItem", "table "+*h.table(tableDecision), err)
}
