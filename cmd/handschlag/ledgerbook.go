package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/local"
	"github.com/handschlag/handschlag/host/snapshot"
)

// ledgerRoutes are what the ledger's commands and the night ask the shop for.
func (sh *shop) ledgerRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/openings", sh.openings)
	mux.HandleFunc("POST /admin/trust", sh.admin(sh.trust))
	mux.HandleFunc("POST /admin/seal", sh.admin(sh.seal))
	mux.HandleFunc("GET /admin/chain", sh.admin(func(r *http.Request) (any, error) { return sh.host.VerifyDecisions(r.Context()) }))
	mux.HandleFunc("POST /admin/proofs", sh.proofs)
}

// openings writes what the ledger's leaves stand for, a line each.
func (sh *shop) openings(w http.ResponseWriter, r *http.Request) {
	enc := json.NewEncoder(w)
	if err := sh.host.Openings(r.Context(), func(o ledger.Opening) error { return enc.Encode(o) }); err != nil {
		sh.log.Error("listing the ledger's openings", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// trustCall says whether the ledger holds.
type trustCall struct {
	Broken string `json:"broken,omitempty"` // why it does not; empty: it does
}

// trust ends or begins relying on consent (OPS-06).
func (sh *shop) trust(r *http.Request) (any, error) {
	var in trustCall
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, fmt.Errorf("reading the call: %w", err)
	}
	if in.Broken != "" {
		return struct{}{}, sh.host.Distrust(in.Broken)
	}
	return struct{}{}, sh.host.Trust()
}

// sealAnswer is what a night puts into the ledger, and finds in the book.
type sealAnswer struct {
	Chain snapshot.ChainReport `json:"chain"`
	Book  snapshot.BookHash    `json:"book"`
}

// seal replays the book, walks the decision chain and seals its head (L12, OPS-01).
// A book that does not replay is one that nobody may rely on.
func (sh *shop) seal(r *http.Request) (any, error) {
	var out sealAnswer
	var err error
	if out.Book, err = sh.host.ReplayBook(r.Context()); err != nil {
		if r.Context().Err() == nil {
			err = errors.Join(err, sh.host.Distrust(oneLine(err)))
		}
		return nil, err
	}
	if out.Chain, err = sh.host.VerifyDecisions(r.Context()); err != nil {
		return nil, err
	}
	if out.Chain.Broken > 0 {
		return out, nil // nobody seals a chain that is broken
	}
	err = sh.host.SealDecisions(r.Context())
	for _, c := range out.Chain.Chains {
		out.Chain.Sealed = c.N
	}
	return out, err
}

type ledgerBookCmd struct {
	place
	whose
}

// Run prints the openings: what "handschlag-verify folder -book" reads.
func (c ledgerBookCmd) Run(ctx context.Context, s streams) error {
	if c.Host == "aws" {
		return c.withLedger(ctx, s, c.Config, noKeys, func(h *aws.Host) error {
			return h.Openings(ctx, func(o ledger.Opening) error { return json.NewEncoder(s.out).Encode(o) })
		})
	}
	return c.within(ctx, s, func(r *reached) error { return r.copy(ctx, "/admin/openings", s.out) })
}

// account compares the ledger with the book of its data folder.
func (p place) account(ctx context.Context, s streams, dir, key string) (ledger.Accounts, error) {
	var out ledger.Accounts
	err := p.within(ctx, s, func(r *reached) error {
		res, err := r.request(ctx, "GET", "/admin/openings", "", nil)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		out, err = ledger.Account(os.DirFS(dir), key, func(add func(ledger.Opening) error) error { return ledger.ReadOpenings(res.Body, add) })
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = broken(err)
		}
		return err
	})
	return out, err
}

type ledgerRestoreCmd struct {
	place
	whose
}

// Run opens a folder whose state store was put back from a backup, has it take in
// what the book's journal and the ledger know since, and says what that was.
func (c ledgerRestoreCmd) Run(ctx context.Context, s streams) error {
	if c.Host == "aws" {
		return c.onAccount(ctx, s)
	}
	if info, err := os.Stat(filepath.Join(c.Data, "log", "book")); err != nil || !info.IsDir() {
		return fmt.Errorf("%s has no journal of the book: nothing can be restored from it", c.Data)
	}
	cfg, _, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
	h, err := local.Open(ctx, c.Data, local.Options{Clock: clock.Now, Tenant: cfg.Tenant, Log: log, Restored: true})
	if err != nil {
		return err
	}
	done, trouble := h.Restored(), h.Ready(ctx)
	if err := errors.Join(trouble, h.Close()); err != nil {
		return fmt.Errorf("the book is still behind the ledger, no consent is relied on: %w", err)
	}
	s.printf("replayed %d consent records, %d list entries, %d erasures\n", done.Records, done.Lists, done.Erasures)
	s.printf("book and ledger agree; next: handschlag ledger verify --data %s\n", c.Data)
	return nil
}
