package aws

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
)

// ReadEvents gives every row that was delivered and not compacted yet, in the order
// of receipt. A row may be there twice: the night removes duplicates.
func (h *Host) ReadEvents(ctx context.Context) (out []event.Row, err error) {
	err = h.delivered(ctx, rawPrefix(streamEvents), func(line []byte) error {
		var r event.Row
		err := json.Unmarshal(line, &r)
		out = append(out, r)
		return err
	})
	slices.SortStableFunc(out, func(a, b event.Row) int { return cmp.Compare(a.ReceivedMS, b.ReceivedMS) })
	return out, err
}

// delivered calls do for every line of the objects under a prefix of the bucket of
// events, one object after the other. do must not keep the line.
func (h *Host) delivered(ctx context.Context, prefix string, do func(line []byte) error) error {
	pages := s3.NewListObjectsV2Paginator(h.s3, &s3.ListObjectsV2Input{Bucket: h.bucket(bucketEvents), Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return h.fault("s3:ListBucket", "bucket "+*h.bucket(bucketEvents), err)
		}
		for _, o := range page.Contents {
			body, _, err := h.readObject(ctx, bucketEvents, *o.Key)
			if err == nil {
				err = eachLine(body, do)
			}
			if err != nil {
				return fmt.Errorf("reading %s: %w", *o.Key, err)
			}
		}
	}
	return nil
}

// eachLine reads what a stream delivered, compressed or not.
func eachLine(body []byte, do func(line []byte) error) error {
	var from io.Reader = bytes.NewReader(body)
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(from)
		if err != nil {
			return err
		}
		from = z
	}
	for r := bufio.NewReaderSize(from, 1<<16); ; {
		line, err := r.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			if bad := do(line); bad != nil {
				return bad
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// placed is a record's place: its writer, and its number there.
type placed struct {
	writer string
	n      uint64
}

// ReadDecisions gives every record that is still kept, writer by writer in the order
// of the chain: what was delivered and what the tables hold, each once. Of one that
// was delivered by a try that nobody acknowledged, and then written again, the table
// has the one that counts: the other is the last of its chain.
func (h *Host) ReadDecisions(ctx context.Context) ([]decide.Record, error) {
	all, counts, kept := map[placed]decide.Record{}, map[string]placed{}, h.kept()
	take := func(line []byte) error {
		var r decide.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("unreadable decision: %w", err)
		}
		if was, there := all[placed{r.Writer, r.N}]; !r.Time.Before(kept) && (!there || was.Erased == "") {
			all[placed{r.Writer, r.N}] = r
		}
		return nil
	}
	err := h.delivered(ctx, rawPrefix(streamDecisions), take)
	for _, table := range []string{tableDecision, tablePriced} {
		if err == nil {
			err = h.everyItem(ctx, table, func(i item) error {
				body := binOf(i, "body")
				if body == nil { // it lists an hour
					return nil
				}
				counts[strOf(i, "id")] = placed{strOf(i, "w"), uint64(numOf(i, "n"))}
				return take(body)
			})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading decisions: %w", err)
	}
	maps.DeleteFunc(all, func(at placed, r decide.Record) bool {
		one, known := counts[r.ID]
		return known && one != at
	})
	out := slices.SortedFunc(maps.Values(all), func(a, b decide.Record) int {
		return cmp.Or(cmp.Compare(a.Writer, b.Writer), cmp.Compare(a.N, b.N))
	})
	return out, h.readable(ctx, out)
}
