package awslocal

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
)

// hose is Firehose: it takes records, joins them as they are, and delivers each
// stream as gzip objects under PREFIX/YYYY/MM/DD/HH/ of arrival.
type hose struct {
	store *store

	mu      sync.Mutex
	streams map[string]*stream
	clock   map[string]func() time.Time
}

type stream struct {
	name, bucket, prefix string
	held                 bytes.Buffer
	hour                 time.Time
}

func newHose(s *store) *hose {
	return &hose{store: s, streams: map[string]*stream{}, clock: map[string]func() time.Time{}}
}

func (h *hose) make(name, bucket, prefix string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams[name] == nil {
		h.streams[name] = &stream{name: name, bucket: bucket, prefix: prefix}
	}
}

// Limits of the service, before base64.
const (
	recordBytes  = 1000 << 10
	batchBytes   = 4 << 20
	batchRecords = 500
)

type record struct{ Data []byte }

type hoseCall struct {
	DeliveryStreamName string
	Record             record
	Records            []record
}

// serve answers an operation. spoil and again say of a record's number whether it
// fails, and whether it is delivered twice.
func (h *hose) serve(w http.ResponseWriter, op string, body []byte, spoil, again func(int) bool) {
	var in hoseCall
	if err := json.Unmarshal(body, &in); err != nil {
		answer(w, "firehose", problem{http.StatusBadRequest, "SerializationException", err.Error()})
		return
	}
	h.mu.Lock()
	s := h.streams[in.DeliveryStreamName]
	h.mu.Unlock()
	if s == nil {
		answer(w, "firehose", problem{http.StatusBadRequest, "ResourceNotFoundException",
			fmt.Sprintf("Firehose %s under account %s not found.", in.DeliveryStreamName, AccountID)})
		return
	}
	switch op {
	case "PutRecord":
		h.putAll(w, s, []record{in.Record}, nil, again, true)
	case "PutRecordBatch":
		h.putAll(w, s, in.Records, spoil, again, false)
	case "DescribeDeliveryStream":
		reply(w, map[string]any{"DeliveryStreamDescription": map[string]any{
			"DeliveryStreamName": s.name, "DeliveryStreamStatus": "ACTIVE", "DeliveryStreamType": "DirectPut", "VersionId": "1",
			"DeliveryStreamARN": streamARN(s.name), "HasMoreDestinations": false, "Destinations": []any{},
		}})
	default:
		answer(w, "firehose", problem{http.StatusBadRequest, "InvalidArgumentException", "unknown operation " + op})
	}
}

// unfit says what is wrong with a put, by the limits of the service.
func unfit(rs []record) string {
	size := 0
	for _, r := range rs {
		size += len(r.Data)
		if len(r.Data) > recordBytes || len(r.Data) == 0 {
			return "a record is empty or longer than 1,000 KiB"
		}
	}
	if len(rs) == 0 || len(rs) > batchRecords || size > batchBytes {
		return "a batch has 1 to 500 records and 4 MiB at most"
	}
	return ""
}

func (h *hose) putAll(w http.ResponseWriter, s *stream, rs []record, spoil, again func(int) bool, one bool) {
	if wrong := unfit(rs); wrong != "" {
		answer(w, "firehose", problem{http.StatusBadRequest, "InvalidArgumentException", wrong})
		return
	}
	failed, said := 0, make([]map[string]string, len(rs))
	for i, r := range rs {
		if spoil != nil && spoil(i) {
			failed++
			said[i] = map[string]string{"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
			continue
		}
		h.take(s, r.Data)
		if again(i) {
			h.take(s, r.Data)
		}
		said[i] = map[string]string{"RecordId": uuid.NewString()}
	}
	if one {
		reply(w, map[string]any{"RecordId": said[0]["RecordId"], "Encrypted": true})
		return
	}
	reply(w, map[string]any{"FailedPutCount": failed, "Encrypted": true, "RequestResponses": said})
}

func (h *hose) take(s *stream, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hour := h.now(s).Truncate(time.Hour)
	if s.held.Len() > 0 && (!hour.Equal(s.hour) || s.held.Len() > 4<<20) {
		h.write(s)
	}
	s.hour = hour
	s.held.Write(data)
}

func (h *hose) now(s *stream) time.Time {
	if c := h.clock[s.bucket]; c != nil {
		return c().UTC()
	}
	return time.Now().UTC()
}

// deliver writes an object for each stream that holds something.
func (h *hose) deliver() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range h.streams {
		h.write(s)
	}
}

func (h *hose) write(s *stream) {
	if s.held.Len() == 0 {
		return
	}
	var out bytes.Buffer
	z, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	_, _ = z.Write(s.held.Bytes())
	_ = z.Close()
	at := h.now(s)
	key := fmt.Sprintf("%s%s/%s-1-%s-%s.gz", s.prefix, s.hour.Format("2006/01/02/15"), s.name, at.Format("2006-01-02-15-04-05"), uuid.Must(uuid.NewV7()))
	if err := h.store.put(s.bucket, key, out.Bytes()); err == nil {
		s.held.Reset()
	}
}

func (h *hose) deliverEvery(every time.Duration, stop chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			h.deliver()
		}
	}
}

// Arrivals sets the clock by which what is put into the streams of a set of
// buckets arrives. Without one it is the real one.
func (g *Ground) Arrivals(buckets string, clock func() time.Time) {
	g.hose.mu.Lock()
	defer g.hose.mu.Unlock()
	g.hose.clock[buckets+"-events"] = clock
}
