package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/mod/sumdb/note"
)

// Leaf is one entry of the log.
type Leaf [sha256.Size]byte

// NewLeaf is SHA-256(salt ‖ canonical): it binds a record without telling it.
// Once record and salt are erased, nothing leads from the leaf to them.
func NewLeaf(salt [32]byte, canonical []byte) Leaf {
	return sha256.Sum256(append(salt[:], canonical...))
}

// Signer signs checkpoints; its name is their origin. NewSigner makes one of a
// private key. A host whose key never leaves a KMS fills in the struct.
type Signer struct {
	note.Signer
	Public string // the verifier key: name+hash+key
}

// GenerateKey makes an Ed25519 key pair for an origin (a name without spaces and
// '+', like "shop.example/consent"), in the text form of signed notes.
func GenerateKey(random io.Reader, origin string) (private, public string, err error) {
	if origin == "" || strings.Contains(origin, "+") || strings.ContainsFunc(origin, unicode.IsSpace) {
		return "", "", fmt.Errorf("making ledger key: origin %q has spaces or '+'", origin)
	}
	private, public, err = note.GenerateKey(random, origin)
	if err != nil {
		return "", "", fmt.Errorf("making ledger key: %w", err)
	}
	return private, public, nil
}

// Origin makes a tenant's name fit GenerateKey.
func Origin(tenant string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '+' {
			return '-'
		}
		return r
	}, tenant)
}

// NewSigner reads a private key that GenerateKey made.
func NewSigner(private string) (Signer, error) {
	s, err := note.NewSigner(private)
	if err != nil {
		return Signer{}, fmt.Errorf("reading ledger key: %w", err)
	}
	// NewSigner checked the form: the fifth field is the algorithm and the seed.
	fields := strings.SplitN(private, "+", 5)
	seed, err := base64.StdEncoding.DecodeString(fields[4])
	if err != nil {
		return Signer{}, fmt.Errorf("reading ledger key: %w", err)
	}
	key := ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey)
	public, err := note.NewEd25519VerifierKey(s.Name(), key)
	if err != nil {
		return Signer{}, fmt.Errorf("deriving the public ledger key: %w", err)
	}
	return Signer{Signer: s, Public: public}, nil
}
