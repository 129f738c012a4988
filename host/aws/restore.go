//go:build !lambda.norpc

package aws

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

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
	Records      int64 `json:"records"`
	Lists        int64 `json:"lists"`
	Links        int64 `json:"links"`
	IDs          int64 `json:"ids"`
	Suppressions int64 `json:"suppressions"`
	Openings     int64 `json:"openings"`
	Proofs       int64 `json:"proofs"`   // sealed
	Erasures     int64 `json:"erasures"` // subjects that were erased again
	Queued       int64 `json:"queued"`   // what the queue had lost
	Grants       int64 `json:"grants"`   // what a price may know, put right or taken away
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
	jots   []jot // of the journal since the oldest copy, then of the queue
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

// readJournal reads every batch that the oldest copy lacks. One that is not there any
// more means that the copy is too old.
func (r *restoring) readJournal(ctx context.Context) error {
	from := slices.Min(slices.Collect(maps.Values(r.marks)))
	if from >= r.n {
		return nil
	}
	all, err := r.objects(ctx, bucketNight, journalPrefix)
	if err != nil {
		return err
	}
	there := map[int64]bool{}
	for _, o := range all {
		_, a, b, err := batches(o.key)
		if err != nil {
			return err
		}
		if b <= from {
			continue
		}
		for n := a; n <= b; n++ {
			there[n] = true
		}
		if err := r.readBatch(ctx, o); err != nil {
			return fmt.Errorf("object %s of bucket %s: %w", o.key, *r.bucket(bucketNight), err)
		}
	}
	for n := from + 1; n <= r.n; n++ {
		if !there[n] {
			return fmt.Errorf("the journal, which goes back %d days, has no batch %d, and a table knows only those up to %d: a newer backup is needed", backupDays, n, from)
		}
	}
	return nil
}

func (r *restoring) readBatch(ctx context.Context, o object) error {
	body, _, err := r.readObject(ctx, bucketNight, o.key)
	if err != nil {
		return err
	}
	return eachLine(body, func(line []byte) error {
		j, err := r.unline(line)
		r.jots = append(r.jots, j)
		return err
	})
}

// readQueue reads what waits, and takes leaves out of the queue that are in the
// ledger: an old copy of the queue would enter them twice.
func (r *restoring) readQueue(ctx context.Context) error {
	queue, err := r.queued(ctx, integrated{}, int(^uint(0)>>1))
	if err != nil {
		return err
	}
	r.waits = map[ledger.Leaf]bool{}
	var gone []item
	for _, e := range queue {
		j, err := r.unline(e.line)
		if err != nil {
			return err
		}
		r.jots = append(r.jots, j)
		if at, in := r.index[e.leaf]; in && e.leads() {
			if err := r.Host.index(ctx, e, at); err != nil {
				return err
			}
			gone = append(gone, e.key())
		} else if e.leads() {
			r.waits[e.leaf] = true
		}
	}
	return r.remove(ctx, tableLeaf, gone)
}

// of gives the jots of a kind, in their order.
func (r *restoring) of(kinds ...string) (out []jot) {
	for _, j := range r.jots {
		if slices.Contains(kinds, j.Kind) {
			out = append(out, j)
		}
	}
	return out
}

// atATime is how many subjects are put right side by side.
const atATime = 16

// rebury closes graves that a backup opened. What comes later about their subjects
// stays out from here on; what the backup brought back goes when all is read.
func (r *restoring) rebury(ctx context.Context) error {
	r.buried = map[string]burial{}
	all := r.of(jotOfErasure)
	return each(ctx, len(all), atATime, func(ctx context.Context, i int) error {
		grave, err := markOf(all[i].ID)
		if err != nil || all[i].Burial == nil {
			return errors.Join(errors.New("an erasure without its burial"), err)
		}
		r.mu.Lock()
		r.buried[all[i].ID] = *all[i].Burial
		r.mu.Unlock()
		if was, err := r.get(ctx, tableBook, grave); err != nil || was != nil && binOf(was, "p") == nil {
			return err
		}
		return r.putOne(ctx, &dynamodb.PutItemInput{TableName: r.table(tableBook), Item: grave})
	})
}

// rename notes whose identifier is whose again. Whom a copy knows it by, and who was
// erased since, does not stand in the way of whoever came back under it.
func (r *restoring) rename(ctx context.Context) error {
	if !r.back(tableIdentity) {
		return nil
	}
	all := r.of(jotOfID)
	return each(ctx, len(all), atATime, func(ctx context.Context, i int) error {
		id, err := hex.DecodeString(all[i].ID)
		if err != nil || len(id) != 32 {
			return errors.New("an identifier without its key")
		}
		err = again(ctx, func() error { return r.name(ctx, [32]byte(id), all[i].Subject) })
		return err
	})
}

func (r *restoring) name(ctx context.Context, id [32]byte, s consent.Subject) error {
	was, err := r.lookUp(ctx, id)
	if err != nil || was == s {
		return err
	}
	dead, err := r.erasedAmong(ctx, []consent.Subject{s, was})
	if err != nil || dead[s] {
		return err
	}
	t, there, back := r.transaction(), identityKey(id), identifiedKey(s)
	there["s"], back["i"] = str(subjectKey(s)), bin(id[:])
	switch {
	case was.IsZero():
		t.put(tableIdentity, there, "attribute_not_exists(k)", nil, errAgain)
	case dead[was]:
		t.put(tableIdentity, there, "s = :was", item{":was": str(subjectKey(was))}, errAgain)
		t.delete(tableIdentity, identifiedKey(was), "", nil, nil)
	default:
		return fmt.Errorf("an identifier leads to subject %s, and in the journal to %s: it was written on an old copy", was, s)
	}
	t.put(tableIdentity, back, "", nil, nil)
	if err = t.commit(ctx); err == nil {
		r.did(&r.out.IDs)
	}
	return err
}

// hush makes suppressions what they were last.
func (r *restoring) hush(ctx context.Context) error {
	if !r.back(tableIdentity) {
		return nil
	}
	last := map[string]jot{}
	for _, j := range r.of(jotOfSuppression) {
		if was, known := last[j.ID]; !known || j.At >= was.At {
			last[j.ID] = j
		}
	}
	keys := slices.Sorted(maps.Keys(last))
	return each(ctx, len(keys), atATime, func(ctx context.Context, i int) error {
		r.did(&r.out.Suppressions)
		return r.putOne(ctx, &dynamodb.PutItemInput{TableName: r.table(tableIdentity), Item: hushedItem(keys[i], last[keys[i]].At, last[keys[i]].Hushed)})
	})
}

// moveStates does records and list entries again, subject by subject in the order of
// versions.
func (r *restoring) moveStates(ctx context.Context) error {
	by := map[consent.Subject]map[uint64]jot{}
	for _, j := range r.of(leafOfRecord, jotOfEntry) {
		v, err := j.version()
		if err != nil {
			return err
		}
		if by[j.Subject] == nil {
			by[j.Subject] = map[uint64]jot{}
		}
		by[j.Subject][v] = j
	}
	who := slices.Collect(maps.Keys(by))
	return each(ctx, len(who), atATime, func(ctx context.Context, i int) error {
		dead, err := r.erasedAmong(ctx, who[i:i+1])
		if err != nil || dead[who[i]] {
			return err
		}
		for _, v := range slices.Sorted(maps.Keys(by[who[i]])) {
			if err := r.moveState(ctx, by[who[i]][v], v); err != nil {
				return err
			}
		}
		return nil
	})
}

// moveState does one record or entry again, unless the book has it.
func (r *restoring) moveState(ctx context.Context, j jot, version uint64) error {
	was, err := r.stored(ctx, j.Subject)
	if err != nil {
		return err
	}
	switch {
	case version <= was.Version && r.back(tableBook):
		return r.same(ctx, j, version)
	case version <= was.Version:
		return nil
	case version > was.Version+1:
		return fmt.Errorf("of subject %s the journal has version %d, but not what came between it and version %d of the book", j.Subject, version, was.Version)
	case j.Kind == jotOfEntry:
		return r.relist(ctx, was, j)
	}
	return r.rebook(ctx, was, j)
}

// same is an error if the book has something else at a version: somebody wrote on an
// old copy before anybody knew that it was one.
func (r *restoring) same(ctx context.Context, j jot, version uint64) error {
	key := recordKey(j.Subject, version)
	if j.Kind == jotOfEntry {
		key = entryKey(j.Subject, version)
	}
	i, err := r.get(ctx, tableBook, key)
	if err == nil && i == nil || err == nil && j.Kind == leafOfRecord && !bytes.Equal(binOf(i, "b"), j.Content) {
		err = fmt.Errorf("of subject %s the book has something else at version %d than the journal: it was written on an old copy", j.Subject, version)
	}
	return err
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
	t.entryItem(j.Subject, *j.Entry)
	t.grant(was, &next, nil)
	t.putState(was, next)
	r.did(&r.out.Lists)
	return again(ctx, func() error { return t.commit(ctx) })
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
	b.salt, b.canonical = [32]byte(j.Salt), j.Content
	b.leaf = ledger.NewLeaf(b.salt, b.canonical)
	if at, in := r.index[b.leaf]; in {
		b.at = at
	}
	b.waits = r.waits[b.leaf]
	if err := again(ctx, func() error { return r.book(ctx, &b) }); err != nil {
		return err
	}
	r.did(&r.out.Records)
	return r.ungroundMore(ctx, b)
}

// relink links devices again. The last link of a device counts.
func (r *restoring) relink(ctx context.Context) error {
	last := map[consent.Subject]jot{}
	for _, j := range r.of(jotOfLink) {
		if was, known := last[j.Subject]; !known || j.At >= was.At {
			last[j.Subject] = j
		}
	}
	who := slices.Collect(maps.Keys(last))
	return each(ctx, len(who), atATime, func(ctx context.Context, i int) error {
		j := last[who[i]]
		dead, err := r.erasedAmong(ctx, []consent.Subject{j.Subject, j.Account})
		if err != nil || dead[j.Subject] {
			return err
		}
		was, err := r.get(ctx, tableBook, linkKey(j.Subject))
		if err != nil || numOf(was, "t") >= j.At {
			return err
		}
		before, err := parseSubjectKey(strOf(was, "a"))
		switch {
		case err != nil || before == j.Account:
			return err
		case j.Account.IsZero() || dead[j.Account]:
			r.did(&r.out.Links)
			return r.parted(ctx, j.Subject, before)
		}
		r.did(&r.out.Links)
		return r.link(ctx, j.Subject, j.Account, time.UnixMilli(j.At))
	})
}

// parted takes a device's link away that a backup brought back.
func (r *restoring) parted(ctx context.Context, device, account consent.Subject) error {
	t := r.transaction()
	t.delete(tableBook, linkKey(device), "a = :was", item{":was": str(subjectKey(account))}, errBuried)
	t.delete(tableBook, deviceKey(account, device), "", nil, nil)
	if err := again(ctx, func() error { return t.commit(ctx) }); !errors.Is(err, errBuried) {
		return err
	}
	return nil
}

// reopen keeps openings again that the table of leaves lacks.
func (r *restoring) reopen(ctx context.Context) error {
	if !r.back(tableLeaf) {
		return nil
	}
	all := r.of(leafOfOpening)
	return each(ctx, len(all), atATime, func(ctx context.Context, n int) error {
		j := all[n]
		i, err := r.get(ctx, tableLeaf, openingKey(j.ID))
		if err != nil || indexOf(i) >= 0 {
			return err
		}
		if len(j.Salt) != 32 {
			return errors.New("an opening without its salt")
		}
		leaf := ledger.NewLeaf([32]byte(j.Salt), j.Content)
		at, in := r.index[leaf]
		if i != nil {
			if in {
				return r.Host.index(ctx, entry{kind: leafOfOpening, id: j.ID}, at)
			}
			return nil
		}
		t, i := r.transaction(), openingKey(j.ID)
		i["salt"], i["b"] = bin(j.Salt), bin(j.Content)
		if in {
			i["i"] = num(at)
		} else if !r.waits[leaf] {
			t.queue(leaf, leafOfOpening, j.ID, j)
		}
		t.put(tableLeaf, i, "attribute_not_exists(q)", nil, errAgain)
		r.did(&r.out.Openings)
		return again(ctx, func() error { return t.commit(ctx) })
	})
}

// reseal keeps sealed proofs again whose time is not over.
func (r *restoring) reseal(ctx context.Context) error {
	if !r.back(tableBook) {
		return nil
	}
	all := r.of(jotOfSealed)
	return each(ctx, len(all), atATime, func(ctx context.Context, n int) error {
		until, _, err := ledger.SealedUntil(all[n].Sealed)
		if err != nil || !until.After(r.now()) {
			return err
		}
		i := sealedKey(all[n].ID)
		was, err := r.get(ctx, tableBook, i)
		if err != nil {
			return err
		}
		if was == nil {
			r.did(&r.out.Proofs)
		}
		i["v"] = bin(all[n].Sealed)
		return r.writeBatch(ctx, *r.table(tableBook), []types.WriteRequest{
			{PutRequest: &types.PutRequest{Item: i}}, {PutRequest: &types.PutRequest{Item: dueKey(until, all[n].ID)}},
		})
	})
}

// requeue walks the book: a record without a place gets it, and what an old copy of
// the queue lost is queued again.
func (r *restoring) requeue(ctx context.Context) error {
	if !r.back(tableBook) && !r.back(tableLeaf) {
		return nil
	}
	lost := map[ledger.Leaf]item{}
	err := r.scan(ctx, tableBook, "begins_with(s, :rec) and attribute_not_exists(i)", item{":rec": str("rec#")}, func(i item) error {
		leaf := ledger.Leaf{}
		if copy(leaf[:], binOf(i, "leaf")) != len(leaf) {
			return errors.New("the book holds an unreadable place of a record")
		}
		if at, in := r.index[leaf]; in {
			return r.Host.index(ctx, entry{kind: leafOfRecord, id: strings.TrimPrefix(strOf(i, "s"), "rec#")}, at)
		}
		r.mu.Lock()
		lost[leaf] = i
		r.mu.Unlock()
		return nil
	})
	if err != nil || !r.back(tableLeaf) { // a queue that is whole has them
		return err
	}
	queue, err := r.queued(ctx, integrated{}, int(^uint(0)>>1)) // with what came since it was read first
	if err != nil {
		return err
	}
	for _, e := range queue {
		delete(lost, e.leaf)
	}
	for leaf, i := range lost {
		if err := r.requeueRecord(ctx, leaf, i); err != nil {
			return err
		}
	}
	return r.rejot(ctx)
}

func (r *restoring) requeueRecord(ctx context.Context, leaf ledger.Leaf, noted item) error {
	id := strings.TrimPrefix(strOf(noted, "s"), "rec#")
	_, rec, err := r.record(ctx, id)
	if errors.Is(err, flow.ErrNotFound) { // erased meanwhile
		return nil
	}
	if err != nil {
		return err
	}
	s, err := parseSubjectKey(strOf(noted, "p"))
	if err != nil {
		return err
	}
	t := r.transaction()
	t.queue(leaf, leafOfRecord, id, recordJot(s, [32]byte(binOf(rec, "salt")), binOf(rec, "b")))
	r.did(&r.out.Queued)
	return again(ctx, func() error { return t.commit(ctx) })
}

// rejot queues list entries, links and erasures that an old copy of the queue lost
// before the journal had them. What it has already it may have twice.
func (r *restoring) rejot(ctx context.Context) error {
	known := map[string]bool{}
	for _, j := range r.of(jotOfEntry, jotOfLink) {
		known[nameOfJot(j)] = true
	}
	since := r.since.AddDate(0, 0, -1)
	jotAgain := func(j jot) error {
		if known[nameOfJot(j)] {
			return nil
		}
		t := r.transaction()
		t.jot(j)
		r.did(&r.out.Queued)
		return again(ctx, func() error { return t.commit(ctx) })
	}
	kept := item{":ent": str("ent#"), ":link": str("link"), ":grave": str(gravePrefix)}
	return r.scan(ctx, tableBook, "begins_with(r, :ent) or r = :link or begins_with(s, :grave)", kept, func(i item) error {
		if mark, is := strings.CutPrefix(strOf(i, "s"), gravePrefix); is {
			if _, known := r.buried[mark]; known || time.UnixMilli(numOf(i, "t")).Before(since) {
				return nil
			}
			t := r.transaction()
			t.jot(jot{Kind: jotOfErasure, ID: mark, Burial: &burial{ID: randomName(), At: time.UnixMilli(numOf(i, "t")).UTC()}})
			r.did(&r.out.Queued)
			return again(ctx, func() error { return t.commit(ctx) })
		}
		s, err := parseSubjectKey(strOf(i, "s"))
		if err != nil {
			return err
		}
		if strOf(i, "r") == "link" {
			account, err := parseSubjectKey(strOf(i, "a"))
			if err != nil || time.UnixMilli(numOf(i, "t")).Before(since) {
				return err
			}
			return jotAgain(jot{Kind: jotOfLink, At: numOf(i, "t"), Subject: s, Account: account})
		}
		var e consent.Entry
		if err := json.Unmarshal(binOf(i, "b"), &e); err != nil {
			return fmt.Errorf("the book holds an unreadable list entry: %w", err)
		}
		if e.At.Before(since) {
			return nil
		}
		return jotAgain(jot{Kind: jotOfEntry, Subject: s, Entry: &e})
	})
}

// nameOfJot tells entries and links apart.
func nameOfJot(j jot) string {
	if j.Entry != nil {
		return fmt.Sprintf("%s %d", j.Subject, j.Entry.Version)
	}
	return fmt.Sprintf("%s %s %d", j.Subject, j.Account, j.At)
}

// erase erases whoever has a grave and is in some table all the same.
func (r *restoring) erase(ctx context.Context) error {
	back := map[consent.Subject]bool{}
	for table, key := range map[string]struct{ name, prefix string }{
		tableBook: {"s", ""}, tableIdentity: {"k", "s#"}, tableProfile: {"s", ""}, tableMember: {"s", ""}, tableDesk: {"p", "of#"}, tableDecision: {"s", ""},
	} {
		some := map[consent.Subject]bool{}
		err := r.scan(ctx, table, "", nil, func(i item) error {
			s, err := parseSubjectKey(strings.TrimPrefix(strOf(i, key.name), key.prefix))
			if err != nil || s.IsZero() { // it is about nobody
				return nil
			}
			r.mu.Lock()
			some[s] = true
			r.mu.Unlock()
			return nil
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
	who := slices.Collect(maps.Keys(back))
	return each(ctx, len(who), 4, func(ctx context.Context, i int) error { return r.eraseAgain(ctx, who[i]) })
}

// eraseAgain erases what came back of a subject. Its certificate and its leaf are
// those of the first time. An erasure that a crash stopped whoever asks again ends.
func (r *restoring) eraseAgain(ctx context.Context, s consent.Subject) error {
	b, known := r.buried[r.graveOf(s)]
	if !known {
		b = burial{ID: randomName(), At: r.now()}
	}
	open, err := r.get(ctx, tableBook, r.graveKey(s))
	if err != nil || binOf(open, "p") != nil {
		return err
	}
	e := &erasing{Host: r.Host, s: s, done: r.index, plan: erasure{Out: flow.Erasure{ID: b.ID, At: b.At}, Until: b.Until}}
	for _, step := range []func(context.Context) error{e.takeIDs, e.takeBook, e.takeOthers, e.takeContacts, e.takeDecisions} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	r.did(&r.out.Erasures)
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

// regrant makes what prices may know what the states of the book say, and takes away
// what belongs to no state: of whoever was erased since the backup. What is there is
// listed before the states are read.
func (r *restoring) regrant(ctx context.Context) error {
	if !r.back(tableGrant) && !r.back(tableBook) {
		return nil
	}
	there := map[string]string{} // keys, and the handles that they belong to
	err := r.scan(ctx, tableGrant, "", nil, func(i item) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		switch k := strOf(i, "k"); {
		case strings.HasPrefix(k, "g#"):
			there[k] = strings.TrimPrefix(k, "g#")
		case strings.HasPrefix(k, "r#"):
			there[k] = strOf(i, "h")
		}
		return nil
	})
	if err != nil {
		return err
	}
	live := map[string]bool{}
	err = r.scan(ctx, tableBook, "r = :state", item{":state": str("state")}, func(i item) error {
		s, err := parseSubjectKey(strOf(i, "s"))
		if err != nil {
			return err
		}
		st, err := readState(s, i)
		if err != nil || st.handle == "" {
			return err
		}
		r.mu.Lock()
		live[st.handle] = true
		r.mu.Unlock()
		return r.restand(ctx, st)
	})
	if err != nil {
		return err
	}
	var gone []item
	for k, handle := range there {
		if !live[handle] {
			gone = append(gone, item{"k": str(k)})
			r.did(&r.out.Grants)
		}
	}
	return r.remove(ctx, tableGrant, gone)
}

// restand writes how a subject's grants stand, as long as its state is what was read.
func (r *restoring) restand(ctx context.Context, st stored) error {
	records, err := r.History(ctx, st.Subject)
	if err != nil {
		return err
	}
	var puts []item
	for _, rec := range records {
		if flow.GrantsPrice(rec) {
			g := grantOfRecord(rec.RecordID)
			g["h"], g["b"] = str(st.handle), bin(standing(consent.State{}, rec))
			puts = append(puts, g)
		}
	}
	err = again(ctx, func() error {
		now, err := r.stored(ctx, st.Subject)
		if err != nil || now.handle != st.handle {
			return err
		}
		stands := grantKey(now.handle)
		stands["b"] = bin(standing(now.State, anyGrant))
		for part := range slices.Chunk(append([]item{stands}, puts...), 50) {
			t, values := r.transaction(), item{}
			for _, i := range part {
				t.put(tableGrant, i, "", nil, nil)
			}
			t.check(tableBook, stateKey(st.Subject), unmoved(now.State, values), values, errAgain)
			if err := t.commit(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		r.did(&r.out.Grants)
	}
	return err
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
