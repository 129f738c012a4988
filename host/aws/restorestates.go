//go:build !lambda.norpc

package aws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
)

// rename notes whose identifier is whose again. Whom a copy knows it by, and who was
// erased since, does not stand in the way of whoever came back under it.
func (r *restoring) rename(ctx context.Context) error {
	if !r.back(tableIdentity) {
		return nil
	}
	all := r.of(jotOfID)
	return each(ctx, len(all), atATime, func(ctx context.Context, i int) error {
		id, err := all[i].identifier()
		if err != nil {
			return err
		}
		return again(ctx, func() error { return r.name(ctx, id, all[i].Subject) })
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
	case version <= was.Version:
		return r.same(ctx, j, version)
	case version > was.Version+1:
		return fmt.Errorf("of subject %s the journal has version %d, but not what came between it and version %d of the book", j.Subject, version, was.Version)
	case j.Kind == jotOfEntry:
		return r.relist(ctx, was, j)
	}
	return r.rebook(ctx, was, j)
}

// same is an error if an old copy of the book has something else at a version:
// somebody wrote on it before anybody knew that it was one.
func (r *restoring) same(ctx context.Context, j jot, version uint64) error {
	if !r.back(tableBook) {
		return nil
	}
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
			return r.unlinked(ctx, j.Subject, before)
		}
		r.did(&r.out.Links)
		return r.link(ctx, j.Subject, j.Account, time.UnixMilli(j.At))
	})
}

// unlinked takes a device's link away that a backup brought back.
func (r *restoring) unlinked(ctx context.Context, device, account consent.Subject) error {
	t := r.transaction()
	t.delete(tableBook, linkKey(device), "a = :was", item{":was": str(subjectKey(account))}, errBuried)
	t.delete(tableBook, deviceKey(account, device), "", nil, nil)
	if err := again(ctx, func() error { return t.commit(ctx) }); !errors.Is(err, errBuried) {
		return err
	}
	return nil
}
