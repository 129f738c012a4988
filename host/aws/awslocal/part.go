package awslocal

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
)

// passPart does a part of a batch and names the rest as not done, as DynamoDB does
// when a partition is hot.
func (g *Ground) passPart(w http.ResponseWriter, r *http.Request, c *call, l lot) {
	var in map[string]json.RawMessage
	var items map[string]json.RawMessage
	if json.Unmarshal(c.body, &in) != nil || json.Unmarshal(in["RequestItems"], &items) != nil {
		g.forward(w, r, g.dynamo.url, c.body)
		return
	}
	do, leave := divide(items, l)
	out := map[string]any{"Responses": map[string]any{}}
	if len(do) > 0 {
		in["RequestItems"], _ = json.Marshal(do)
		body, _ := json.Marshal(in)
		status, _, answer, err := g.ask(r, g.dynamo.url, body)
		if err != nil || status != http.StatusOK {
			w.WriteHeader(max(status, http.StatusBadRequest))
			_, _ = w.Write(answer)
			return
		}
		_ = json.Unmarshal(answer, &out)
	}
	name := map[string]string{"BatchWriteItem": "UnprocessedItems", "BatchGetItem": "UnprocessedKeys"}[c.op]
	out[name] = leave
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_ = json.NewEncoder(w).Encode(out)
}

// divide splits what a batch asks of each table. A write names requests, a read
// names keys and how to read them.
func divide(items map[string]json.RawMessage, l lot) (do, leave map[string]any) {
	do, leave = map[string]any{}, map[string]any{}
	for _, table := range slices.Sorted(maps.Keys(items)) {
		var writes []json.RawMessage
		if json.Unmarshal(items[table], &writes) == nil {
			a, b := deal(writes, l)
			put(do, table, a, a)
			put(leave, table, b, b)
			continue
		}
		var read map[string]any
		_ = json.Unmarshal(items[table], &read)
		keys, _ := read["Keys"].([]any)
		a, b := deal(keys, l)
		put(do, table, a, with(read, a))
		put(leave, table, b, with(read, b))
	}
	return do, leave
}

func deal[T any](all []T, l lot) (a, b []T) {
	for _, x := range all {
		if l.dice.IntN(2) == 0 {
			a = append(a, x)
		} else {
			b = append(b, x)
		}
	}
	return a, b
}

func put[T any](into map[string]any, table string, some []T, v any) {
	if len(some) > 0 {
		into[table] = v
	}
}

func with(read map[string]any, keys []any) map[string]any {
	out := maps.Clone(read)
	out["Keys"] = keys
	return out
}
