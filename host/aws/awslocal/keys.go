package awslocal

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/host/aws"
)

// tableCall is as much of a call of DynamoDB as its rights depend on.
type tableCall struct {
	TableName, IndexName      string
	Key, Item                 attributes
	KeyConditionExpression    string
	ExpressionAttributeNames  map[string]string
	ExpressionAttributeValues attributes
	RequestItems              map[string]json.RawMessage
	TransactItems             []map[string]struct {
		TableName string
		Key, Item attributes
	}
}

// attributes are an item or a key. Keys are strings.
type attributes map[string]struct{ S string }

// leadingKeys is what IAM calls the partitions that a call is about.
const leadingKeys = "dynamodb:LeadingKeys"

// tableNeeds gives the rights of a DynamoDB call, each with the partitions that it is
// needed for. A transaction needs the right of each thing that it does; there is none
// of its own. A scan is about no partition.
func tableNeeds(op string, body []byte) []need {
	var in tableCall
	_ = json.Unmarshal(body, &in)
	partitions := map[Use][]string{}
	note := func(action, table, index string, keys ...attributes) {
		u := Use{"dynamodb:" + action, tableARN(table, index)}
		partitions[u] = append(partitions[u], hashes(table, keys)...)
	}
	rights := map[string]string{"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "ConditionCheck": "ConditionCheckItem", "Get": "GetItem"}
	for _, t := range in.TransactItems {
		for kind, on := range t {
			note(rights[kind], on.TableName, "", on.Key, on.Item)
		}
	}
	for table, asked := range in.RequestItems {
		note(op, table, "", batched(asked)...)
	}
	if len(partitions) == 0 {
		note(op, in.TableName, in.IndexName, in.Key, in.Item, in.queried())
	}
	var out []need
	for u, keys := range partitions {
		n := need{Use: u}
		if len(keys) > 0 {
			n.says = map[string][]string{leadingKeys: keys}
		}
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b need) int { return strings.Compare(a.Action+a.Resource, b.Action+b.Resource) })
	return out
}

// batched are the keys and items of one table in a batch that reads or writes.
func batched(asked json.RawMessage) (out []attributes) {
	var read struct{ Keys []attributes }
	if json.Unmarshal(asked, &read) == nil {
		return read.Keys
	}
	var writes []map[string]struct{ Key, Item attributes }
	_ = json.Unmarshal(asked, &writes)
	for _, w := range writes {
		for _, on := range w {
			out = append(out, on.Key, on.Item)
		}
	}
	return out
}

var equals = regexp.MustCompile(`(#?\w+)\s*=\s*(:\w+)`)

// queried are the attributes that a query says are equal to something.
func (in tableCall) queried() attributes {
	out := attributes{}
	for _, m := range equals.FindAllStringSubmatch(in.KeyConditionExpression, -1) {
		name := m[1]
		if n, short := in.ExpressionAttributeNames[name]; short {
			name = n
		}
		out[name] = in.ExpressionAttributeValues[m[2]]
	}
	return out
}

// hashes are the values of a table's partition key. An index has a key of its own,
// which no role of ours names.
func hashes(table string, keys []attributes) (out []string) {
	hash, longest := "", ""
	for _, t := range aws.Tables {
		if strings.HasSuffix(table, "-"+t.Name) && len(t.Name) > len(longest) {
			hash, longest = t.Hash, t.Name
		}
	}
	for _, k := range keys {
		if v, there := k[hash]; there {
			out = append(out, v.S)
		}
	}
	return out
}
