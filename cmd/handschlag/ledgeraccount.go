package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/host/aws"
)

// noKeys are the parts of an account for who only reads what lies open there.
var noKeys = []aws.Part{}

// withLedger opens an account for a command about its ledger.
func (w whose) withLedger(ctx context.Context, s streams, file string, parts []aws.Part, do func(*aws.Host) error) (err error) {
	cfg, _, err := loadConfig(file)
	if err != nil {
		return err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return err
	}
	o, err := w.options(ctx, cfg, clock, slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return err
	}
	o.Parts = parts
	h, err := aws.Open(ctx, o)
	if err != nil {
		return fmt.Errorf("opening the account: %w", err)
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return do(h)
}

// onAccount verifies an account's ledger, and compares it with its book.
func (c ledgerVerifyCmd) onAccount(ctx context.Context, s streams, witnessed [][]byte) error {
	if c.Dir != "" {
		return errors.New("--dir is a folder, --host aws an account: give one of them")
	}
	pinned := ""
	if c.Key != "" {
		var err error
		if pinned, err = c.key(); err != nil {
			return err
		}
	}
	return c.withLedger(ctx, s, c.Config, noKeys, func(h *aws.Host) error {
		if err := s.verifyAccount(ctx, h, pinned, witnessed); err != nil || !c.Trust {
			return err
		}
		if err := h.Trust(ctx); err != nil {
			return err
		}
		s.printf("consent is relied on again, by every function within half a minute\n")
		return nil
	})
}

// verifyAccount fetches a ledger and says what became of each of its leaves.
func (s streams) verifyAccount(ctx context.Context, h *aws.Host, pinned string, witnessed [][]byte) (err error) {
	tmp, err := os.MkdirTemp("", "handschlag-ledger-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	dir := filepath.Join(tmp, "ledger")
	key, r, err := h.VerifyLedger(ctx, dir)
	if err != nil {
		return err
	}
	if pinned != "" && pinned != key {
		return fmt.Errorf("the ledger is signed with %s, not with the key that was given", key)
	}
	if len(witnessed) > 0 {
		if r, err = ledger.Verify(os.DirFS(dir), key, witnessed...); err != nil {
			return fmt.Errorf("the ledger does not verify: %w", err)
		}
	}
	s.verified(r)
	a, err := ledger.Account(os.DirFS(dir), key, func(add func(ledger.Opening) error) error { return h.Openings(ctx, add) })
	if err != nil {
		return fmt.Errorf("the book does not fit the ledger: %w", err)
	}
	return s.accounted(a, r.Size)
}

// onAccount puts the tables of an account right, one or more of which were put back
// from a backup, and relies on consent again once all of it holds.
func (c ledgerRestoreCmd) onAccount(ctx context.Context, s streams) error {
	return c.withLedger(ctx, s, c.Config, nil, func(h *aws.Host) error {
		done, err := h.Restore(ctx)
		if err != nil {
			return interrupted(ctx, fmt.Errorf("no consent is relied on until this was run again: %w", err), "no consent is relied on until this was run again")
		}
		if done.Head {
			s.printf("the ledger's head was brought forward to its published checkpoint\n")
		}
		s.printf("replayed %d consent records, %d list entries and %d openings; erased %d subjects again\n", done.Records, done.Lists, done.Openings, done.Erasures)
		if err := s.verifyAccount(ctx, h, "", nil); err != nil {
			return fmt.Errorf("no consent is relied on: %w", err)
		}
		if err := h.Trust(ctx); err != nil {
			return err
		}
		s.printf("book and ledger agree: consent is relied on again, by every function within half a minute\n")
		return nil
	})
}
