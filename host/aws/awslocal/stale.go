package awslocal

import (
	"encoding/json"
	"net/http"
	"sync"
)

// memory keeps the last answer of each read that need not be consistent, for the
// next that asks the same: what a replica that lags may say.
type memory struct {
	mu   sync.Mutex
	said map[string][]byte
}

// mayLag says whether a read asks for consistency nowhere.
func (c *call) mayLag() bool {
	var in struct {
		ConsistentRead bool
		RequestItems   map[string]struct{ ConsistentRead bool }
	}
	if c.op != "GetItem" && c.op != "Query" && c.op != "BatchGetItem" || json.Unmarshal(c.body, &in) != nil {
		return false
	}
	for _, of := range in.RequestItems {
		in.ConsistentRead = in.ConsistentRead || of.ConsistentRead
	}
	return !in.ConsistentRead
}

// passStale answers a read that did not ask for consistency with what was, if the
// dice say so. DynamoDB Local alone would always answer with what is.
func (g *Ground) passStale(w http.ResponseWriter, r *http.Request, c *call, l lot) bool {
	if !c.mayLag() {
		return false
	}
	g.stale.mu.Lock()
	old, had := g.stale.said[string(c.body)]
	g.stale.mu.Unlock()
	if had && l.dice.IntN(1000) < l.f.Stale {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write(old)
		return true
	}
	status, head, answer, err := g.ask(r, g.dynamo.url, c.body)
	if err == nil && status == http.StatusOK {
		g.stale.mu.Lock()
		if len(g.stale.said) > 1<<15 {
			clear(g.stale.said)
		}
		g.stale.said[string(c.body)] = answer
		g.stale.mu.Unlock()
	}
	relay(w, max(status, http.StatusOK), head, answer)
	return true
}
