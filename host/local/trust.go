package local

import (
	"errors"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/consent/ledger"
)

// ErrDistrusted means that the consent ledger and the book do not agree, or that
// the ledger does not verify: no processing may rest on consent (OPS-06).
var ErrDistrusted = errors.New("the consent ledger does not verify")

// Distrust has every reading of consent fail from now on, also after a restart,
// until Trust. Withdrawals, objections and erasures are taken all the same.
func (h *Host) Distrust(why string) error {
	if h.distrusted.Load() != nil {
		return nil
	}
	h.distrusted.Store(&why)
	h.opts.Log.Error("no consent is relied on from now on (OPS-06)", "why", why)
	if err := h.save(func(b *pebble.Batch) error { return b.Set(meta(metaDistrust), []byte(why), nil) }); err != nil {
		return fmt.Errorf("noting that the ledger is broken: %w", err)
	}
	return nil
}

// Trust ends Distrust, after somebody verified ledger and book.
func (h *Host) Trust() error {
	if h.distrusted.Load() == nil {
		return nil
	}
	if err := h.save(func(b *pebble.Batch) error { return b.Delete(meta(metaDistrust), nil) }); err != nil {
		return fmt.Errorf("noting that the ledger is sound: %w", err)
	}
	h.distrusted.Store(nil)
	return nil
}

// trusted is nil as long as consent may be relied on.
func (h *Host) trusted() error {
	if why := h.distrusted.Load(); why != nil {
		return fmt.Errorf("%w: %s", ErrDistrusted, *why)
	}
	return nil
}

// openTrust reads what was found before.
func (h *Host) openTrust() error {
	v, err := get(h.db, meta(metaDistrust))
	if err != nil || v == nil {
		return err
	}
	why := string(v)
	h.distrusted.Store(&why)
	return nil
}

// errSplit says that ledger and book do not agree.
type errSplit struct{ why string }

func (e errSplit) Error() string { return e.why }

// suspect turns a ledger that is not the book's into Distrust. A disk that does
// not answer is no reason: then nothing is known.
func (h *Host) suspect(err error) error {
	var split errSplit
	var fault *ledger.Fault
	if err == nil || !errors.As(err, &split) && !errors.As(err, &fault) {
		return err
	}
	why, _, _ := strings.Cut(err.Error(), "\n")
	return errors.Join(err, h.Distrust(why))
}
