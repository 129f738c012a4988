package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent/ledger"
)

// ErrDistrusted means that the consent ledger and the book do not agree, or that
// the ledger does not verify: no processing may rest on consent (OPS-06).
var ErrDistrusted = errors.New("the consent ledger does not verify")

// trust is what this process last read of whether the ledger is sound, and whether
// the tables that it asks are as new as the ledger.
type trust struct {
	mu   sync.Mutex
	read time.Time
	why  string
	back map[string]time.Time // when a table was last seen not to be an old copy
	now  map[string]*look     // looks under way, by their tables
}

// look is a look at whether tables are old copies. Who comes while it lasts waits for it.
type look struct {
	done chan struct{}
	err  error
}

// trustFor is how long a process relies on the ledger before it looks again.
const trustFor = 30 * time.Second

var distrustKey = controlKey(controlTrust)

// Distrust has every reading of consent fail, in every process within trustFor and
// here at once, until Trust. Withdrawals, objections and erasures are taken all the
// same.
func (h *Host) Distrust(ctx context.Context, why string) error {
	h.opts.Log.Error("no consent is relied on from now on (OPS-06)", "why", why)
	_, err := h.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: h.table(tableControl), Item: item{"p": distrustKey["p"], "r": distrustKey["r"], "why": str(why)},
	})
	h.trust.set(why)
	return h.fault("dynamodb:PutItem", "table "+*h.table(tableControl), err)
}

// Trust ends Distrust, after somebody verified ledger and book.
func (h *Host) Trust(ctx context.Context) error {
	_, err := h.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: h.table(tableControl), Key: distrustKey})
	if err == nil {
		h.trust.set("")
	}
	return h.fault("dynamodb:DeleteItem", "table "+*h.table(tableControl), err)
}

func (t *trust) set(why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read, t.why = time.Now(), why
}

// stale gives those of the tables that were not looked at for trustFor.
func (t *trust) stale(tables []string) (out []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, table := range tables {
		if time.Since(t.back[table]) > trustFor {
			out = append(out, table)
		}
	}
	return out
}

func (t *trust) fresh(tables []string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.back == nil {
		t.back = map[string]time.Time{}
	}
	for _, table := range tables {
		t.back[table] = at
	}
}

// forget has the next call of trusted look again.
func (t *trust) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read, t.back = time.Time{}, nil
}

// asked are the tables that this process looks people up in.
func (h *Host) asked() []string {
	if h.has(PartIdentity) {
		return []string{tableBook, tableIdentity}
	}
	return []string{tableBook}
}

// trusted is nil as long as the consent of people may be relied on.
func (h *Host) trusted(ctx context.Context) error { return h.trustedIn(ctx, h.asked()...) }

// newest is nil unless book or identity map are an old copy: what was written on one
// would stand where the journal has something else, and whom it does not know it may
// have forgotten. A book that is only distrusted takes all.
func (h *Host) newest(ctx context.Context) error { return h.current(ctx, h.asked()) }

// trustedIn is nil as long as the ledger is sound, and none of the tables that are
// asked is an old copy. Not knowing is a no.
func (h *Host) trustedIn(ctx context.Context, tables ...string) error {
	if err := h.sound(ctx); err != nil {
		return err
	}
	return h.current(ctx, tables)
}

// current is nil if none of the tables is an old copy: those that were not looked at
// for trustFor are looked at. Who asks while another looks waits for its answer.
func (h *Host) current(ctx context.Context, tables []string) error {
	if tables = h.trust.stale(tables); len(tables) == 0 {
		return nil
	}
	name := strings.Join(tables, " ")
	h.trust.mu.Lock()
	l, looks := h.trust.now[name]
	if !looks {
		if l = (&look{done: make(chan struct{})}); h.trust.now == nil {
			h.trust.now = map[string]*look{}
		}
		h.trust.now[name] = l
		go h.look(context.WithoutCancel(ctx), l, name, tables) // its caller may go; others wait for it
	}
	h.trust.mu.Unlock()
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lookFor bounds a look.
const lookFor = 10 * time.Second

func (h *Host) look(ctx context.Context, l *look, name string, tables []string) {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	began := time.Now()
	if l.err = h.looked(ctx, tables); l.err == nil {
		h.trust.fresh(tables, began)
	}
	h.trust.mu.Lock()
	delete(h.trust.now, name)
	h.trust.mu.Unlock()
	close(l.done)
}

func (h *Host) looked(ctx context.Context, tables []string) error {
	err := h.noneBack(ctx, tables...)
	var split errSplit
	if errors.As(err, &split) {
		return fmt.Errorf("%w: %s", ErrDistrusted, split.why)
	}
	if err != nil {
		return fmt.Errorf("reading whether a table is an old copy: %w", err)
	}
	return nil
}

// sound is nil as long as nobody has found the ledger broken.
func (h *Host) sound(ctx context.Context) error {
	h.trust.mu.Lock()
	read, why := h.trust.read, h.trust.why
	h.trust.mu.Unlock()
	if read.IsZero() || time.Since(read) > trustFor {
		i, err := h.get(ctx, tableControl, distrustKey)
		if err != nil {
			return fmt.Errorf("reading whether the ledger is sound: %w", err)
		}
		if why = strOf(i, "why"); i != nil && why == "" {
			why = "somebody said so, and not why"
		}
		h.trust.set(why)
	}
	if why != "" {
		return fmt.Errorf("%w: %s", ErrDistrusted, why)
	}
	return nil
}

// errSplit says that ledger and book do not agree.
type errSplit struct{ why string }

func (e errSplit) Error() string { return e.why }

// suspect turns a ledger that is not the book's into Distrust. A store that does not
// answer is no reason: then nothing is known.
func (h *Host) suspect(ctx context.Context, err error) error {
	var split errSplit
	var fault *ledger.Fault
	if !errors.As(err, &split) && !errors.As(err, &fault) {
		return err
	}
	why, _, _ := strings.Cut(err.Error(), "\n")
	return errors.Join(err, h.Distrust(ctx, why))
}
