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
	if key, err = n.h.Verifier(ctx); err != nil {
		return "", fmt.Errorf("reading the ledger's public key: %w", err)
	}
	witnessed, err := n.h.witnesses(ctx)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(n.dir, "ledger")
	for range 5 {
		if err := n.fetchLedger(ctx, dir); errors.Is(err, errChanged) { // it grew under the listing
			continue
		} else if err != nil {
			return "", fmt.Errorf("fetching the ledger: %w", err)
		}
		if _, err = ledger.Verify(os.DirFS(dir), key, witnessed...); err == nil {
			return key, nil
		}
		if grew, e := n.ledgerGrew(ctx, dir); e != nil {
			return "", e
		} else if !grew {
			err = fmt.Errorf("the ledger does not verify: %w", err)
			return "", errors.Join(err, n.h.Distrust(ctx, oneLine(err)))
		}
	}
	return key, fmt.Errorf("%w: it grew each time while it was fetched", ledger.ErrChanging)
}

// fetchLedger brings the ledger, as it is published, into a folder.
func (n *Night) fetchLedger(ctx context.Context, dir string) error {
	head, err := ledgerStore{h: n.h}.Read(ctx, ledgerHead)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the account has no consent ledger yet: the consent function begins it")
	}
	if err != nil {
		return err
	}
	all, err := n.h.objects(ctx, bucketLedger, "")
	if err != nil {
		return err
	}
	want := map[string]object{}
	for _, o := range all {
		want[o.key] = o
	}
	if err := removeIfThere(filepath.Join(dir, ledgerHead)); err != nil {
		return err
	}
	if err := n.h.mirror(ctx, bucketLedger, want, dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ledgerHead), head, 0o600)
}

// ledgerGrew reports that head or checkpoint are not what was fetched.
func (n *Night) ledgerGrew(ctx context.Context, dir string) (bool, error) {
	for _, name := range []string{ledgerHead, ledgerCheckpoint} {
		is, err := ledgerStore{h: n.h}.Read(ctx, name)
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
