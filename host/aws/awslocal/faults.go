package awslocal

import (
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"net/http"
	"time"
)

// Faults is how a function's calls go wrong. The shares are of a thousand calls,
// drawn by the seed and the call's number.
type Faults struct {
	Seed uint64

	Throttled  int // told to slow down
	Broken     int // a 500
	Unheard    int // no answer, and nothing done
	Unanswered int // done, and no answer
	Late       int // no answer, and done after the caller has given up
	Partial    int // done in part; throttled where that cannot be
	Conflict   int // met another writer; throttled where that cannot be
	Twice      int // records that a stream delivers twice, beside all this
	Stale      int // reads that are not consistent and see what was, beside all this

	Latency time.Duration // that every call takes at least; what the services take counts
}

// Inject makes a function's calls go wrong from now on.
func (g *Ground) Inject(function string, f Faults) {
	g.books.mu.Lock()
	defer g.books.mu.Unlock()
	p := g.books.page(function)
	p.faults, p.n = f, 0
}

// lot is what was drawn for one call.
type lot struct {
	fault string
	dice  *rand.Rand
	f     Faults
}

// draw draws one.
func (b *books) draw(c *call) lot {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.page(c.function)
	p.n++
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.function))
	l := lot{dice: rand.New(rand.NewPCG(p.faults.Seed^h.Sum64(), p.n)), f: p.faults}
	l.fault = l.f.at(l.dice.IntN(1000))
	if l.fault == "partial" && !c.divisible() || l.fault == "conflict" && !c.contended() {
		l.fault = "throttled"
	}
	if l.fault != "" {
		p.seen.Faults++
	}
	return l
}

// at gives the fault that a number under a thousand falls on, or none.
func (f Faults) at(n int) string {
	for _, k := range []struct {
		name  string
		share int
	}{
		{"throttled", f.Throttled}, {"broken", f.Broken}, {"unheard", f.Unheard}, {"unanswered", f.Unanswered},
		{"late", f.Late}, {"partial", f.Partial}, {"conflict", f.Conflict},
	} {
		if n -= k.share; n < 0 {
			return k.name
		}
	}
	return ""
}

// divisible calls can be done in part.
func (c *call) divisible() bool {
	return c.op == "BatchWriteItem" || c.op == "BatchGetItem" || c.op == "PutRecordBatch"
}

// contended calls can meet another writer.
func (c *call) contended() bool {
	return c.op == "TransactWriteItems" || c.service == "dynamodb" && (c.op == "PutItem" || c.op == "UpdateItem" || c.op == "DeleteItem")
}

// throttle words the answer of a service that wants fewer calls.
func throttle(c *call) problem {
	switch c.service {
	case "s3":
		return problem{http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate."}
	case "firehose":
		return problem{http.StatusServiceUnavailable, "ServiceUnavailableException", "Slow down."}
	case "dynamodb":
		return problem{http.StatusBadRequest, "ProvisionedThroughputExceededException", "The level of configured provisioned throughput for the table was exceeded."}
	}
	return problem{http.StatusBadRequest, "ThrottlingException", "Rate exceeded"}
}

// broken words the answer of a service that failed.
func broken(c *call) problem {
	switch c.service {
	case "s3":
		return problem{http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again."}
	case "dynamodb":
		return problem{http.StatusInternalServerError, "InternalServerError", "Internal server error"}
	case "kms":
		return problem{http.StatusInternalServerError, "KMSInternalException", "try again"}
	}
	return problem{http.StatusInternalServerError, "InternalFailure", "try again"}
}

// meet answers a write as if another one had been at the same items.
func meet(w http.ResponseWriter, c *call) {
	if c.op != "TransactWriteItems" {
		answer(w, c.service, problem{http.StatusBadRequest, "TransactionConflictException", "Transaction is ongoing for the item"})
		return
	}
	var in tableCall
	_ = json.Unmarshal(c.body, &in)
	reasons := make([]map[string]string, len(in.TransactItems))
	for i := range reasons {
		reasons[i] = map[string]string{"Code": "None"}
	}
	reasons[0] = map[string]string{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"__type":  "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
		"Message": "Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict]", "CancellationReasons": reasons,
	})
}
