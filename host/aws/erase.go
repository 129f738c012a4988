package aws

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// erasing is one erasure while it is carried out. Its grave comes first, so that
// nothing new is written about the subject, and holds the plan until the end: a call
// that finds an open grave goes on where a crash left off.
type erasing struct {
	*Host
	s    consent.Subject
	plan erasure
	// lie says where leaves lie, if a closed grave's subject is erased again because a
	// backup brought it back: then no plan is kept, and what outlives it does already.
	lie map[ledger.Leaf]int64
}

// erasure is what is known of an erasure before anything is removed.
type erasure struct {
	Out   flow.Erasure `json:"out"`
	Until time.Time    `json:"until"` // when sealed proofs go; zero: none is sealed
}

// errBuried says that somebody else began, or finished, an erasure.
var errBuried = errors.New("already erased")

// Erase forgets a subject (RGT-05). What lies in the raw logs is unreadable when it
// returns, and leaves its bytes with the next night.
func (h *Host) Erase(ctx context.Context, s consent.Subject, at time.Time) (flow.Erasure, error) {
	out := flow.Erasure{At: at.UTC()}
	if s.IsZero() {
		return out, nil
	}
	if h.keys.ids == nil {
		return out, fmt.Errorf("erasing subject: %w", errNoIdentity)
	}
	if err := h.newest(ctx); err != nil {
		return out, fmt.Errorf("erasing subject: %w", err)
	}
	e := &erasing{Host: h, s: s, plan: erasure{Out: out}}
	begun, err := e.begin(ctx)
	if err == nil && !begun {
		return out, nil
	}
	if err == nil {
		err = e.run(ctx)
	}
	if errors.Is(err, errBuried) { // another call came to the end first, and has the certificate
		return out, nil
	}
	if err != nil {
		return flow.Erasure{}, fmt.Errorf("erasing subject: %w", err)
	}
	return e.plan.Out, nil
}

// begin digs the grave, or finds an open one. False: there is nothing to erase.
func (e *erasing) begin(ctx context.Context) (bool, error) {
	grave, err := e.get(ctx, tableBook, e.graveKey(e.s))
	if err != nil {
		return false, err
	}
	if grave == nil {
		known, err := e.known(ctx)
		if err != nil || !known {
			return false, err
		}
		e.plan.Out.ID = randomName()
		t, i := e.transaction(), e.graveKey(e.s)
		i["p"] = bin(e.plan.json())
		t.put(tableBook, i, "attribute_not_exists(s)", nil, errBuried)
		if err := again(ctx, func() error { return t.commit(ctx) }); !errors.Is(err, errBuried) {
			return err == nil, err
		}
		if grave, err = e.get(ctx, tableBook, e.graveKey(e.s)); err != nil {
			return false, err
		}
	}
	plan := binOf(grave, "p")
	if plan == nil {
		return false, nil
	}
	return true, json.Unmarshal(plan, &e.plan)
}

func (p erasure) json() []byte {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // nothing in it cannot be written
	}
	return b
}

// known reports whether anything is kept of the subject. Who may not write the
// ledger waits until it covers every record: the erasure must name their places.
func (e *erasing) known(ctx context.Context) (bool, error) {
	f, err := e.find(ctx)
	if err == nil && e.keys.signer == nil {
		err = f.covered()
	}
	return !f.nothing(), err
}

// run makes the plan, if there is none yet, and carries it out.
func (e *erasing) run(ctx context.Context) error {
	if len(e.plan.Out.Stores) == 0 {
		// A ledger that is not the book's keeps nobody from being erased whose records
		// have their places.
		if e.keys.signer != nil {
			if err := e.Sequence(ctx); err != nil && e.trusted(ctx) == nil {
				return err
			}
		}
		if err := e.planned(ctx); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{e.takeIDs, e.takeBook, e.takeOthers, e.takeContacts, e.takeDecisions, e.bury} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// planned notes in the grave what is there, for the certificate.
func (e *erasing) planned(ctx context.Context) error {
	f, err := e.find(ctx)
	if err == nil {
		err = f.covered()
	}
	if err != nil {
		return err
	}
	file := make([]consent.Record, len(f.records))
	for n, r := range f.records {
		file[n] = r.record
		e.plan.Out.Leaves = append(e.plan.Out.Leaves, r.index)
	}
	slices.Sort(e.plan.Out.Leaves)
	if e.plan.Until = consent.SealUntil(e.plan.Out.At, e.opts.Retain.ProofYears, file); e.plan.Until.IsZero() || len(file) == 0 {
		e.plan.Until = time.Time{}
		e.note("consent_records", len(file), "deleted", true)
	} else {
		e.plan.Out.Stores = append(e.plan.Out.Stores, flow.ErasedStore{
			Store: "consent_records", Count: int64(len(file)), Method: "sealed", Done: true, Until: &e.plan.Until,
		})
	}
	one := map[bool]int{true: 1}
	e.note("ids", one[f.id], "deleted", true)
	e.note("links", f.links, "deleted", true)
	e.note("profiles", one[f.profile], "deleted", true)
	e.note("lists", f.entries, "deleted", true)
	e.note("segments", one[f.member], "deleted", true)
	e.plan.Out.Stores = append(e.plan.Out.Stores, flow.ErasedStore{Store: "events", Method: "deleted"})
	return e.draft(ctx)
}

// draft keeps the plan in the grave. The first plan counts, of two who erase at once:
// the other's may have been made of what was left.
func (e *erasing) draft(ctx context.Context) error {
	t := e.transaction()
	t.update(tableBook, e.graveKey(e.s), "SET p = :plan, d = :yes", "attribute_exists(p) and attribute_not_exists(d)",
		item{":plan": bin(e.plan.json()), ":yes": num(1)}, errBuried)
	err := again(ctx, func() error { return t.commit(ctx) })
	if !errors.Is(err, errBuried) {
		return err
	}
	grave, err := e.get(ctx, tableBook, e.graveKey(e.s))
	if err != nil {
		return err
	}
	if binOf(grave, "p") == nil {
		return errBuried
	}
	e.plan = erasure{}
	return json.Unmarshal(binOf(grave, "p"), &e.plan)
}

// note adds a store to the certificate, if there was something in it. What a call
// before a crash noted stays as it was.
func (e *erasing) note(store string, n int, method string, done bool) {
	noted := slices.ContainsFunc(e.plan.Out.Stores, func(s flow.ErasedStore) bool { return s.Store == store })
	if n > 0 && !noted {
		e.plan.Out.Stores = append(e.plan.Out.Stores, flow.ErasedStore{Store: store, Count: int64(n), Method: method, Done: done})
	}
}

// save keeps what was added to the plan.
func (e *erasing) save(ctx context.Context) error {
	if e.lie != nil {
		return nil
	}
	t := e.transaction()
	t.update(tableBook, e.graveKey(e.s), "SET p = :plan", "attribute_exists(p)", item{":plan": bin(e.plan.json())}, errBuried)
	return again(ctx, func() error { return t.commit(ctx) })
}

// takeIDs removes what leads to the subject, with its last word on marketing.
func (e *erasing) takeIDs(ctx context.Context) error {
	return again(ctx, func() error {
		id, err := e.identifierOf(ctx, e.s)
		if errors.Is(err, flow.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		st, err := e.stored(ctx, e.s)
		if err != nil {
			return err
		}
		hushed, err := e.suppressions(ctx, id)
		if err != nil {
			return err
		}
		t := e.transaction()
		if channels := st.Outliving(); len(channels) > 0 && e.lie == nil {
			entries := make([]consent.Entry, len(channels))
			for i, c := range channels {
				entries[i] = consent.Entry{List: consent.SuppressionList, Scope: c, On: true, At: e.plan.Out.At}
			}
			hushed.put(t, entries...)
		}
		t.delete(tableIdentity, identityKey(id), "s = :s", item{":s": str(subjectKey(e.s))}, errAgain)
		t.delete(tableIdentity, identifiedKey(e.s), "", nil, nil)
		return t.commit(ctx)
	})
}

// takeBook removes records, lists and links. What leads to an item goes before the item; a
// sealed proof is there before its record goes.
func (e *erasing) takeBook(ctx context.Context) error {
	f, err := e.find(ctx)
	if err != nil {
		return err
	}
	var sealed []inBook
	var noted, grants, links []item
	for _, r := range f.records {
		if at, in := e.lie[ledger.NewLeaf([32]byte(binOf(r.item, "salt")), binOf(r.item, "b"))]; in {
			r.index = at
		}
		if r.noted && !e.plan.Until.IsZero() && (e.lie == nil || r.index >= 0) {
			sealed = append(sealed, r)
		}
		noted, grants = append(noted, recordIDKey(r.record.RecordID)), append(grants, grantOfRecord(r.record.RecordID))
	}
	if f.state.handle != "" {
		grants = append(grants, grantKey(f.state.handle))
	}
	if !f.account.IsZero() {
		links = append(links, deviceKey(f.account, e.s))
	}
	err = each(ctx, len(f.devices), 8, func(ctx context.Context, i int) error { return e.unlink(ctx, f.devices[i]) })
	if err != nil {
		return err
	}
	if err := e.sealRecords(ctx, e.plan.Until, sealed); err != nil {
		return err
	}
	if f.state.handle != "" {
		if err := e.remove(ctx, tableGrant, grants); err != nil {
			return err
		}
	}
	for _, keys := range [][]item{links, noted, f.items} {
		if err := e.remove(ctx, tableBook, keys); err != nil {
			return err
		}
	}
	return nil
}

// unlink takes a device from the account that is erased. One that was linked to
// another account since stays there.
func (e *erasing) unlink(ctx context.Context, device consent.Subject) error {
	t := e.transaction()
	t.delete(tableBook, linkKey(device), "a = :s", item{":s": str(subjectKey(e.s))}, errBuried)
	t.jot(jot{Kind: jotOfLink, At: e.now().UnixMilli(), Subject: device}) // to nobody
	err := again(ctx, func() error { return t.commit(ctx) })
	if errors.Is(err, errBuried) {
		return nil
	}
	return err
}

// takeOthers removes the profile, now that no state is left to write one under, and
// what the night found out.
func (e *erasing) takeOthers(ctx context.Context) error {
	_, err := e.eraseMember(ctx, e.s)
	return errors.Join(err, e.remove(ctx, tableProfile, []item{profileKey(e.s)}))
}

// takeContacts takes who asked, and their words, out of hand-overs.
func (e *erasing) takeContacts(ctx context.Context) error {
	n, err := e.redactContacts(ctx, e.s)
	if err != nil || n == 0 {
		return err
	}
	e.note("contacts", int(n), "redacted", true)
	return e.save(ctx)
}

// takeDecisions leaves of the subject's decisions what Redacted keeps. Their hashes
// go into the ledger's queue first, so that an audit can tell an erasure from a forgery.
func (e *erasing) takeDecisions(ctx context.Context) error {
	hashes, err := e.decided(ctx)
	if err != nil {
		return err
	}
	if err := e.layHashes(ctx, hashes); err != nil {
		return err
	}
	redacted, err := e.redactDecisions(ctx, e.s)
	if err != nil {
		return err
	}
	late := slices.DeleteFunc(redacted, func(hash string) bool { return slices.Contains(hashes, hash) })
	if err := e.layHashes(ctx, late); err != nil || len(hashes)+len(late) == 0 {
		return err
	}
	e.note("decisions", len(hashes)+len(late), "redacted", false)
	return e.save(ctx)
}

// decided gives the hashes of the decisions about the subject.
func (e *erasing) decided(ctx context.Context) (hashes []string, err error) {
	is, index := "s = :s", indexBySubject
	q := &dynamodb.QueryInput{
		TableName: e.table(tableDecision), IndexName: &index, KeyConditionExpression: &is, ExpressionAttributeValues: item{":s": str(subjectKey(e.s))},
	}
	err = e.query(ctx, q, func(i item) error {
		var r decide.Record
		err := json.Unmarshal(binOf(i, "body"), &r)
		hashes = append(hashes, flow.Redacted(r).Erased)
		return err
	})
	return hashes, err
}

// layHashes queues erasure leaves that name decisions, each once.
func (e *erasing) layHashes(ctx context.Context, hashes []string) error {
	slices.Sort(hashes)
	for part := range slices.Chunk(hashes, 1000) {
		t, id := e.transaction(), e.plan.Out.ID+"-"+part[0][:16]
		_, err := t.lay(id, ledger.Tombstone{
			Schema: ledger.TombstoneSchema, ID: id, Time: e.plan.Out.At, Leaves: []int64{}, Proofs: "erased", Decisions: part,
		}, errBuried)
		if err == nil {
			err = again(ctx, func() error { return t.commit(ctx) })
		}
		if err != nil && !errors.Is(err, errBuried) {
			return err
		}
	}
	return nil
}

// bury closes the grave and queues the erasure leaf, once.
func (e *erasing) bury(ctx context.Context) error {
	out := &e.plan.Out
	stone := ledger.Tombstone{Schema: ledger.TombstoneSchema, ID: out.ID, Time: out.At, Leaves: append([]int64{}, out.Leaves...), Proofs: "erased"}
	if !e.plan.Until.IsZero() {
		stone.Proofs, stone.Until = "sealed", &e.plan.Until
	}
	t := e.transaction()
	leaf, err := t.lay(out.ID, stone, errBuried)
	if err != nil {
		return err
	}
	t.update(tableBook, e.graveKey(e.s), "SET t = :t REMOVE p, d", "attribute_exists(p)", item{":t": num(e.now().UnixMilli())}, errBuried)
	t.jot(jot{Kind: jotOfErasure, ID: e.graveOf(e.s), Burial: &burial{ID: out.ID, At: out.At, Until: e.plan.Until}})
	if err = again(ctx, func() error { return t.commit(ctx) }); errors.Is(err, errBuried) { // by another call, or by an earlier try of this one
		leaf, err = e.leafOf(ctx, out.ID)
	}
	out.Leaf = hex.EncodeToString(leaf[:])
	return err
}

// leafOf is the leaf of an opening.
func (h *Host) leafOf(ctx context.Context, id string) (ledger.Leaf, error) {
	i, err := h.get(ctx, tableLeaf, openingKey(id))
	if err == nil && len(binOf(i, "salt")) != 32 {
		err = errors.New("an erasure leaf is unreadable")
	}
	if err != nil {
		return ledger.Leaf{}, err
	}
	return ledger.NewLeaf([32]byte(binOf(i, "salt")), binOf(i, "b")), nil
}
