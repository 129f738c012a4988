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

// trust is what this process last read of whether the ledger is sound.
type trust struct {
	mu   sync.Mutex
	read time.Time
	why  string
}

// trustFor is how long a process relies on the ledger before it looks again.
const trustFor = 30 * time.Second

var distrustKey = item{"p": str("now"), "r": str("distrust")}

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

// forget has the next call of trusted look again.
func (t *trust) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.read = time.Time{}
}

// trusted is nil as long as consent may be relied on. Not knowing is a no.
func (h *Host) trusted(ctx context.Context) error {
	h.trust.mu.Lock()
	read, why := h.trust.read, h.trust.why
	h.trust.mu.Unlock()
	if read.IsZero() || time.Since(read) > trustFor {
		i, err := h.get(ctx, tableControl, distrustKey)
		if err != nil {
			return fmt.Errorf("reading whether the ledger is sound: %w", err)
		}
		why = strOf(i, "why")
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
