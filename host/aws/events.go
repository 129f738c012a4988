package aws

import (
	"cmp"

	"context"
	"encoding/json"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/smithy-go"

	"github.com/handschlag/handschlag/event"
)

// The limits of one call to a delivery stream. AWS's are 1,000 KiB, 4 MiB and 500.
const (
	deliveryBytes   = 900 << 10 // of one record
	deliveryAll     = 3 << 20
	deliveryRecords = 500
)

// rawPrefix is where a stream's objects lie in the bucket of events, by the hour of
// their arrival.
func rawPrefix(stream string) string { return "raw/" + stream + "/" }

// AppendEvents returns once the delivery stream has every row: it keeps them until
// they lie in the bucket. Rows of one call share records, as each is billed by 5 KiB.
func (h *Host) AppendEvents(ctx context.Context, rows []event.Row) error {
	lines := make([][]byte, len(rows))
	for i := range rows {
		b, err := json.Marshal(&rows[i])
		if err != nil {
			return fmt.Errorf("appending events: %w", err)
		}
		lines[i] = append(b, '\n')
	}
	if err := h.deliver(ctx, streamEvents, packed(lines)); err != nil {
		return fmt.Errorf("appending events: %w", err)
	}
	return nil
}

// packed joins lines to records, in their order.
func packed(lines [][]byte) (out []types.Record) {
	var held []byte
	for i, line := range lines {
		held = append(held, line...)
		if i == len(lines)-1 || len(held)+len(lines[i+1]) > deliveryBytes {
			out, held = append(out, types.Record{Data: held}), nil
		}
	}
	return out
}

// deliver gives records to a stream. What a call leaves over is sent again, and
// nothing else: a record counts as failed only if the stream says so.
func (h *Host) deliver(ctx context.Context, stream string, records []types.Record) error {
	for len(records) > 0 {
		n, size := 0, 0
		for n < len(records) && n < deliveryRecords && (n == 0 || size+len(records[n].Data) <= deliveryAll) {
			size += len(records[n].Data)
			n++
		}
		if err := h.deliverOnce(ctx, stream, records[:n]); err != nil {
			return err
		}
		records = records[n:]
	}
	return nil
}

// deliverOnce sends one call's records. Its tries, the SDK's included, are those of
// any other call.
func (h *Host) deliverOnce(ctx context.Context, stream string, left []types.Record) error {
	name, tries := h.stream(stream), cmp.Or(h.opts.Account.Attempts, 3)
	for n := 0; ; n++ {
		out, err := h.fire.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: name, Records: left},
			func(o *firehose.Options) { o.RetryMaxAttempts = tries })
		if err == nil {
			if left, err = leftOver(left, out); len(left) == 0 && err == nil {
				return nil
			}
			if used, known := retry.GetAttemptResults(out.ResultMetadata); known {
				tries -= len(used.Results)
			} else {
				tries--
			}
		}
		if len(left) == 0 || out == nil || tries <= 0 {
			return h.fault("firehose:PutRecordBatch", "stream "+*name, err)
		}
		if err := pause(ctx, n+4); err != nil {
			return fmt.Errorf("stream %s: %w", *name, err)
		}
	}
}

// leftOver gives the records that a call did not take, and why.
func leftOver(sent []types.Record, out *firehose.PutRecordBatchOutput) (left []types.Record, err error) {
	if sdk.ToInt32(out.FailedPutCount) == 0 {
		return nil, nil
	}
	if len(out.RequestResponses) != len(sent) {
		return sent, errors.New("the stream does not say which records it took")
	}
	for i, r := range out.RequestResponses {
		if r.ErrorCode != nil {
			left = append(left, sent[i])
			err = &smithy.GenericAPIError{Code: *r.ErrorCode, Message: sdk.ToString(r.ErrorMessage)}
		}
	}
	if len(left) == 0 {
		return sent, errors.New("the stream does not say which records it took")
	}
	return left, err
}
