package segment

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	signatureFile = manifestFile + ".sig"
	verifierFile  = "verifier" // beside the dated folders: the public key of the signatures
)

// signer is the key that manifests are signed with (EXP-08): derived from the
// night's own key, so that it is kept, checked and restored with it.
func (k *rowKeys) signer(tenant string) (signer note.Signer, public string, err error) {
	seed := mac(k.night, []byte("manifest signature\x00"+tenant))
	name := tenant + "/exports"
	public, err = note.NewEd25519VerifierKey(name, ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey))
	if err != nil {
		return nil, "", fmt.Errorf("making the key of the manifests: %w", err)
	}
	hash := strings.Split(public, "+")[1]
	private := "PRIVATE+KEY+" + name + "+" + hash + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, seed...))
	signer, err = note.NewSigner(private)
	if err != nil {
		return nil, "", fmt.Errorf("making the key of the manifests: %w", err)
	}
	return signer, public, nil
}

// signed is the text under the signature of a manifest of some kind.
func signed(schema, date string, manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return fmt.Sprintf("%s\n%s\n%s\n", schema, date, hex.EncodeToString(sum[:]))
}

// sign writes the manifest's signature into the run's folder, a C2SP note over its
// SHA-256, and the public key beside the dated folders.
func (n *night) sign(manifest []byte) error {
	if err := n.signText(n.runDir(), signed(manifestSchema, n.date, manifest)); err != nil {
		return err
	}
	_, public, err := n.keys.signer(n.snap.Tenant)
	if err != nil {
		return err
	}
	path := filepath.Join(n.in.Out, verifierFile)
	if was, err := os.ReadFile(path); err == nil && string(was) == public+"\n" {
		return nil
	}
	if err := replaceFile(path, []byte(public+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the key of the manifests: %w", err)
	}
	return nil
}

// signText writes the signature of a folder's manifest.
func (n *night) signText(dir, text string) error {
	s, _, err := n.keys.signer(n.snap.Tenant)
	if err != nil {
		return err
	}
	body, err := note.Sign(&note.Note{Text: text}, s)
	if err != nil {
		return fmt.Errorf("signing the manifest: %w", err)
	}
	if err := writeFile(filepath.Join(dir, signatureFile), body, 0o600); err != nil {
		return fmt.Errorf("signing the manifest: %w", err)
	}
	return nil
}

// ErrChanged means that a file of an export is not the one that the manifest names.
var ErrChanged = errDigest

// Verified is an export whose manifest and files are as they were signed.
type Verified struct {
	Manifest Manifest
	Signer   string
	Files    int      // that are there
	Gone     []string // files of rows that are not: never fetched, or removed by a later night when they had expired
	Inside   []string // that are not because they never leave the house
}

// Verify holds an export's folder to its signature: the manifest by the public key
// ("" takes the one beside the folder, which proves only that they agree), and each
// file by the manifest. A file more fails, and one that is missing, unless it held rows.
// A folder that bears a date must hold the night of that date; one that was pulled or
// copied may bear any other name.
func Verify(dir, public string) (Verified, error) {
	var v Verified
	if public == "" {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), verifierFile))
		if err != nil {
			return v, fmt.Errorf("reading the key of the manifests: %w", err)
		}
		public = string(b)
	}
	body, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return v, fmt.Errorf("reading the manifest: %w", err)
	}
	signature, err := os.ReadFile(filepath.Join(dir, signatureFile))
	if err != nil {
		return v, fmt.Errorf("reading the manifest's signature: %w", err)
	}
	date := filepath.Base(dir)
	if _, err := time.Parse(time.DateOnly, date); err != nil {
		date = ""
	}
	if v.Manifest, v.Signer, err = OpenManifest(date, body, signature, public); err != nil {
		return v, err
	}
	if err := v.holds(dir); err != nil {
		return v, err
	}
	return v, v.joined(filepath.Join(dir, crmFolder), public)
}

// OpenManifest reads a manifest and holds it to its signature by a public key. The
// date is the night's that is wanted; "" takes the manifest's own.
func OpenManifest(date string, body, signature []byte, public string) (m Manifest, signer string, err error) {
	text, signer, err := openText(signature, public)
	if err != nil {
		return m, "", err
	}
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&m); err != nil {
		return m, "", fmt.Errorf("reading the manifest: %w", err)
	}
	of := m.AsOf.Format(time.DateOnly)
	if date != "" && date != of {
		return m, "", fmt.Errorf("the manifest is of %s, not of %s", of, date)
	}
	if text != signed(manifestSchema, of, body) {
		return m, "", errSigned
	}
	return m, signer, nil
}

var errSigned = errors.New("the manifest is not the one that was signed")

// openText opens a signature by a public key.
func openText(signature []byte, public string) (text, signer string, err error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(public))
	if err != nil {
		return "", "", fmt.Errorf("reading the key of the manifests: %w", err)
	}
	opened, err := note.Open(signature, note.VerifierList(verifier))
	if err != nil {
		return "", "", fmt.Errorf("opening the manifest's signature: %w", err)
	}
	return opened.Text, verifier.Name(), nil
}

// joined holds the files of the CRM's folder to its own manifest, where there is one.
func (v *Verified) joined(dir, public string) error {
	body, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	signature, missing := os.ReadFile(filepath.Join(dir, signatureFile))
	if err = errors.Join(err, missing); err != nil {
		return fmt.Errorf("reading the CRM's manifest: %w", err)
	}
	text, _, err := openText(signature, public)
	if err != nil {
		return fmt.Errorf("the CRM's folder: %w", err)
	}
	if text != signed(joinedSchema, v.Manifest.AsOf.Format(time.DateOnly), body) {
		return fmt.Errorf("the CRM's folder: %w", errSigned)
	}
	var j Joined
	if err := json.Unmarshal(body, &j); err != nil {
		return fmt.Errorf("reading the CRM's manifest: %w", err)
	}
	for _, f := range j.Files {
		if _, sum, err := digestFile(filepath.Join(dir, filepath.Base(f.Name))); err != nil || sum != f.SHA256 {
			return fmt.Errorf("%s/%s is not what its manifest says: %w", crmFolder, f.Name, errors.Join(errDigest, err))
		}
		v.Files++
	}
	return nil
}

// holds checks every file of a folder against the manifest.
func (v *Verified) holds(dir string) error {
	named := map[string]bool{manifestFile: true, signatureFile: true, crmFolder: true}
	for _, f := range v.Manifest.Files {
		named[f.Name] = true
		_, sum, err := digestFile(filepath.Join(dir, filepath.Base(f.Name)))
		switch {
		case errors.Is(err, os.ErrNotExist) && f.Kind == deliveries:
			v.Inside = append(v.Inside, f.Name)
		case errors.Is(err, os.ErrNotExist) && f.holdsRows():
			v.Gone = append(v.Gone, f.Name)
		case err != nil || sum != f.SHA256:
			return fmt.Errorf("%s is not what the manifest says: %w", f.Name, errors.Join(errDigest, err))
		default:
			v.Files++
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("listing the export: %w", err)
	}
	for _, e := range entries {
		if !named[e.Name()] {
			return fmt.Errorf("the manifest does not name %s", e.Name())
		}
	}
	return nil
}
