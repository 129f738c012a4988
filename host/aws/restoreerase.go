//go:build !lambda.norpc

package aws

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

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
	e := &erasing{Host: r.Host, s: s, lie: r.index, plan: erasure{Out: flow.Erasure{ID: b.ID, At: b.At}, Until: b.Until}}
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
