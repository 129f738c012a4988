package policy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"
)

// replays remembers verdicts by input. It starts afresh when it is full: a replay
// of many decisions must not grow with them.
type replays struct {
	m sync.Map // replayKey → []byte
	n atomic.Int64
}

type replayKey struct {
	entry Entry
	input string
}

// maxReplays is how many inputs are remembered, at one to three kilobytes each.
const maxReplays = 50_000

func (r *replays) keep(k replayKey, out []byte) {
	if _, was := r.m.LoadOrStore(k, out); !was && r.n.Add(1) > maxReplays {
		r.m.Clear()
		r.n.Store(0)
	}
}

var errNotObject = errors.New("the input is not a JSON object")

// Replay gives what an entry says to the canonical input of a decision record: the
// canonical bytes of its whole verdict. They depend on the policy document and the
// input alone. The same input is judged once; do not change the answer.
func (r *Rules) Replay(ctx context.Context, e Entry, input []byte) ([]byte, error) {
	k := replayKey{e, string(input)}
	if out, ok := r.replays.m.Load(k); ok {
		return out.([]byte), nil
	}
	v, err := ast.ValueFromReader(bytes.NewReader(input))
	if err != nil {
		return nil, fmt.Errorf("reading the input of a decision: %w", err)
	}
	if _, ok := v.(ast.Object); !ok {
		return nil, fmt.Errorf("reading the input of a decision: %w", errNotObject)
	}
	a, err := r.ask(ctx, e, v)
	if err != nil {
		return nil, err
	}
	out := appendValue(nil, a.o)
	r.replays.keep(k, out)
	return out, nil
}

// Has reports whether an entry is loaded.
func (r *Rules) Has(e Entry) bool { _, ok := r.queries[e]; return ok }

// appendValue writes what Rego said as canonical JSON: keys sorted, a set as a
// sorted array.
func appendValue(b []byte, v ast.Value) []byte {
	switch v := v.(type) {
	case ast.Boolean:
		return strconv.AppendBool(b, bool(v))
	case ast.Number:
		return append(b, v...)
	case ast.String:
		return appendString(b, string(v))
	case *ast.Array:
		b, i := append(b, '['), 0
		v.Foreach(func(t *ast.Term) { b, i = appendValue(comma(b, i), t.Value), i+1 })
		return append(b, ']')
	case ast.Set:
		b, i := append(b, '['), 0
		v.Foreach(func(t *ast.Term) { b, i = appendValue(comma(b, i), t.Value), i+1 })
		return append(b, ']')
	case ast.Object:
		b, i := append(b, '{'), 0
		v.Foreach(func(k, x *ast.Term) {
			b = appendValue(comma(b, i), keyOf(k.Value))
			b, i = appendValue(append(b, ':'), x.Value), i+1
		})
		return append(b, '}')
	}
	return append(b, "null"...)
}

// keyOf makes a key of JSON of a key of Rego.
func keyOf(v ast.Value) ast.Value {
	if s, ok := v.(ast.String); ok {
		return s
	}
	return ast.String(v.String())
}
