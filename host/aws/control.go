package aws

import (
	"context"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// The items of control: what is switched off, and what is live.
const (
	controlNow         = "now" // the one partition
	controlSwitch      = "switch#"
	controlProducts    = "products"
	controlPublication = "publication"
)

func controlKey(r string) item { return item{"p": str(controlNow), "r": str(r)} }

// control reads all items by one consistent read, by their sort key. They are small:
// what they point at lies in a bucket, and never changes.
func (h *Host) control(ctx context.Context) (map[string]item, error) {
	out, is := map[string]item{}, "p = :p"
	q := &dynamodb.QueryInput{
		TableName: h.table(tableControl), KeyConditionExpression: &is, ExpressionAttributeValues: item{":p": str(controlNow)},
	}
	err := h.query(ctx, q, func(i item) error { out[strOf(i, "r")] = i; return nil })
	return out, err
}

// memo is what control last pointed at. It is looked up again whenever the pointer
// says otherwise.
type memo struct {
	publication atomic.Pointer[publication]
}
