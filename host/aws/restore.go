//go:build !lambda.norpc

package aws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent/ledger"
)

// Restored says what tables that were put back from a backup took from journal and
// ledger.
type Restored struct {
	Records      int64 `json:"records"`
	Lists        int64 `json:"lists"`
	Links        int64 `json:"links"`
	IDs          int64 `json:"ids"`
	Suppressions int64 `json:"suppressions"`
	Openings     int64 `json:"openings"`
	Proofs       int64 `json:"proofs"`   // sealed
	Erasures     int64 `json:"erasures"` // subjects that were erased again
	Queued       int64 `json:"queued"`   // what the queue had lost
	Grants       int64 `json:"grants"`   // what a price may know, written anew or taken away
	Head         bool  `json:"head"`     // the ledger's head was brought forward
}

// Restore puts tables right after one or more of them were put back from a backup:
// the ledger's head follows its published checkpoint; what was recorded, withdrawn,
// objected to, linked or named since happens again; whoever was erased since is erased
// again, whichever table brought them back (L11, RGT-06). It may be stopped anywhere
// and begun anew, and changes nothing in tables that are as they should be.
//
// Nobody relies on consent from here on until Trust, which is for whoever verified
// ledger and book afterwards. A book that is an old copy takes no withdrawal either,
// and says so, until this is done. The caller reaches all keys. What the journal has
// since the oldest copy is held in memory.
func (h *Host) Restore(ctx context.Context) (Restored, error) {
	if h.keys.ids == nil || h.keys.signer == nil {
		return Restored{}, errNoIdentity
	}
	if _, err := (ledgerStore{h: h}).Read(ctx, ledgerCheckpoint); errors.Is(err, fs.ErrNotExist) {
		return Restored{}, errors.New("the account has no consent ledger yet: there is nothing to put right")
	} else if err != nil {
		return Restored{}, err
	}
	r := &restoring{Host: h}
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"ending reliance on consent", func(ctx context.Context) error {
			return h.Distrust(ctx, "a table was put back from a backup, and handschlag ledger restore has not put it right yet")
		}},
		{"bringing the ledger's head forward", r.raise}, {"reading the ledger", r.read}, {"looking for old copies", r.look},
		{"reading the queue", r.readQueue}, {"reading the journal", r.readJournal}, // what goes from one to the other is in one of them
		{"closing graves", r.rebury}, {"naming identifiers", r.rename}, {"hushing", r.hush}, {"moving states", r.moveStates}, {"linking", r.relink},
		{"opening leaves", r.reopen}, {"sealing proofs", r.reseal}, {"filling the queue", r.requeue},
		{"erasing again", r.erase}, {"minimising profiles", r.minimise}, {"telling prices", r.regrant}, {"noting how far the ledger is", r.note},
	}
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return r.out, fmt.Errorf("%s: %w", s.what, err)
		}
	}
	return r.out, nil
}

// restoring is a restore under way.
type restoring struct {
	*Host
	mu     sync.Mutex
	out    Restored
	size   int64
	index  map[ledger.Leaf]int64
	n      int64            // batches of the journal
	marks  map[string]int64 // by table
	since  time.Time        // the queue's mark was raised
	waits  map[ledger.Leaf]bool
	jots   []jot // of the queue, and of the journal since the oldest copy
	buried map[string]burial
}

// back reports that a table is an old copy.
func (r *restoring) back(table string) bool { return r.marks[table] < r.n }

// did counts what was put right.
func (r *restoring) did(n *int64) {
	r.mu.Lock()
	*n++
	r.mu.Unlock()
}

// atATime is how many subjects are put right side by side.
const atATime = 16

// raise takes the newest checkpoint that was signed: the published one, or a locked
// copy that a crash kept from it.
func (r *restoring) raise(ctx context.Context) error {
	store := ledgerStore{h: r.Host}
	note, err := store.Read(ctx, ledgerCheckpoint)
	if err != nil {
		return err
	}
	c, err := ledger.OpenCheckpoint(r.keys.signer.Public, note)
	if err != nil {
		return err
	}
	kept, err := r.objects(ctx, bucketProof, "checkpoints/")
	if err != nil {
		return err
	}
	if n := len(kept); n > 0 && kept[n-1].key > fmt.Sprintf("checkpoints/%020d", c.Size) {
		if note, _, err = r.readObject(ctx, bucketProof, kept[n-1].key); err != nil {
			return err
		}
	}
	r.out.Head, err = ledger.Adopt(ctx, store, *r.keys.signer, note)
	return err
}

// read finishes what was decided and learns where every leaf lies.
func (r *restoring) read(ctx context.Context) error {
	store := ledgerStore{h: r.Host}
	if _, _, err := ledger.Append(ctx, store, *r.keys.signer, nil); err != nil {
		return err
	}
	leaves, err := ledger.Leaves(ctx, store, 0)
	r.size, r.index = int64(len(leaves)), make(map[ledger.Leaf]int64, len(leaves))
	for i, leaf := range leaves {
		r.index[leaf] = int64(i)
	}
	return err
}

// look finds out which tables are old copies. A count that was lost is found again by
// the batches that are there.
func (r *restoring) look(ctx context.Context) error {
	c, err := r.journaled(ctx)
	if err != nil {
		return err
	}
	marks, err := r.Host.marks(ctx, markedTables)
	if err != nil {
		return err
	}
	r.marks = map[string]int64{}
	for i, table := range markedTables {
		r.marks[table] = marks[i]
	}
	if highest := slices.Max(marks); highest > c.Tried {
		if c, err = r.found(ctx, c, highest); err != nil {
			return err
		}
	}
	r.n = c.N
	i, err := r.get(ctx, tableLeaf, markKey(tableLeaf))
	r.since = time.UnixMilli(numOf(i, "t"))
	return err
}

func (r *restoring) found(ctx context.Context, c count, tried int64) (count, error) {
	now, err := r.journaled(ctx)
	if err != nil || now.Tried >= tried { // it grew while we read
		return now, err
	}
	all, err := r.objects(ctx, bucketNight, journalPrefix)
	if err != nil {
		return c, err
	}
	n := c.N
	for _, o := range all {
		_, _, to, err := batches(o.key)
		if err != nil {
			return c, err
		}
		n = max(n, to)
	}
	return r.recount(ctx, now, n, max(n, tried))
}

// note says that all leaves of the ledger are indexed, and that every table is as
// new as the journal.
func (r *restoring) note(ctx context.Context) error {
	put := &dynamodb.PutItemInput{
		TableName: r.table(tableLedger), Item: item{"name": str("integrated"), "n": num(r.size)},
		ConditionExpression: sdk.String("attribute_not_exists(n) or n < :n"), ExpressionAttributeValues: item{":n": num(r.size)},
	}
	var further *types.ConditionalCheckFailedException
	if err := r.putOne(ctx, put); err != nil && !errors.As(err, &further) {
		return r.fault("dynamodb:PutItem", "table "+*put.TableName, err)
	}
	c, err := r.journaled(ctx) // what came meanwhile came to tables that were whole
	if err != nil {
		return err
	}
	for _, table := range markedTables {
		if r.back(table) {
			i := markKey(table)
			i["m"], i["t"] = num(c.N), num(r.now().UnixMilli())
			if err := r.putOne(ctx, &dynamodb.PutItemInput{TableName: r.table(table), Item: i}); err != nil {
				return r.fault("dynamodb:PutItem", "table "+*r.table(table), err)
			}
		}
	}
	return nil
}
