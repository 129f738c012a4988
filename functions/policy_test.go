//go:build awslocal

package functions_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/policy"
)

// signer signs policy bundles for the default shop.
type signer struct{ private, public []byte }

func newSigner(t testing.TB) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := x509.MarshalPKCS8PrivateKey(key)
	public, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	return signer{
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	}
}

func (k signer) env() string { return "HANDSCHLAG_POLICY_KEY=" + string(k.public) }

// bundle is the program's own rules under a higher revision.
func (k signer) bundle(t testing.TB, revision int64) []byte {
	t.Helper()
	cfg := config.Default()
	b, err := policy.NewBundle(nil, cfg.Tenant, revision, cfg.PolicySettings(), policy.Release{EffectiveAt: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Sign(k.private, k.public)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// install puts a bundle onto the account's shelf.
func (s *shop) install(k signer, revision int64) {
	s.t.Helper()
	if err := aws.OpenShelf(s.options).Put(s.t.Context(), revision, k.bundle(s.t, revision), k.public); err != nil {
		s.t.Fatal(err)
	}
}

func TestAShelfNeverGoesBackAndKeepsWhatItHolds(t *testing.T) {
	s := &shop{t: t, ground: ground(t), said: &said{}}
	s.options = s.ground.Fresh(t)
	k, shelf := newSigner(t), aws.OpenShelf(s.options)
	n := policy.Revision() + 1
	if kept, err := shelf.Bundles(t.Context()); err != nil || len(kept) != 0 {
		t.Fatalf("a new shelf holds %v, %v", kept, err)
	}
	s.install(k, n)
	s.install(k, n+2)
	for _, old := range []int64{n, n + 1, n + 2} {
		if err := shelf.Put(t.Context(), old, k.bundle(t, old), k.public); err == nil || !strings.Contains(err.Error(), "never goes back") {
			t.Errorf("revision %d was taken after %d: %v", old, n+2, err)
		}
	}
	kept, err := shelf.Bundles(t.Context())
	if err != nil || len(kept) != 2 || kept[0] != n+2 || kept[1] != n {
		t.Errorf("want %d and %d, got %v %v", n+2, n, kept, err)
	}
	raw, err := shelf.Bundle(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := policy.OpenBundle(raw, k.public, config.Default().Tenant); err != nil || b.Revision != n {
		t.Errorf("what is kept does not verify: %v", err)
	}
	if key, err := shelf.Key(t.Context()); err != nil || string(key) != string(k.public) {
		t.Errorf("the key that was pinned is another: %v", err)
	}
}

// Two who install at once do not both win.
func TestOfTwoInstallationsAtOnceOneIsTold(t *testing.T) {
	s := &shop{t: t, ground: ground(t), said: &said{}}
	s.options = s.ground.Fresh(t)
	k := newSigner(t)
	n := policy.Revision() + 1
	a, b := k.bundle(t, n), k.bundle(t, n+1)
	errs := make(chan error, 2)
	go func() { errs <- aws.OpenShelf(s.options).Put(t.Context(), n, a, k.public) }()
	go func() { errs <- aws.OpenShelf(s.options).Put(t.Context(), n+1, b, k.public) }()
	first, second := <-errs, <-errs
	kept, err := aws.OpenShelf(s.options).Bundles(t.Context())
	if err != nil || len(kept) == 0 {
		t.Fatal(kept, err)
	}
	switch wins := 2 - len(kept); {
	case wins == 0 && (first != nil || second != nil), wins == 1 && (first == nil) == (second == nil):
		t.Errorf("kept %v, but said %v and %v", kept, first, second)
	}
}
