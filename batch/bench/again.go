package bench

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// again names the folder with the second reading of consent of the night over a snapshot.
func again(snapshot string) string { return snapshot + "-again" }

// keyFile holds the public key that the shop's checkpoints are signed with.
const keyFile = "ledger.pub"

// Fresh gives a night over a snapshot of dir what hosts give it: consent read once more, in
// which some have decided meanwhile. A shop without a second reading has none: nil.
func Fresh(dir, snapshot string) func(ctx context.Context, to string) (exportsOff bool, err error) {
	from := filepath.Join(dir, again(snapshot))
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return func(_ context.Context, to string) (bool, error) {
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			return false, fmt.Errorf("reading consent again: %w", err)
		}
		return false, nil
	}
}

// LedgerKey is the key that verifies the checkpoints of the shop in dir; "" if they are not signed.
func LedgerKey(dir string) (string, error) {
	key, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the shop: %w", err)
	}
	return string(key), nil
}

// ledgerName is the origin of the checkpoints.
const ledgerName = "bench"

// checkpoint signs that the ledger has so many leaves, by a key that the seed gives. Nothing
// but these lines is signed: there are no leaves.
func (s *shop) checkpoint(size int) (signed, public string, err error) {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], s.Seed)
	secret := sha256.Sum256(append([]byte("ledger of handschlag bench"), seed[:]...))
	key := ed25519.NewKeyFromSeed(secret[:])
	if public, err = note.NewEd25519VerifierKey(ledgerName, key.Public().(ed25519.PublicKey)); err != nil {
		return "", "", fmt.Errorf("signing the checkpoint: %w", err)
	}
	hash := public[len(ledgerName)+1:][:8] // name+hash+key
	signer, err := note.NewSigner("PRIVATE+KEY+" + ledgerName + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, secret[:]...)))
	if err != nil {
		return "", "", fmt.Errorf("signing the checkpoint: %w", err)
	}
	root := tlog.Hash(sha256.Sum256([]byte(strconv.Itoa(size))))
	text, err := note.Sign(&note.Note{Text: fmt.Sprintf("%s\n%d\n%s\n", ledgerName, size, root)}, signer)
	if err != nil {
		return "", "", fmt.Errorf("signing the checkpoint: %w", err)
	}
	return string(text), public, nil
}
