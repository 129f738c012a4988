//go:build !lambda.norpc

package aws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// Restored says what tables that were put back from a backup took from journal and
// ledger.
type Restored struct {
	Records  int64 `json:"records"`
	Lists    int64 `json:"lists"`
	Erasures int64 `json:"erasures"` // subjects that were erased again
	Openings int64 `json:"openings"`
	Head     bool  `json:"head"` // the ledger's head was brought forward
}

// Restore puts tables right after one or more of them were put back from a backup:
// the ledger's head follows its published checkpoint, what was recorded, withdrawn or
// objected to since happens again, and whoever was erased since is erased again,
// whichever table brought them back (L11, RGT-06). It may be stopped anywhere and
// begun anew, and finds nothing to do in tables that are as they should be.
//
// Nobody relies on consent from here on until Trust, which is for whoever verified
// ledger and book afterwards. A book that is an old copy takes no withdrawal either,
// and says so, until this is done. The caller reaches all keys.
func (h *Host) Restore(ctx context.Context) (Restored, error) {
	if h.keys.ids == nil || h.keys.signer == nil {
		return Restored{}, errNoIdentity
	}
	r := &restoring{Host: h, buried: map[string]burial{}, early: map[consent.Subject]map[uint64]jot{}}
	steps := []struct {
		what string
		do   func(context.Context) error
	}{
		{"ending reliance on consent", func(ctx context.Context) error {
			return h.Distrust(ctx, "a table was put back from a backup, and handschlag ledger restore has not put it right yet")
		}},
		{"bringing the ledger's head forward", r.raise}, {"reading the ledger", r.read}, {"tidying the queue", r.unqueue},
		{"doing the journal again", r.replay}, {"erasing again", r.erase}, {"minimising profiles", r.minimise}, {"telling prices", r.regrant}, {"noting how far the ledger is", r.note},
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
	out    Restored
	size   int64
	index  map[ledger.Leaf]int64
	buried map[string]burial                  // by mark
	early  map[consent.Subject]map[uint64]jot // came before what they follow, by version
}

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
	before, err := store.Read(ctx, ledgerHead)
	if err == nil && bytes.HasSuffix(before, note) {
		return nil
	}
	if at, e := r.head(before); e == nil && at > c.Size { // decided, and not yet published: no backup did that
		return nil
	}
	_, err = ledger.Adopt(ctx, store, *r.keys.signer, note)
	r.out.Head = err == nil
	return err
}

// head is how many leaves a head has.
func (r *restoring) head(blob []byte) (int64, error) {
	for bytes.HasPrefix(blob, []byte("+")) {
		_, blob, _ = bytes.Cut(blob, []byte("\n"))
	}
	c, err := ledger.OpenCheckpoint(r.keys.signer.Public, blob)
	return c.Size, err
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

// unqueue takes leaves out of the queue that are in the ledger: an old copy of the
// queue would enter them twice.
func (r *restoring) unqueue(ctx context.Context) error {
	queue, err := r.queued(ctx, integrated{}, int(^uint(0)>>1))
	if err != nil {
		return err
	}
	var gone []item
	for _, e := range queue {
		at, in := r.index[e.leaf]
		if !in || !e.leads() {
			continue
		}
		if err := r.Host.index(ctx, e, at); err != nil {
			return err
		}
		gone = append(gone, e.key())
	}
	return r.remove(ctx, tableLeaf, gone)
}

// replay does every entry of the journal again that the tables lack.
func (r *restoring) replay(ctx context.Context) error {
	all, err := r.objects(ctx, bucketNight, journalPrefix)
	if err != nil {
		return err
	}
	for _, o := range all {
		body, _, err := r.readObject(ctx, bucketNight, o.key)
		if err != nil {
			return err
		}
		err = eachLine(body, func(line []byte) error {
			_, j, err := r.unline(line)
			if err == nil {
				err = r.again(ctx, j)
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("object %s of bucket %s: %w", o.key, *r.bucket(bucketNight), err)
		}
	}
	for s, jots := range r.early {
		return fmt.Errorf("the journal goes back %d days and does not reach the backup: of subject %s it lacks what came before version %d; a newer backup is needed",
			backupDays, s, slices.Min(slices.Collect(maps.Keys(jots))))
	}
	return nil
}

// again does one entry, unless the tables have it.
func (r *restoring) again(ctx context.Context, j jot) error {
	switch j.Kind {
	case leafOfRecord, jotOfEntry:
		return r.moveState(ctx, j)
	case leafOfOpening:
		return r.reopen(ctx, j)
	case jotOfSuppression:
		return r.putOne(ctx, r.hush(j))
	case jotOfSealed:
		return r.reseal(ctx, j)
	case jotOfErasure:
		return r.rebury(ctx, j)
	}
	return fmt.Errorf("unknown entry %q", j.Kind)
}

// moveState does a record or a list entry again, in the order of versions.
func (r *restoring) moveState(ctx context.Context, j jot) error {
	dead, err := r.erasedAmong(ctx, []consent.Subject{j.Subject})
	if err != nil || dead[j.Subject] {
		return err
	}
	was, err := r.stored(ctx, j.Subject)
	if err != nil {
		return err
	}
	version, err := j.version()
	switch {
	case err != nil:
		return err
	case version <= was.Version:
		return r.replace(ctx, j)
	case version > was.Version+1:
		if r.early[j.Subject] == nil {
			r.early[j.Subject] = map[uint64]jot{}
		}
		r.early[j.Subject][version] = j
		return nil
	case j.Kind == jotOfEntry:
		err = r.relist(ctx, was, j)
	default:
		err = r.rebook(ctx, was, j)
	}
	if err != nil {
		return err
	}
	next, waits := r.early[j.Subject][version+1]
	if delete(r.early[j.Subject], version+1); len(r.early[j.Subject]) == 0 {
		delete(r.early, j.Subject)
	}
	if waits {
		return r.moveState(ctx, next)
	}
	return nil
}

// version is the state's version that a record or an entry made.
func (j jot) version() (uint64, error) {
	if j.Kind == jotOfEntry {
		if j.Entry == nil {
			return 0, errors.New("a list entry without content")
		}
		return j.Entry.Version, nil
	}
	r, err := readRecord(item{"salt": bin(j.Salt), "b": bin(j.Content)})
	return r.Version, err
}

// relist does a list entry again.
func (r *restoring) relist(ctx context.Context, was stored, j jot) error {
	next := was
	next.State = was.Note(*j.Entry)
	t := r.transaction()
	t.alive(j.Subject)
	t.putEntry(j.Subject, *j.Entry)
	t.grant(was, &next, nil)
	t.putState(was, next)
	if err := t.commit(ctx); err != nil {
		return err
	}
	r.out.Lists++
	return nil
}

// rebook books a record again, under the salt that it had.
func (r *restoring) rebook(ctx context.Context, was stored, j jot) error {
	rec, err := readRecord(item{"salt": bin(j.Salt), "b": bin(j.Content)})
	if err != nil {
		return err
	}
	b, err := newBooking(was, rec)
	if err != nil {
		return err
	}
	b.salt, b.canonical, b.at = [32]byte(j.Salt), j.Content, -1
	b.leaf = ledger.NewLeaf(b.salt, b.canonical)
	if at, in := r.index[b.leaf]; in {
		b.at = at
	}
	if err := r.book(ctx, &b); err != nil {
		return err
	}
	r.out.Records++
	return r.ungroundMore(ctx, b)
}

// replace notes where a record lies that the book has, if it does not say so.
func (r *restoring) replace(ctx context.Context, j jot) error {
	if j.Kind != leafOfRecord || len(j.Salt) != 32 {
		return nil
	}
	leaf := ledger.NewLeaf([32]byte(j.Salt), j.Content)
	rec, err := readRecord(item{"salt": bin(j.Salt), "b": bin(j.Content)})
	if at, in := r.index[leaf]; in && err == nil {
		return r.Host.index(ctx, entry{kind: leafOfRecord, id: rec.RecordID}, at)
	}
	return err
}

// reopen keeps an opening again that the tables lack.
func (r *restoring) reopen(ctx context.Context, j jot) error {
	i, err := r.get(ctx, tableLeaf, openingKey(j.ID))
	if err != nil || len(j.Salt) != 32 {
		return err
	}
	leaf := ledger.NewLeaf([32]byte(j.Salt), j.Content)
	at, in := r.index[leaf]
	switch {
	case i != nil && indexOf(i) >= 0:
		return nil
	case i != nil && in:
		return r.Host.index(ctx, entry{kind: leafOfOpening, id: j.ID}, at)
	case i != nil:
		return nil
	}
	t, i := r.transaction(), openingKey(j.ID)
	i["salt"], i["b"] = bin(j.Salt), bin(j.Content)
	if in {
		i["i"] = num(at)
	} else {
		t.queue(leaf, leafOfOpening, j.ID)
	}
	t.put(tableLeaf, i, "attribute_not_exists(q)", nil, errAgain)
	r.out.Openings++
	return t.commit(ctx)
}

// hush is a suppression as it was after the journal's entry. The last entry counts.
func (r *restoring) hush(j jot) *dynamodb.PutItemInput {
	return &dynamodb.PutItemInput{TableName: r.table(tableIdentity), Item: hushedItem(j.ID, j.Hushed)}
}

// reseal keeps a sealed proof again whose time is not over.
func (r *restoring) reseal(ctx context.Context, j jot) error {
	until, _, err := ledger.SealedUntil(j.Sealed)
	if err != nil || !until.After(r.now()) {
		return err
	}
	i := sealedKey(j.ID)
	i["v"] = bin(j.Sealed)
	return r.writeBatch(ctx, *r.table(tableBook), []types.WriteRequest{
		{PutRequest: &types.PutRequest{Item: i}}, {PutRequest: &types.PutRequest{Item: dueKey(until, j.ID)}},
	})
}

// rebury closes a grave that a backup opened. What comes later about its subject
// stays out from here on; what the backup brought back goes when all is read.
func (r *restoring) rebury(ctx context.Context, j jot) error {
	grave, err := markOf(j.ID)
	if err != nil {
		return err
	}
	if j.Burial == nil {
		return errors.New("an erasure without its burial")
	}
	r.buried[j.ID] = *j.Burial
	return r.putOne(ctx, &dynamodb.PutItemInput{TableName: r.table(tableBook), Item: grave})
}

// erase erases whoever has a grave and is in some table all the same.
func (r *restoring) erase(ctx context.Context) error {
	back := map[consent.Subject]bool{}
	var mu sync.Mutex
	for _, table := range []struct {
		name string
		who  func(item) string
	}{
		{tableBook, func(i item) string { return subjectOnly(strOf(i, "s")) }},
		{tableIdentity, func(i item) string { return subjectOnly(strings.TrimPrefix(strOf(i, "k"), "s#")) }},
		{tableProfile, func(i item) string { return strOf(i, "s") }},
		{tableMember, func(i item) string { return strOf(i, "s") }},
		{tableDesk, func(i item) string { return subjectOnly(strings.TrimPrefix(strOf(i, "p"), "of#")) }},
		{tableDecision, func(i item) string { return strOf(i, "s") }},
	} {
		some := map[consent.Subject]bool{}
		err := r.scan(ctx, table.name, "", nil, func(i item) error {
			k := table.who(i)
			if k == "" {
				return nil
			}
			s, err := parseSubjectKey(k)
			mu.Lock()
			defer mu.Unlock()
			some[s] = true
			return err
		})
		if err != nil {
			return err
		}
		dead, err := r.erasedAmong(ctx, slices.Collect(maps.Keys(some)))
		if err != nil {
			return err
		}
		maps.Copy(back, dead)
	}
	for s := range back {
		if err := r.eraseAgain(ctx, s); err != nil {
			return err
		}
		r.out.Erasures++
	}
	return nil
}

// subjectOnly is a key that is a subject's, or nothing.
func subjectOnly(k string) string {
	if len(k) == 3+1+32 && k[3] == '#' {
		return k
	}
	return ""
}

// eraseAgain erases what came back of a subject. Its certificate and its leaf are
// those of the first time.
func (r *restoring) eraseAgain(ctx context.Context, s consent.Subject) error {
	b, known := r.buried[r.graveOf(s)]
	if !known {
		b = burial{ID: randomName(), At: r.now()}
	}
	open, err := r.get(ctx, tableBook, r.graveKey(s))
	if err != nil {
		return err
	}
	if binOf(open, "p") != nil { // an erasure that a crash stopped: whoever asks again ends it
		return nil
	}
	e := &erasing{Host: r.Host, s: s, done: true, plan: erasure{Out: flow.Erasure{ID: b.ID, At: b.At}, Until: b.Until}}
	for _, step := range []func(context.Context) error{e.takeIDs, e.takeBook, e.takeOthers, e.takeContacts, e.takeDecisions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// minimise takes out of profiles that came back what no yes carries any more.
func (r *restoring) minimise(ctx context.Context) error {
	return r.scan(ctx, tableProfile, "", nil, func(i item) error {
		s, err := parseSubjectKey(strOf(i, "s"))
		if err != nil {
			return err
		}
		return r.keepFounded(ctx, s, r.now())
	})
}

// regrant writes anew what prices may know, from the states of the book.
func (r *restoring) regrant(ctx context.Context) error {
	return r.scan(ctx, tableBook, "r = :state or begins_with(r, :rec)", item{":state": str("state"), ":rec": str("rec#")}, func(i item) error {
		s, err := parseSubjectKey(strOf(i, "s"))
		if err != nil {
			return err
		}
		if strOf(i, "r") == "state" {
			st, err := readState(s, i)
			if err != nil || st.handle == "" {
				return err
			}
			return r.restand(ctx, st)
		}
		rec, err := readRecord(i)
		if err != nil || !flow.GrantsPrice(rec) {
			return err
		}
		st, err := r.stored(ctx, s)
		if err != nil || st.handle == "" {
			return err
		}
		g := grantOfRecord(rec.RecordID)
		g["h"], g["b"] = str(st.handle), bin(standing(consent.State{}, rec))
		return r.putOne(ctx, &dynamodb.PutItemInput{TableName: r.table(tableGrant), Item: g})
	})
}

// restand writes how a grant stands, as long as the state is what was read.
func (r *restoring) restand(ctx context.Context, st stored) error {
	return again(ctx, func() error {
		now, err := r.stored(ctx, st.Subject)
		if err != nil || now.handle == "" {
			return err
		}
		t, i, values := r.transaction(), grantKey(now.handle), item{}
		i["b"] = bin(standing(now.State, anyGrant))
		t.put(tableGrant, i, "", nil, nil)
		t.check(tableBook, stateKey(st.Subject), unmoved(now.State, values), values, errAgain)
		return t.commit(ctx)
	})
}

// note says that all leaves of the ledger are indexed, and that every table is as
// new as the ledger.
func (r *restoring) note(ctx context.Context) error {
	put := &dynamodb.PutItemInput{
		TableName: r.table(tableLedger), Item: item{"name": str("integrated"), "n": num(r.size)},
		ConditionExpression: sdk.String("attribute_not_exists(n) or n < :n"), ExpressionAttributeValues: item{":n": num(r.size)},
	}
	var further *types.ConditionalCheckFailedException
	if err := r.putOne(ctx, put); err != nil && !errors.As(err, &further) {
		return r.fault("dynamodb:PutItem", "table "+*put.TableName, err)
	}
	return r.mark(ctx, r.size)
}
