package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// item is a DynamoDB item or key.
type item = map[string]types.AttributeValue

func str(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func bin(v []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: v} }
func num[N int | int64 | uint64](v N) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: fmt.Sprint(v)}
}

func strOf(i item, name string) string {
	if v, ok := i[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	return ""
}

func binOf(i item, name string) []byte {
	if v, ok := i[name].(*types.AttributeValueMemberB); ok {
		return v.Value
	}
	return nil
}

func numOf(i item, name string) int64 {
	var n int64
	if v, ok := i[name].(*types.AttributeValueMemberN); ok {
		_, _ = fmt.Sscan(v.Value, &n)
	}
	return n
}

// get reads one item, consistently; nil if there is none. What Ahead read
// for this call is handed out once instead.
func (h *Host) get(ctx context.Context, table string, key item) (item, error) {
	if i, ahead, err := takeAhead(ctx, table, key); ahead {
		return i, err
	}
	yes := true
	out, err := h.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: h.table(table), Key: key, ConsistentRead: &yes})
	if err != nil {
		return nil, h.fault("dynamodb:GetItem", "table "+*h.table(table), err)
	}
	return out.Item, nil
}

// fault makes one line of what a service said: the resource, the right, and how to
// mend it where that is known. It wraps err.
func (h *Host) fault(action, resource string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s on %s: %w", action, resource, Failure{Kind: kindOf(err), err: err})
}

// Failure is what went wrong with a call, in plain words.
type Failure struct {
	Kind string // denied | absent | expired | skewed | throttled | unreachable | failed
	err  error
}

// Error says it in one line.
func (f Failure) Error() string {
	say := map[string]string{
		"denied":      "the role lacks this right (infra/terraform grants it)",
		"absent":      "it does not exist in this account and region (terraform apply makes it)",
		"expired":     "the credentials are expired or unknown: sign in again",
		"skewed":      "this machine's clock is off: AWS refuses signatures that are minutes away",
		"throttled":   "throttled, and still after the last try",
		"unreachable": "no answer",
	}[f.Kind]
	if say == "" {
		return oneLine(f.err)
	}
	return say + " (" + oneLine(f.err) + ")"
}

// Unwrap gives the service's own error.
func (f Failure) Unwrap() error { return f.err }

// oneLine is an error without what changes from call to call.
func oneLine(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return strings.Join(strings.Fields(api.ErrorCode()+" "+api.ErrorMessage()), " ")
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}

// kindOf sorts a service's error by its code.
func kindOf(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		var res *smithyhttp.ResponseError
		if errors.As(err, &res) && res.HTTPStatusCode() == http.StatusForbidden {
			return "denied"
		}
		return "unreachable"
	}
	switch code := api.ErrorCode(); {
	case strings.Contains(code, "AccessDenied") || code == "UnauthorizedOperation" || code == "Forbidden":
		return "denied"
	case code == "ResourceNotFoundException" || code == "NoSuchBucket" || code == "NotFoundException" && strings.Contains(api.ErrorMessage(), "lias"):
		return "absent"
	case strings.Contains(code, "Expired") || code == "UnrecognizedClientException" || code == "InvalidClientTokenId" || code == "InvalidAccessKeyId" || code == "InvalidToken":
		return "expired"
	case strings.Contains(code, "TimeTooSkewed") || strings.Contains(code, "RequestInTheFuture") || strings.Contains(code, "InvalidSignatureException"):
		return "skewed"
	case strings.Contains(code, "Throttl") || strings.Contains(code, "ProvisionedThroughput") || code == "SlowDown" || code == "RequestLimitExceeded" || code == "LimitExceededException":
		return "throttled"
	}
	return "failed"
}
