package api

import (
	"crypto/sha256"
	"crypto/subtle"
)

// secret is the digest of a key or token. Comparing digests takes the same time
// whatever was sent, and tells nothing about lengths.
type secret [sha256.Size]byte

func newSecret(s string) secret { return sha256.Sum256([]byte(s)) }

// is reports whether given is the secret. The zero secret is nobody's.
func (s secret) is(given string) bool { return given != "" && s.equals(newSecret(given)) }

// equals compares in the same time whatever is compared.
func (s secret) equals(d secret) bool {
	return s != (secret{}) && subtle.ConstantTimeCompare(s[:], d[:]) == 1
}
