//go:build !lambda.norpc

package aws

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/handschlag/handschlag/consent/ledger"
)

// VerifyLedger fetches the consent ledger and verifies every byte of it against the
// public key, which it gives, and against checkpoints that nobody can take away. A
// ledger that does not verify ends all reliance on consent (OPS-06). One that grew
// each time while it was fetched is a ledger.ErrChanging.
func (n *Night) VerifyLedger(ctx context.Context) (key string, err error) {
	key, _, err = n.h.VerifyLedger(ctx, filepath.Join(n.dir, "ledger"))
	return key, err
}

// VerifyLedger fetches the consent ledger into a folder and verifies every byte of
// it, as the night does.
func (h *Host) VerifyLedger(ctx context.Context, dir string) (key string, r ledger.Report, err error) {
	if key, err = h.Verifier(ctx); err != nil {
		return "", r, fmt.Errorf("reading the ledger's public key: %w", err)
	}
	witnessed, err := h.witnesses(ctx)
	if err != nil {
		return "", r, err
	}
	for range 5 {
		if err := h.fetchLedger(ctx, dir); errors.Is(err, errChanged) { // it grew under the listing
			continue
		} else if err != nil {
			return "", r, fmt.Errorf("fetching the ledger: %w", err)
		}
		if r, err = ledger.Verify(os.DirFS(dir), key, witnessed...); err == nil {
			return key, r, nil
		}
		if grew, e := h.ledgerGrew(ctx, dir); e != nil {
			return "", r, e
		} else if !grew {
			err = fmt.Errorf("the ledger does not verify: %w", err)
			return "", r, errors.Join(err, h.Distrust(ctx, oneLine(err)))
		}
	}
	return key, r, fmt.Errorf("%w: it grew each time while it was fetched", ledger.ErrChanging)
}

// fetchLedger brings the ledger, as it is published, into a folder.
func (h *Host) fetchLedger(ctx context.Context, dir string) error {
	head, err := ledgerStore{h: h}.Read(ctx, ledgerHead)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the account has no consent ledger yet: the consent function begins it")
	}
	if err != nil {
		return err
	}
	all, err := h.objects(ctx, bucketLedger, "")
	if err != nil {
		return err
	}
	want := map[string]object{}
	for _, o := range all {
		if o.key != journalHead {
			want[o.key] = o
		}
	}
	if err := removeIfThere(filepath.Join(dir, ledgerHead)); err != nil {
		return err
	}
	if err := h.mirror(ctx, bucketLedger, want, dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ledgerHead), head, 0o600)
}

// ledgerGrew reports that head or checkpoint are not what was fetched.
func (h *Host) ledgerGrew(ctx context.Context, dir string) (bool, error) {
	for _, name := range []string{ledgerHead, ledgerCheckpoint} {
		is, err := ledgerStore{h: h}.Read(ctx, name)
		if err != nil {
			return false, err
		}
		was, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !bytes.Equal(is, was) {
			return true, nil
		}
	}
	return false, nil
}

// witnesses are the first and the newest checkpoint that surely were published: the
// last copy may be of one that a crash kept from it.
func (h *Host) witnesses(ctx context.Context) (out [][]byte, err error) {
	all, err := h.objects(ctx, bucketProof, "checkpoints/")
	if err != nil || len(all) < 2 {
		return nil, err
	}
	for _, o := range []object{all[0], all[len(all)-2]} {
		body, _, err := h.readObject(ctx, bucketProof, o.key)
		if err != nil {
			return nil, err
		}
		out = append(out, body)
	}
	return out, nil
}
