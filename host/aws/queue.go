package aws

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent/ledger"
)

// The leaf table holds leaves on their way into the ledger, in a few shards, and
// what a leaf stands for that is no consent record (an opening).
const (
	leafShards    = 4
	leafOfRecord  = "record"
	leafOfOpening = "opening"
	leafOfNothing = "jot" // waits for the journal alone
)

// batchMost bounds one batch: the head carries it, and an item holds 400 KB.
const batchMost = 2048

// entry is a leaf that waits to enter the ledger, or a jot that waits for the journal.
type entry struct {
	shard, place string // its key
	leaf         ledger.Leaf
	kind, id     string // what it stands for
	line         []byte // for the journal
}

// leads reports that the entry is a leaf, and not for the journal alone.
func (e entry) leads() bool { return e.kind != leafOfNothing }

func (e entry) key() item { return item{"q": str(e.shard), "n": str(e.place)} }

func openingKey(id string) item { return item{"q": str("o"), "n": str(id)} }

// queue adds a leaf to a transaction, with its line for the journal.
func (t *transaction) queue(leaf ledger.Leaf, kind, id string, j jot) {
	i := t.waiting(kind, [9]byte(leaf[:9]), j)
	i["leaf"], i["id"] = bin(leaf[:]), str(id)
	t.put(tableLeaf, i, "", nil, nil)
}

// jot queues an entry of the journal that brings no leaf.
func (t *transaction) jot(j jot) {
	var drawn [9]byte
	_, _ = rand.Read(drawn[:]) // never fails
	t.put(tableLeaf, t.waiting(leafOfNothing, drawn, j), "", nil, nil)
}

// waiting is an item of the queue: in a shard by a byte, in the order of time, under a
// name that nothing else has.
func (t *transaction) waiting(kind string, name [9]byte, j jot) item {
	return item{
		"q": str(fmt.Sprintf("q#%d", name[0]%leafShards)), "n": str(fmt.Sprintf("%013d#%x", t.h.now().UnixMilli(), name[1:])),
		"kind": str(kind), "j": bin(t.line(j)),
	}
}

// lay queues a leaf that is no consent record, and keeps its opening. An opening of
// that id that is there already means the error.
func (t *transaction) lay(id string, content any, means error) (ledger.Leaf, error) {
	body, err := json.Marshal(content)
	if err != nil {
		return ledger.Leaf{}, err
	}
	salt := newSalt()
	leaf := ledger.NewLeaf(salt, body)
	i := openingKey(id)
	i["salt"], i["b"] = bin(salt[:]), bin(body)
	t.put(tableLeaf, i, "attribute_not_exists(q)", nil, means)
	t.queue(leaf, leafOfOpening, id, jot{Kind: leafOfOpening, ID: id, Salt: salt[:], Content: body})
	return leaf, nil
}

// queued reads the queue in the order of time: up to so many leaves, and up to so many
// entries that wait for the journal alone, lest those starve behind leaves.
func (h *Host) queued(ctx context.Context, at integrated, most int) ([]entry, error) {
	gone := make(map[string]bool, len(at.sweep))
	for _, name := range at.sweep {
		gone[name] = true
	}
	shards := make([][]entry, leafShards)
	err := each(ctx, leafShards, leafShards, func(ctx context.Context, i int) (err error) {
		shards[i], err = h.shard(ctx, fmt.Sprintf("q#%d", i), gone, most)
		return err
	})
	out := slices.Concat(shards...)
	slices.SortFunc(out, inTime)
	jots, leaves := parted(out)
	out = append(jots[:min(len(jots), most):min(len(jots), most)], leaves[:min(len(leaves), most)]...)
	slices.SortFunc(out, inTime)
	return out, err
}

// inTime orders entries as they came.
func inTime(a, b entry) int {
	return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(a.shard, b.shard))
}

// errEnough ends a query before its end.
var errEnough = errors.New("enough")

func (h *Host) shard(ctx context.Context, shard string, gone map[string]bool, most int) (out []entry, err error) {
	jots, leaves := 0, 0
	err = h.query(ctx, &dynamodb.QueryInput{
		TableName: h.table(tableLeaf), KeyConditionExpression: sdk.String("q = :q"), ExpressionAttributeValues: item{":q": str(shard)},
	}, func(i item) error {
		e := entry{shard: shard, place: strOf(i, "n"), kind: strOf(i, "kind"), id: strOf(i, "id"), line: binOf(i, "j")}
		if copy(e.leaf[:], binOf(i, "leaf")) != len(e.leaf) && e.leads() {
			return errors.New("the queue holds an unreadable leaf")
		}
		if gone[e.shard+"/"+e.place] {
			return nil
		}
		n := &jots
		if e.leads() {
			n = &leaves
		}
		if *n < most {
			*n++
			out = append(out, e)
		}
		if jots >= most && leaves >= most {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}
