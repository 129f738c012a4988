package aws

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent/ledger"
)

// sequencer grows the ledger now and then, in a process that lives long.
func (h *Host) sequencer(stop <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	tick := time.NewTicker(h.opts.Sequence)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if err := h.Sequence(ctx); err != nil {
			h.opts.Log.Error("growing the ledger failed; trying again", "err", err)
		}
	}
}

// Sequence takes the whole queue into the ledger, batch by batch, and notes where
// each leaf lies. Any number of processes may do so at once: the ledger decides, and
// each leaf enters it once.
func (h *Host) Sequence(ctx context.Context) error {
	if h.keys.signer == nil {
		return errors.New("growing the ledger: this process was opened without the ledger's key")
	}
	more, err := true, error(nil)
	for n := 0; more && err == nil; n++ {
		if more, err = h.grow(ctx, n); n > 100*tries {
			err = errors.New("other writers always came between")
		}
	}
	if err != nil {
		return h.suspect(ctx, fmt.Errorf("growing the ledger: %w", err))
	}
	return nil
}

// integrated says how many leaves of the ledger are indexed. Those of the last batch
// may still lie in the queue: they are swept out before anything else is done, so
// that what lies there otherwise is not in the ledger.
type integrated struct {
	n     int64
	sweep []string // "shard/place" of each
}

func (h *Host) integrated(ctx context.Context) (at integrated, err error) {
	i, err := h.get(ctx, tableLedger, item{"name": str("integrated")})
	if b := binOf(i, "sweep"); len(b) > 0 {
		at.sweep = strings.Split(string(b), "\n")
	}
	at.n = numOf(i, "n")
	return at, err
}

// grow takes one batch of the queue and says whether there may be more. What waits
// for the journal alone gets there in any case; leaves only if no table is an old
// copy: the ledger must not grow on one.
func (h *Host) grow(ctx context.Context, n int) (more bool, err error) {
	at, err := h.integrated(ctx)
	if err != nil {
		return false, err
	}
	queue, err := h.queued(ctx, at, h.opts.batchMost)
	if err != nil {
		return false, err
	}
	rest, gone, lost, err := h.dropped(ctx, queue)
	if err != nil {
		return false, err
	}
	jots, leaves := parted(rest)
	known, err := h.jotDown(ctx, rest, jots, lost)
	if errors.Is(err, errBehind) {
		return true, pause(ctx, n)
	}
	if err == nil && len(lost) > 0 {
		err = h.errOld(lost[0], "lacks what waits for the ledger")
	}
	if err == nil {
		err = h.noneBack(ctx, markedTables...)
	}
	if err != nil {
		return false, err
	}
	if err := h.remove(ctx, tableLeaf, keysOf(gone)); err != nil {
		return false, err
	}
	if err := h.swept(ctx, at); err != nil {
		return false, err
	}
	c, err := h.atRest(ctx, at)
	if err != nil {
		return false, err
	}
	if c.Size > at.n {
		return true, h.settle(ctx, at)
	}
	full := len(leaves) == h.opts.batchMost || len(jots) == h.opts.batchMost
	if len(leaves) == 0 {
		return full, nil
	}
	return h.enter(ctx, n, at, c, leaves, known)
}

// enter writes leaves into the ledger, after the journal knows them.
func (h *Host) enter(ctx context.Context, n int, at integrated, c ledger.Checkpoint, queue []entry, known bool) (more bool, err error) {
	leaves := make([]ledger.Leaf, len(queue))
	for i, e := range queue {
		leaves[i] = e.leaf
	}
	if !known {
		err = h.journal(ctx, linesOf(queue), markedTables)
	}
	first := int64(0)
	if err == nil {
		first, _, err = ledger.Append(ctx, ledgerStore{h: h, after: c.Note}, *h.keys.signer, leaves)
	}
	if errors.Is(err, errBehind) || errors.Is(err, ledger.ErrMoved) {
		return true, pause(ctx, n)
	}
	if err != nil {
		return false, err
	}
	return true, h.indexed(ctx, at, queue, first)
}

// jotDown takes what waits into the journal, and out of the queue what waits for the
// journal alone. A table that lost something is not marked: it must stay behind, even
// if nothing but leaves waits. known says that all of it is in the journal.
func (h *Host) jotDown(ctx context.Context, all, jots []entry, lost []string) (known bool, err error) {
	tables := slices.DeleteFunc(slices.Clone(markedTables), func(t string) bool { return slices.Contains(lost, t) })
	unsaid := len(lost) > 0 && h.noneBack(ctx, lost...) == nil
	if len(jots) == 0 && !unsaid {
		return false, nil
	}
	if err := h.journal(ctx, linesOf(all), tables); err != nil {
		return false, err
	}
	return true, h.remove(ctx, tableLeaf, keysOf(jots))
}

func linesOf(entries []entry) [][]byte {
	lines := make([][]byte, len(entries))
	for i, e := range entries {
		lines[i] = e.line
	}
	return lines
}

// parted parts what waits for the journal alone from leaves.
func parted(queue []entry) (jots, leaves []entry) {
	for _, e := range queue {
		if e.leads() {
			leaves = append(leaves, e)
		} else {
			jots = append(jots, e)
		}
	}
	return jots, leaves
}

func keysOf(entries []entry) []item {
	keys := make([]item, len(entries))
	for i, e := range entries {
		keys[i] = e.key()
	}
	return keys
}

// atRest finishes what was decided and gives the checkpoint. The ledger is begun at
// first, and never anew: one that is shorter than what was entered is damaged.
func (h *Host) atRest(ctx context.Context, at integrated) (c ledger.Checkpoint, err error) {
	store := ledgerStore{h: h}
	_, c, err = ledger.Append(ctx, store, *h.keys.signer, nil)
	if errors.Is(err, ledger.ErrNone) && at.n == 0 {
		c, err = ledger.Create(ctx, store, *h.keys.signer)
	}
	if errors.Is(err, ledger.ErrNone) || err == nil && c.Size < at.n {
		err = errSplit{fmt.Sprintf("the ledger holds %d leaves, but %d were entered: it was cut or replaced", c.Size, at.n)}
	}
	return c, err
}

// settle indexes what is in the ledger already: a crash came before that was noted,
// or another process is about to.
func (h *Host) settle(ctx context.Context, at integrated) error {
	leaves, err := ledger.Leaves(ctx, ledgerStore{h: h}, at.n)
	if err != nil {
		return fmt.Errorf("reading the ledger: %w", err)
	}
	queue, err := h.queued(ctx, at, math.MaxInt)
	if err != nil {
		return err
	}
	known := make(map[ledger.Leaf]entry, len(queue))
	for _, e := range queue {
		if e.leads() {
			known[e.leaf] = e
		}
	}
	var found []entry
	for i, leaf := range leaves[:min(len(leaves), h.opts.batchMost)] {
		e, is := known[leaf]
		if !is {
			now, err := h.integrated(ctx)
			if err != nil || now.n != at.n { // somebody else settled it
				return err
			}
			return errSplit{fmt.Sprintf("the ledger holds a leaf at %d that the book does not know", at.n+int64(i))}
		}
		found = append(found, e)
	}
	return h.indexed(ctx, at, found, at.n)
}

// indexed notes where entries lie, now that a durable checkpoint covers them, and
// takes them out of the queue. Doing it twice, or by two at once, does the same.
func (h *Host) indexed(ctx context.Context, at integrated, entries []entry, first int64) error {
	err := each(ctx, len(entries), 16, func(ctx context.Context, i int) error { return h.index(ctx, entries[i], first+int64(i)) })
	if err != nil {
		return err
	}
	next := integrated{n: first + int64(len(entries))}
	for _, e := range entries {
		next.sweep = append(next.sweep, e.shard+"/"+e.place)
	}
	put := &dynamodb.PutItemInput{TableName: h.table(tableLedger), ConditionExpression: sdk.String("attribute_not_exists(n)"), Item: item{
		"name": str("integrated"), "n": num(next.n), "sweep": bin([]byte(strings.Join(next.sweep, "\n"))),
	}}
	if at.n > 0 {
		put.ConditionExpression, put.ExpressionAttributeValues = sdk.String("n = :was"), item{":was": num(at.n)}
	}
	err = h.putOne(ctx, put)
	var moved *types.ConditionalCheckFailedException
	if errors.As(err, &moved) { // it is noted; whoever did so sweeps, or the next call does
		return nil
	}
	if err != nil {
		return h.fault("dynamodb:PutItem", "table "+*put.TableName, err)
	}
	return h.swept(ctx, next)
}

// index notes where an entry lies. One that was erased meanwhile stays erased.
func (h *Host) index(ctx context.Context, e entry, at int64) error {
	table, key, there := tableBook, recordIDKey(e.id), "attribute_exists(s)"
	if e.kind == leafOfOpening {
		table, key, there = tableLeaf, openingKey(e.id), "attribute_exists(q)"
	}
	err := calm(ctx, func() error {
		_, err := h.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: h.table(table), Key: key, UpdateExpression: sdk.String("SET i = :i"), ConditionExpression: &there,
			ExpressionAttributeValues: item{":i": num(at)},
		})
		return err
	})
	var gone *types.ConditionalCheckFailedException
	if errors.As(err, &gone) {
		return nil
	}
	return h.fault("dynamodb:UpdateItem", "table "+*h.table(table), err)
}

// swept takes the last batch out of the queue.
func (h *Host) swept(ctx context.Context, at integrated) error {
	keys := make([]item, len(at.sweep))
	for i, name := range at.sweep {
		shard, place, _ := strings.Cut(name, "/")
		keys[i] = entry{shard: shard, place: place}.key()
	}
	return h.remove(ctx, tableLeaf, keys)
}
