package local

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// format is what the file DATA/format says about the folder.
type format struct {
	Format int    `json:"format"`
	Tenant string `json:"tenant"`
	Writer string `json:"writer"` // of decision records: random, once per folder
}

const formatNumber = 1

// openFormat checks whose folder this is; made is false for a new one. The file
// is written last at first start: while it is missing nothing was acknowledged.
func openFormat(d *disk, tenant string) (f format, made bool, err error) {
	b, err := d.read(d.path("format"))
	if errors.Is(err, fs.ErrNotExist) {
		return format{Format: formatNumber, Tenant: tenant}, false, nil
	} else if err != nil {
		return f, false, fmt.Errorf("reading format: %w", err)
	}
	if err := json.Unmarshal(b, &f); err != nil {
		return f, false, fmt.Errorf("damaged file %s at offset 0: %w", d.path("format"), err)
	}
	if f.Format != formatNumber {
		return f, false, fmt.Errorf("%s was written in format %d, this version reads format %d", d.dir, f.Format, formatNumber)
	}
	if f.Tenant != tenant {
		return f, false, fmt.Errorf("%s belongs to tenant %q, not to %q", d.dir, f.Tenant, tenant)
	}
	return f, true, nil
}

// secrets are the tenant's keys, in DATA/keys.
type secrets struct {
	flow.Keys
	subjects []byte          // of the id map
	ids      *consent.Finder // under it
	signer   ledger.Signer
}

// openSecrets reads the keys. Only a new folder gets new ones: with other keys
// nobody in the map would be found again.
func openSecrets(d *disk, tenant string, made bool) (*secrets, error) {
	if err := d.folder(d.path("keys")); err != nil {
		return nil, fmt.Errorf("making keys folder: %w", err)
	}
	k := &secrets{}
	for name, key := range map[string]*[]byte{"token": &k.Token, "draw": &k.Draw, "digest": &k.Digest, "subjects": &k.subjects} {
		var err error
		if *key, err = openKey(d, name, made); err != nil {
			return nil, err
		}
	}
	private, err := openText(d, "ledger", made, func() (string, error) {
		private, _, err := ledger.GenerateKey(rand.Reader, "handschlag/"+ledger.Origin(tenant))
		return private, err
	})
	if err != nil {
		return nil, err
	}
	if k.signer, err = ledger.NewSigner(private); err != nil {
		return nil, fmt.Errorf("damaged file %s: %w", d.path("keys", "ledger"), err)
	}
	k.ids = consent.NewFinder(k.subjects, tenant)
	return k, nil
}

func openKey(d *disk, name string, made bool) ([]byte, error) {
	text, err := openText(d, name, made, func() (string, error) {
		key := make([]byte, 32)
		_, err := rand.Read(key)
		return hex.EncodeToString(key), err
	})
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("damaged file %s at offset 0: not 64 hex digits", d.path("keys", name))
	}
	return key, nil
}

func openText(d *disk, name string, made bool, make func() (string, error)) (string, error) {
	b, err := d.read(d.path("keys", name))
	if err == nil {
		return strings.TrimSuffix(string(b), "\n"), nil
	}
	if !errors.Is(err, fs.ErrNotExist) || made {
		return "", fmt.Errorf("reading key %s: %w", name, err)
	}
	text, err := make()
	if err != nil {
		return "", fmt.Errorf("making key %s: %w", name, err)
	}
	if err := d.replaceBytes(d.path("keys", name), true, []byte(text+"\n")); err != nil {
		return "", fmt.Errorf("writing key %s: %w", name, err)
	}
	return text, nil
}

// random is a new name of 32 hex digits.
func random() (string, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("making a random name: %w", err)
	}
	return hex.EncodeToString(b), nil
}
