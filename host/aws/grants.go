package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// What a price may know lies in a table of its own, which holds no pseudonym: under
// the digest of a record's id, when the record was made and a handle, drawn once per
// subject; under the handle, how the grant stands. Every transaction that moves a
// subject's state keeps it.
func grantOfRecord(id string) item {
	digest := sha256.Sum256([]byte(id))
	return item{"k": str("r#" + hex.EncodeToString(digest[:]))}
}

func grantKey(handle string) item { return item{"k": str("g#" + handle)} }

// grant adds to a transaction what a price may know after it. rec is nil for list
// entries. A subject that never gave personalised_price has nothing here.
func (t *transaction) grant(was stored, next *stored, rec *consent.Record) {
	if rec != nil && flow.GrantsPrice(*rec) {
		if next.handle == "" {
			next.handle = randomName()
		}
		i := grantOfRecord(rec.RecordID)
		i["h"], i["b"] = str(next.handle), bin(standing(consent.State{}, *rec))
		t.put(tableGrant, i, "", nil, nil)
	}
	if next.handle == "" {
		return
	}
	before, after := standing(was.State, anyGrant), standing(next.State, anyGrant)
	if was.handle != "" && bytes.Equal(before, after) {
		return
	}
	i := grantKey(next.handle)
	i["b"] = bin(after)
	t.put(tableGrant, i, "", nil, nil)
}

// anyGrant is a record that grants a price, of no moment.
var anyGrant = consent.Record{
	Scope: consent.Account, Purposes: []consent.Choice{{Purpose: consent.PersonalisedPrice, Status: consent.Given}},
}

// standing is a flow.PriceStanding in the form in which it is stored.
func standing(s consent.State, r consent.Record) []byte {
	p, err := flow.PriceStandingOf(r, s)
	if err != nil {
		panic(err) // r grants a price
	}
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // nothing in it cannot be written
	}
	return b
}

// PriceStanding gives what a price may know of a record: from price-grant alone.
func (h *Host) PriceStanding(ctx context.Context, recordID string) (p flow.PriceStanding, err error) {
	if err := h.trustedIn(ctx, tableGrant); err != nil {
		return p, err
	}
	record, err := h.get(ctx, tableGrant, grantOfRecord(recordID))
	if err != nil {
		return p, fmt.Errorf("reading price standing: %w", err)
	}
	var stands item
	if record != nil {
		if stands, err = h.get(ctx, tableGrant, grantKey(strOf(record, "h"))); err != nil {
			return p, fmt.Errorf("reading price standing: %w", err)
		}
	}
	if stands == nil {
		return p, fmt.Errorf("price standing: %w", flow.ErrNotFound)
	}
	var made flow.PriceStanding
	if err := json.Unmarshal(binOf(record, "b"), &made); err != nil {
		return p, fmt.Errorf("unreadable price standing: %w", err)
	}
	if err := json.Unmarshal(binOf(stands, "b"), &p); err != nil {
		return p, fmt.Errorf("unreadable price standing: %w", err)
	}
	p.At = made.At
	return p, nil
}
