package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/handschlag/handschlag/consent/ledger"
)

type ledgerCmd struct {
	Verify ledgerVerifyCmd `cmd:"" help:"Recompute everything from the files alone; any changed byte is found."`
	Head   ledgerHeadCmd   `cmd:"" help:"Print the signed checkpoint."`
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
	Witness []string `help:"File with an earlier checkpoint: the ledger must begin with all that it covers."`
}

// Run verifies a ledger; it needs no server and changes nothing.
func (c ledgerVerifyCmd) Run(s streams) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	var witnessed [][]byte
	for _, path := range c.Witness {
		b, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("reading witness: %w", err)
		}
		witnessed = append(witnessed, b)
	}
	r, err := ledger.Verify(os.DirFS(c.dir()), key, witnessed...)
	if err != nil {
		return fmt.Errorf("the ledger does not verify: %w", err)
	}
	s.printf("%s: %d leaves verified in %d files, root %s\n", r.Origin, r.Size, r.Files, r.Root)
	if r.Unsealed > 0 {
		s.printf("%d more leaves wait for the next checkpoint\n", r.Unsealed)
	}
	return nil
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
