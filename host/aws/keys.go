package aws

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// secrets are the tenant's keys, each wrapped by a key in KMS in the secret table.
// What it was wrapped for, tenant and name, is what it can be unwrapped for alone.
type secrets struct {
	flow.Keys
	subjects []byte          // of the identity map and of sealed proofs; nil without PartIdentity
	ids      *consent.Finder // under it
	signer   *ledger.Signer  // nil without PartLedger
}

// secret is one key: who wraps it, how it is made, where it goes.
type secret struct {
	name, alias string
	make        func() ([]byte, error)
	take        func([]byte) error
}

// Keys gives the secrets that draws, tokens and digests are keyed with.
func (h *Host) Keys() flow.Keys { return h.keys.Keys }

// openSecrets reads the keys in one call and unwraps them side by side. Who opens with
// PartLedger makes those that nobody made yet: of two who do so at once, both get the
// first one's. Everybody else needs them to be there.
func (h *Host) openSecrets(ctx context.Context) (*secrets, error) {
	k := &secrets{}
	all := h.wanted(k)
	stored, err := h.storedSecrets(ctx, all)
	if err == nil && !h.has(PartLedger) {
		err = h.missing(all, stored)
	} else if err == nil && h.missing(all, stored) != nil {
		err = h.unbegun(ctx, all, stored)
	}
	if err != nil {
		return nil, err
	}
	err = each(ctx, len(all), len(all), func(ctx context.Context, i int) error {
		plain, err := h.openSecret(ctx, all[i], stored[all[i].name])
		if err == nil {
			err = all[i].take(plain)
		}
		if err != nil {
			return fmt.Errorf("opening key %s: %w", all[i].name, err)
		}
		return nil
	})
	if k.subjects != nil {
		k.ids = consent.NewFinder(k.subjects, h.opts.Tenant)
	}
	return k, err
}

// wanted lists the keys that the caller's role reaches.
func (h *Host) wanted(k *secrets) []secret {
	into := func(key *[]byte) func([]byte) error {
		return func(plain []byte) error {
			if *key = plain; len(plain) != sha256.Size {
				return errors.New("it is not 32 bytes long")
			}
			return nil
		}
	}
	all := []secret{
		{"token", keyMain, newKey, into(&k.Token)}, {"draw", keyMain, newKey, into(&k.Draw)}, {"digest", keyMain, newKey, into(&k.Digest)},
	}
	if h.has(PartIdentity) {
		all = append(all, secret{"subjects", keyIdentity, newKey, into(&k.subjects)})
	}
	if h.has(PartLedger) {
		newSigner := func() ([]byte, error) {
			private, _, err := ledger.GenerateKey(rand.Reader, "handschlag/"+ledger.Origin(h.opts.Tenant))
			return []byte(private), err
		}
		all = append(all, secret{"ledger", keyMain, newSigner, func(plain []byte) error {
			s, err := ledger.NewSigner(string(plain))
			k.signer = &s
			return err
		}})
	}
	return all
}

func newKey() ([]byte, error) {
	key := make([]byte, sha256.Size)
	_, err := rand.Read(key)
	return key, err
}

// storedSecrets reads wrapped keys by name; one that is not there yet is missing.
func (h *Host) storedSecrets(ctx context.Context, all []secret) (map[string][]byte, error) {
	keys := make([]item, len(all))
	for i, s := range all {
		keys[i] = item{"name": str(s.name)}
	}
	out := map[string][]byte{}
	err := h.getAll(ctx, tableSecret, keys, func(i item) { out[strOf(i, "name")] = binOf(i, "w") })
	return out, err
}

// ErrNoKeys says that the tenant's keys are not made yet. It goes by: whoever opens
// later finds them.
var ErrNoKeys = errors.New("nobody made the tenant's keys yet; the consent function makes them when it first starts, " +
	"which is within a minute after terraform apply, or with the first consent")

// missing names the keys that are not there.
func (h *Host) missing(all []secret, stored map[string][]byte) error {
	var names []string
	for _, s := range all {
		if stored[s.name] == nil {
			names = append(names, s.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("table %s has no key %s: %w", *h.table(tableSecret), strings.Join(names, ", "), ErrNoKeys)
}

// unbegun is nil as long as there is no ledger. Later a key that is not there was
// lost: under a new one nobody would be found who is in the identity map, no objection
// and no grave.
func (h *Host) unbegun(ctx context.Context, all []secret, stored map[string][]byte) error {
	switch _, err := (ledgerStore{h: h}).Read(ctx, ledgerVerifier); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking whether keys may be made: %w", err)
	}
	lost := h.missing(all, stored)
	return fmt.Errorf("%s; but the ledger was begun: the keys were lost, and no new ones are made. Put the table back from a backup",
		strings.TrimSuffix(lost.Error(), ": "+ErrNoKeys.Error()))
}

// openSecret unwraps a key, or makes it.
func (h *Host) openSecret(ctx context.Context, s secret, wrapped []byte) ([]byte, error) {
	if wrapped != nil {
		return h.unwrap(ctx, s, wrapped)
	}
	plain, err := s.make()
	if err != nil {
		return nil, err
	}
	wrapped, err = h.wrap(ctx, s, plain)
	if err != nil {
		return nil, err
	}
	first := "attribute_not_exists(w)"
	_, err = h.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: h.table(tableSecret), Item: item{"name": str(s.name), "w": bin(wrapped)}, ConditionExpression: &first,
	})
	var taken *types.ConditionalCheckFailedException
	if !errors.As(err, &taken) {
		return plain, h.fault("dynamodb:PutItem", "table "+*h.table(tableSecret), err)
	}
	stored, err := h.storedSecrets(ctx, []secret{s})
	if err != nil {
		return nil, err
	}
	return h.unwrap(ctx, s, stored[s.name])
}

func (h *Host) wrap(ctx context.Context, s secret, plain []byte) ([]byte, error) {
	out, err := h.kms.Encrypt(ctx, &kms.EncryptInput{KeyId: h.alias(s.alias), Plaintext: plain, EncryptionContext: h.wrappedFor(s)})
	if err != nil {
		return nil, h.fault("kms:Encrypt", *h.alias(s.alias), err)
	}
	return out.CiphertextBlob, nil
}

func (h *Host) unwrap(ctx context.Context, s secret, wrapped []byte) ([]byte, error) {
	out, err := h.kms.Decrypt(ctx, &kms.DecryptInput{KeyId: h.alias(s.alias), CiphertextBlob: wrapped, EncryptionContext: h.wrappedFor(s)})
	if err != nil {
		return nil, h.fault("kms:Decrypt", *h.alias(s.alias), err)
	}
	return out.Plaintext, nil
}

func (h *Host) wrappedFor(s secret) map[string]string {
	return map[string]string{"tenant": h.opts.Tenant, "secret": s.name}
}

// derive is a keyed hash for a use of its own.
func derive(key []byte, use string, of []byte) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write(append(append([]byte(use), 0), of...)) // a hash takes everything
	return m.Sum(nil)
}

// randomName is a new name of 32 hex digits.
func randomName() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
