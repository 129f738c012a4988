package aws

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

var _ flow.Foresight = (*Host)(nil)

// foresight is what was read ahead for one call. Nothing of it outlives the call,
// and each item is handed out once: whoever reads again reads the store. A profile
// is handed out twice, to look at and to write upon: the write finds out by its
// condition if the profile is another by then.
type foresight struct {
	first, people, desk, click <-chan struct{} // closed when read; nil: not asked for
	wanted                     wantedItems     // by the first journey

	mu    sync.Mutex
	items map[string]*foreseen
	parts map[string]*foreseenPart // whole partitions
	void  bool                     // the call wrote what others of its reads rest on
}

// foreseenPart is a partition: handed out once for each of the call's questions that
// it answers.
type foreseenPart struct {
	items []item
	err   error
	left  int
}

type foreseen struct {
	item item
	err  error
	left int
}

type foresightKey struct{}

// Ahead reads side by side what a call will ask for, in as few calls and journeys as
// the questions build on each other: pointers, identifiers, price histories, and what
// is kept of those whom the identifiers led to last; then states, links, profiles and
// segments of others; then the states of linked accounts. It does not wait: who asks
// does.
func (h *Host) Ahead(ctx context.Context, a flow.Ahead) context.Context {
	f := &foresight{items: map[string]*foreseen{}, parts: map[string]*foreseenPart{}, wanted: wantedItems{}}
	ids := h.idsOf(a)
	guessed, _ := h.wantPeople(a, func(id consent.ID) consent.Subject { return h.hints.of(ids[id]) })
	f.wantFirst(a, ids, guessed)
	if a.Advisers {
		f.desk = begin(func() { _, _ = h.foreseePart(ctx, f, tableDesk, "desk", 1) })
	}
	if a.Click != (flow.Click{}) {
		f.click = begin(func() { h.foreseeClick(ctx, f, a.Click) })
	}
	switch { // who asks hears of it
	case len(a.Who) > 0:
		go func() { _ = h.current(ctx, h.asked()) }()
	case len(a.Prices) > 0 && !h.has(PartIdentity):
		go func() { _ = h.current(ctx, []string{tableGrant}) }()
	}
	if len(f.wanted) > 0 {
		f.first = begin(func() { h.readFirst(ctx, f) })
	}
	if len(ids) > 0 {
		f.people = begin(func() {
			<-f.first
			h.foreseePeople(ctx, f, a, ids, guessed)
		})
	}
	return context.WithValue(ctx, foresightKey{}, f)
}

// wantFirst wants all that may be asked for before anything is known.
func (f *foresight) wantFirst(a flow.Ahead, ids map[consent.ID]item, guessed wantedItems) {
	if a.Control > 0 {
		for _, p := range []string{controlSwitches, controlTrust, controlProducts, controlPublication} {
			f.wanted.add(tableControl, controlKey(p))
		}
	}
	for _, key := range ids {
		f.wanted.add(tableIdentity, key)
	}
	for _, n := range a.Prices {
		f.wanted.add(tablePrice, priceKey(historyKey(n.Product, n.Storefront, n.Channel, n.Currency)))
	}
	for table, keys := range guessed {
		for _, key := range keys {
			f.wanted.add(table, key)
		}
	}
}

// readFirst makes the first journey. Who reads the publication also reads memberships
// under it.
func (h *Host) readFirst(ctx context.Context, f *foresight) {
	h.readAll(ctx, f, f.wanted)
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.items[nameOf(tableControl, controlKey(controlPublication))]; x != nil {
		x.left = 2
	}
}

func begin(do func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	return done
}

// takeAhead gives what was read ahead for this call, while some is left.
func takeAhead(ctx context.Context, table string, key item) (item, bool, error) {
	f, ok := ctx.Value(foresightKey{}).(*foresight)
	if !ok || !await(ctx, f.of(table)) {
		return nil, false, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.items[nameOf(table, key)]
	if x == nil || x.left == 0 || f.void {
		return nil, false, nil
	}
	x.left--
	return x.item, true, x.err
}

// of is what must be done before it is known whether an item was read.
func (f *foresight) of(table string) <-chan struct{} {
	switch table {
	case tableControl, tablePrice:
		if f.wanted[table] != nil {
			return f.first
		}
	case tableIdentity, tableBook, tableProfile, tableMember:
		return f.people
	case tableDesk:
		if f.desk != nil {
			return f.desk
		}
		return f.click
	case tableDecision, tablePriced:
		return f.click
	}
	return nil
}

func await(ctx context.Context, done <-chan struct{}) bool {
	if done == nil {
		return false
	}
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// forgetAhead makes the rest of the call read the store: it has written what others
// of its reads rest on.
func forgetAhead(ctx context.Context) {
	if f, ok := ctx.Value(foresightKey{}).(*foresight); ok {
		f.mu.Lock()
		f.void = true
		f.mu.Unlock()
	}
}

// foreseePart reads a partition whole.
func (h *Host) foreseePart(ctx context.Context, f *foresight, table, p string, times int) (found []item, err error) {
	q := &dynamodb.QueryInput{TableName: h.table(table), KeyConditionExpression: sdk.String("p = :p"), ExpressionAttributeValues: item{":p": str(p)}}
	err = h.query(ctx, q, func(i item) error {
		found = append(found, i)
		return nil
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parts[table+"\x00"+p] = &foreseenPart{items: found, err: err, left: times}
	return found, err
}

// takePart gives a partition that was read ahead for this call, while some is left.
func (h *Host) takePart(ctx context.Context, q *dynamodb.QueryInput) ([]item, bool, error) {
	f, ok := ctx.Value(foresightKey{}).(*foresight)
	if !ok || q.IndexName != nil || len(q.ExpressionAttributeValues) != 1 {
		return nil, false, nil
	}
	table := strings.TrimPrefix(*q.TableName, h.opts.Prefix+"-")
	if !await(ctx, f.of(table)) {
		return nil, false, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	x := f.parts[table+"\x00"+strOf(q.ExpressionAttributeValues, ":p")]
	if x == nil || x.left == 0 || f.void {
		return nil, false, nil
	}
	x.left--
	return x.items, true, x.err
}

// nameOf is an item's name among those read ahead. All keys are strings.
func nameOf(table string, key item) string {
	parts := make([]string, 0, len(key))
	for _, t := range Tables {
		if t.Name == table {
			parts = append(parts, table, strOf(key, t.Hash))
			if t.Range != "" {
				parts = append(parts, strOf(key, t.Range))
			}
		}
	}
	return strings.Join(parts, "\x00")
}

// keep takes an answer about keys down: those without an item are known to have none.
func (f *foresight) keep(table string, keys, found []item, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := 1
	if table == tableProfile {
		left = 2
	}
	for _, k := range keys {
		f.items[nameOf(table, k)] = &foreseen{left: left, err: err}
	}
	for _, i := range found {
		if x := f.items[nameOf(table, i)]; x != nil {
			x.item = i
		}
	}
}

// peek looks at an item without handing it out.
func (f *foresight) peek(table string, key item) item {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.items[nameOf(table, key)]; x != nil {
		return x.item
	}
	return nil
}

// wantedItems are keys by table and name.
type wantedItems map[string]map[string]item

// add wants an item, once.
func (w wantedItems) add(table string, key item) {
	if w[table] == nil {
		w[table] = map[string]item{}
	}
	w[table][nameOf(table, key)] = key
}

func (w wantedItems) has(table string, key item) bool { return w[table][nameOf(table, key)] != nil }

// without are those that the others are not.
func (w wantedItems) without(others wantedItems) wantedItems {
	out := wantedItems{}
	for table, keys := range w {
		for name, k := range keys {
			if others[table][name] == nil {
				out.add(table, k)
			}
		}
	}
	return out
}

// parts are the keys by table, at most a hundred in each part.
func (w wantedItems) parts() (out []map[string][]item) {
	n := 0
	for table, keys := range w {
		for _, k := range keys {
			if n%100 == 0 {
				out = append(out, map[string][]item{})
			}
			last := out[len(out)-1]
			last[table] = append(last[table], k)
			n++
		}
	}
	return out
}

// readAll reads items of several tables, consistently: up to a hundred in one call,
// calls side by side. What cannot be read is an error for whoever asks for it.
func (h *Host) readAll(ctx context.Context, f *foresight, w wantedItems) {
	parts := w.parts()
	_ = each(ctx, len(parts), 8, func(ctx context.Context, i int) error {
		found, err := h.readPart(ctx, parts[i])
		for table, keys := range parts[i] {
			f.keep(table, keys, found[table], err)
		}
		return nil
	})
}

func (h *Host) readPart(ctx context.Context, part map[string][]item) (map[string][]item, error) {
	asked, names := map[string]types.KeysAndAttributes{}, map[string]string{}
	for table, keys := range part {
		names[*h.table(table)] = table
		asked[*h.table(table)] = types.KeysAndAttributes{Keys: keys, ConsistentRead: sdk.Bool(true)}
	}
	found := map[string][]item{}
	for n := 0; len(asked) > 0; n++ {
		out, err := h.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: asked})
		if err != nil {
			return nil, h.fault("dynamodb:BatchGetItem", "table "+tableNames(asked), err)
		}
		for name, items := range out.Responses {
			found[names[name]] = append(found[names[name]], items...)
		}
		if asked = out.UnprocessedKeys; len(asked) == 0 {
			break
		}
		if n == 5 {
			return nil, h.fault("dynamodb:BatchGetItem", "table "+tableNames(asked), errors.New("some items are left over after every try"))
		}
		if err := pause(ctx, n+2); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func tableNames(asked map[string]types.KeysAndAttributes) string {
	var out []string
	for name := range asked {
		out = append(out, name)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// idsOf are the keys of a call's identifiers in the identity map.
func (h *Host) idsOf(a flow.Ahead) map[consent.ID]item {
	if h.keys.ids == nil {
		return nil
	}
	out := map[consent.ID]item{}
	for _, w := range a.Who {
		for _, id := range []consent.ID{w.Device, w.Account} {
			if !id.IsZero() && out[id] == nil {
				out[id] = identityKey(h.keys.ids.Key(id))
			}
		}
	}
	return out
}

// foreseePeople reads what is kept of those whom the call names. Whom it names was
// guessed, so that both could be read at once; a wrong guess costs a read.
func (h *Host) foreseePeople(ctx context.Context, f *foresight, a flow.Ahead, ids map[consent.ID]item, guessed wantedItems) {
	w, devices := h.wantPeople(a, func(id consent.ID) (s consent.Subject) {
		if key := ids[id]; key != nil {
			s, _ = parseSubjectKey(strOf(f.peek(tableIdentity, key), "s"))
			h.hints.note(key, s)
		}
		return s
	})
	h.readAll(ctx, f, w.without(guessed))
	more := wantedItems{}
	for _, d := range devices {
		account, _ := parseSubjectKey(strOf(f.peek(tableBook, linkKey(d)), "a"))
		if !account.IsZero() && !w.has(tableBook, stateKey(account)) {
			more.add(tableBook, stateKey(account))
		}
	}
	h.readAll(ctx, f, more)
}

// wantPeople wants what is kept of everybody that the call names, and lists the
// devices that may be linked to an account which it does not name.
func (h *Host) wantPeople(a flow.Ahead, find func(consent.ID) consent.Subject) (w wantedItems, devices []consent.Subject) {
	w = wantedItems{}
	for _, who := range a.Who {
		d, account := find(who.Device), find(who.Account)
		if !d.IsZero() && account.IsZero() {
			w.add(tableBook, linkKey(d))
			devices = append(devices, d)
		}
		h.wantPerson(w, a, d, account)
	}
	return w, devices
}

// hints remember, from call to call, whom a key of the identity map led to. They are
// only ever a guess about what to read: whom a key leads to is read in every call.
type hints struct {
	mu sync.Mutex
	by map[string]consent.Subject
}

// mostHints is how many a process remembers.
const mostHints = 10_000

func (x *hints) of(key item) consent.Subject {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.by[strOf(key, "k")]
}

func (x *hints) note(key item, s consent.Subject) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.IsZero() {
		delete(x.by, strOf(key, "k"))
		return
	}
	if x.by == nil || len(x.by) == mostHints {
		x.by = map[string]consent.Subject{}
	}
	x.by[strOf(key, "k")] = s
}

// wantPerson wants the states of a device and its account, and the profile and the
// segments of the one that they are kept under.
func (h *Host) wantPerson(w wantedItems, a flow.Ahead, d, account consent.Subject) {
	for _, s := range []consent.Subject{d, account} {
		if !s.IsZero() {
			w.add(tableBook, stateKey(s))
		}
	}
	s := d
	if s.IsZero() {
		s = account
	}
	if s.IsZero() {
		return
	}
	if a.Profile {
		w.add(tableProfile, profileKey(s))
	}
	if a.Membership {
		w.add(tableMember, memberKey(s))
	}
}

// foreseeClick reads what an earlier click on the same offer may have left: a contact,
// and the decision about it.
func (h *Host) foreseeClick(ctx context.Context, f *foresight, c flow.Click) {
	all := []struct {
		table string
		key   item
	}{{tableDesk, contactKey(c.Contact)}, {tableDecision, item{"id": str(c.Decision)}}, {tablePriced, item{"id": str(c.Decision)}}}
	_ = each(ctx, len(all), len(all), func(ctx context.Context, i int) error {
		found, err := h.get(ctx, all[i].table, all[i].key)
		f.keep(all[i].table, []item{all[i].key}, []item{found}, err)
		return nil
	})
}
