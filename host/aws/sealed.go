package aws

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// A sealed proof is a proof of consent of an erased subject: found only by its
// record's id, opened only to defend a claim, gone after its time (RGT-05, OPS-06).
// Sealing restricts it; it does not count as erasure (RGT-06).

// inBook is a record as it lies in the book; index is -1 until a checkpoint covers it.
type inBook struct {
	record consent.Record
	index  int64
	noted  bool // by its id
	item   item
}

// sealedPlace is where a record's sealed proof lies.
func (h *Host) sealedPlace(record string) string {
	return hex.EncodeToString(derive(h.keys.subjects, "sealed proof of", []byte(record))[:16])
}

func (h *Host) sealingKey() []byte { return derive(h.keys.subjects, "sealed proofs", nil) }

func sealedKey(place string) item { return item{"s": str("sealed#" + place), "r": str("at")} }

// dueKey lists sealed proofs by the end of their time.
func dueKey(until time.Time, place string) item {
	return item{"s": str("sealed"), "r": str(until.UTC().Format(time.RFC3339) + "#" + place)}
}

// sealRecords keeps the proofs of records, sealed. Doing it twice does the same.
func (h *Host) sealRecords(ctx context.Context, until time.Time, records []inBook) error {
	var puts []types.WriteRequest
	var jots []jot
	put := func(i item) { puts = append(puts, types.WriteRequest{PutRequest: &types.PutRequest{Item: i}}) }
	for _, r := range records {
		place := h.sealedPlace(r.record.RecordID)
		nonce := make([]byte, 12)
		_, _ = rand.Read(nonce) // never fails
		v, err := ledger.Seal(h.sealingKey(), []byte(place), until, r.index, nonce, slices.Concat(binOf(r.item, "salt"), binOf(r.item, "b")))
		if err != nil {
			return err
		}
		i := sealedKey(place)
		i["v"] = bin(v)
		put(i)
		put(dueKey(until, place))
		jots = append(jots, jot{Kind: jotOfSealed, ID: place, Sealed: v})
	}
	for part := range slices.Chunk(puts, mostAtOnce) {
		if err := h.writeBatch(ctx, *h.table(tableBook), part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(jots, 50) {
		err := again(ctx, func() error {
			t := h.transaction()
			for _, j := range part {
				t.jot(j)
			}
			return t.commit(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// SealedProof opens the proof of an erased subject's consent, under the current
// checkpoint: for whoever has to defend a claim, and says so elsewhere.
func (h *Host) SealedProof(ctx context.Context, id string) (flow.Proof, error) {
	if h.keys.ids == nil {
		return flow.Proof{}, errNoIdentity
	}
	place := h.sealedPlace(id)
	i, err := h.get(ctx, tableBook, sealedKey(place))
	if err != nil {
		return flow.Proof{}, err
	}
	if i == nil {
		return flow.Proof{}, fmt.Errorf("consent record: %w", flow.ErrNotFound)
	}
	index, salted, err := ledger.Unseal(h.sealingKey(), []byte(place), binOf(i, "v"))
	if err != nil {
		return flow.Proof{}, err
	}
	var r consent.Record
	if len(salted) < 32 || json.Unmarshal(salted[32:], &r) != nil {
		return flow.Proof{}, errors.New("the book holds an unreadable sealed proof")
	}
	return h.prove(ctx, r, salted[:32], salted[32:], index)
}

// ExpireSealed erases sealed proofs whose time is over; erasure leaves say so.
func (h *Host) ExpireSealed(ctx context.Context, now time.Time) error {
	var due []item
	err := h.query(ctx, &dynamodb.QueryInput{
		TableName: h.table(tableBook), KeyConditionExpression: sdk.String("s = :s and r < :now"),
		ExpressionAttributeValues: item{":s": str("sealed"), ":now": str(now.UTC().Format(time.RFC3339) + "$")}, // after every "#"
	}, func(i item) error {
		due = append(due, item{"s": i["s"], "r": i["r"]})
		return nil
	})
	for part := range slices.Chunk(due, 40) {
		if err == nil {
			err = h.expireDue(ctx, part, now)
		}
	}
	if err != nil {
		return fmt.Errorf("erasing sealed proofs: %w", err)
	}
	return nil
}

// expireDue erases some sealed proofs, in one transaction with the leaf that names them.
func (h *Host) expireDue(ctx context.Context, due []item, now time.Time) error {
	t, out := h.transaction(), ledger.Tombstone{Schema: ledger.TombstoneSchema, ID: randomName(), Time: now.UTC(), Leaves: []int64{}, Proofs: "erased"}
	for _, d := range due {
		key := sealedKey(strOf(d, "r")[len("2006-01-02T15:04:05Z#"):])
		i, err := h.get(ctx, tableBook, key)
		if err != nil {
			return err
		}
		if i != nil {
			_, index, err := ledger.SealedUntil(binOf(i, "v"))
			if err != nil {
				return err
			}
			out.Leaves = append(out.Leaves, index)
		}
		t.delete(tableBook, d, "", nil, nil)
		t.delete(tableBook, key, "", nil, nil)
	}
	slices.Sort(out.Leaves)
	if _, err := t.lay(out.ID, out, errAgain); err != nil {
		return err
	}
	return t.commit(ctx)
}
