package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/handschlag/handschlag/consent/ledger"
)

type ledgerCmd struct {
	Verify  ledgerVerifyCmd  `cmd:"" help:"Recompute everything from the files alone; any changed byte is found."`
	Head    ledgerHeadCmd    `cmd:"" help:"Print the signed checkpoint."`
	Book    ledgerBookCmd    `cmd:"" help:"Print what each leaf stands for, one JSON object per line: handschlag-verify folder --book reads it. It holds pseudonyms."`
	Restore ledgerRestoreCmd `cmd:"" help:"After putting a backup of DATA/state, or of a table, back: redo the withdrawals, objections and erasures since."`
}

// folder finds a ledger: in a data folder, or by itself.
type folder struct {
	Data string `default:"data" help:"Data folder." env:"HANDSCHLAG_DATA"`
	Dir  string `help:"Ledger folder, if it is not in a data folder."`
	Key  string `help:"Public key, or a file that holds it; default: the file verifier in the ledger folder."`
}

func (f folder) dir() string {
	if f.Dir != "" {
		return f.Dir
	}
	return filepath.Join(f.Data, "ledger")
}

// key reads the public key. A key that lies beside the ledger proves only that
// the folder agrees with itself.
func (f folder) key() (string, error) {
	path := f.Key
	if path == "" {
		path = filepath.Join(f.dir(), "verifier")
	} else if _, err := os.Stat(path); err != nil && strings.Contains(path, "+") {
		return path, nil
	}
	b, err := os.ReadFile(path)
	if f.Key == "" && errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("there is no ledger in %s: %s is missing", f.dir(), path)
	}
	if err != nil {
		return "", fmt.Errorf("reading the ledger's public key: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

type ledgerVerifyCmd struct {
	folder
	whose
	Witness []string `help:"File with an earlier checkpoint: the ledger must begin with all that it covers."`
	Config  string   `help:"handschlag.yaml; the commented default if none." env:"HANDSCHLAG_CONFIG"`
	Trust   bool     `help:"If all of it holds, rely on consent again after it was found broken (OPS-06)."`
}

// Run verifies a ledger. One in a data folder is compared with the book too: what
// became of the record behind each leaf.
func (c ledgerVerifyCmd) Run(ctx context.Context, s streams) error {
	witnessed, err := c.witnessed()
	if err != nil {
		return err
	}
	if c.Host == "aws" {
		return c.onAccount(ctx, s, witnessed)
	}
	key, err := c.key()
	if err != nil {
		return err
	}
	r, err := ledger.Verify(os.DirFS(c.dir()), key, witnessed...)
	if err != nil {
		return fmt.Errorf("the ledger does not verify: %w", err)
	}
	s.verified(r)
	if c.Dir != "" { // a ledger by itself has no book
		return nil
	}
	return c.book(ctx, s, key, r.Size)
}

// witnessed reads earlier checkpoints.
func (c ledgerVerifyCmd) witnessed() (out [][]byte, err error) {
	for _, path := range c.Witness {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("reading witness: %w", err)
		}
		out = append(out, b)
	}
	return out, nil
}

// verified says what was found sound.
func (s streams) verified(r ledger.Report) {
	s.printf("%s: %s verified in %s, root %s\n", r.Origin, counted(r.Size, "leaf", "leaves"), counted(r.Files, "file", "files"), r.Root)
	if r.Unsealed > 0 {
		s.printf("%s\n", counted(r.Unsealed, "newer leaf is not sealed yet: the next checkpoint covers it", "newer leaves are not sealed yet: the next checkpoint covers them"))
	}
}

// counted is a number with what it counts, one or many.
func counted[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// accounted says what became of the leaves, which may be more than were verified; a
// missing one is an error.
func (s streams) accounted(a ledger.Accounts, verified int64) error {
	if newer := a.Leaves - verified; newer > 0 {
		s.printf("%s\n", counted(newer, "newer leaf was sealed meanwhile: the same command verifies it too", "newer leaves were sealed meanwhile: the same command verifies them too"))
	}
	s.printf("%d of %s open, %d erased, %d sealed, %d missing\n", a.Open, counted(a.Leaves, "leaf is", "leaves are"), a.Erased, a.Sealed, a.Missing)
	if a.Missing > 0 {
		return fmt.Errorf("%d leaves are missing from the book, the first is %d", a.Missing, a.FirstMissing)
	}
	return nil
}

// book says what became of the records behind the leaves; a leaf that nobody
// accounts for is a fault.
func (c ledgerVerifyCmd) book(ctx context.Context, s streams, key string, verified int64) error {
	p := place{Data: c.Data, Config: c.Config}
	a, err := p.account(ctx, s, c.dir(), key)
	if err != nil {
		return fmt.Errorf("the book does not fit the ledger: %w", err)
	}
	if err := s.accounted(a, verified); err != nil {
		return err
	}
	if !c.Trust {
		return nil
	}
	return p.within(ctx, s, func(r *reached) error { return r.call(ctx, "POST", "/admin/trust", trustCall{}, &struct{}{}) })
}

type ledgerHeadCmd struct{ folder }

// Run prints the checkpoint as it is signed: a C2SP note.
func (c ledgerHeadCmd) Run(s streams) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(c.dir(), "checkpoint"))
	if err != nil {
		return fmt.Errorf("reading the checkpoint: %w", err)
	}
	if _, err := ledger.OpenCheckpoint(key, b); err != nil {
		return fmt.Errorf("the checkpoint does not verify: %w", err)
	}
	s.printf("%s", b)
	return nil
}
