package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
)

// OPS-02: a policy changes only by a signed bundle that says why, by whom it was
// judged and by whom approved. The format is OPA's own, so that any tool of OPA
// reads it; what OPA does not ask for, we do.

//go:embed revision
var revisionFile string

// Revision is the number of the rules that this program carries. A bundle's is higher.
func Revision() int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(revisionFile), 10, 64)
	if err != nil {
		panic("policy/revision is no number")
	}
	return n
}

// signedBy is the algorithm of all bundles: ECDSA on P-256.
const signedBy = "ES256"

// maxBundle is the size above which a file in a bundle is refused.
const maxBundle = 4 << 20

// Bundle is a policy outside of the program: rules with their tests, the settings
// that they were judged with, and the act that made them law in the shop. One that
// OpenBundle gave is signed by the key asked for and for the tenant asked for.
type Bundle struct {
	Revision int64
	Tenant   string
	KeyID    string
	Release  Release
	Digest   string            // of the file
	text     map[string]string // rules and tests by file name
	settings json.RawMessage
}

// meta is what a bundle says about itself in its manifest.
type meta struct {
	Tenant         string  `json:"tenant"`
	Revision       int64   `json:"revision"`
	SettingsSHA256 string  `json:"settings_sha256"`
	KeyID          string  `json:"key_id"`
	Release        Release `json:"release"`
}

// KeyID names a public key: it is a digest of it.
func KeyID(public []byte) (string, error) {
	block, _ := pem.Decode(public)
	if block == nil || block.Type != "PUBLIC KEY" {
		return "", errors.New("reading the public key: want a PEM block PUBLIC KEY")
	}
	if _, err := x509.ParsePKIXPublicKey(block.Bytes); err != nil {
		return "", fmt.Errorf("reading the public key: %w", err)
	}
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:8]), nil
}

// NewBundle takes the .rego files of a folder laid out as this one, tests
// included, over the program's own, for a shop with the given settings. A nil
// folder means the program's rules as they are.
func NewBundle(folder fs.FS, tenant string, revision int64, s Settings, r Release) (*Bundle, error) {
	text, err := textsOf(regoWithTests)
	if err != nil {
		return nil, err
	}
	if folder != nil {
		own, err := textsOf(folder)
		if err != nil {
			return nil, err
		}
		if len(own) == 0 {
			return nil, errors.New("the folder holds no PACKAGE/PACKAGE.rego")
		}
		maps.Copy(text, own)
	}
	settings, err := json.Marshal(s.orDefault())
	if err != nil {
		return nil, fmt.Errorf("writing settings: %w", err)
	}
	return &Bundle{Revision: revision, Tenant: tenant, Release: r, text: text, settings: settings}, nil
}

// Sign gives the bundle as a file. The keys are PEM; public belongs to private.
func (b *Bundle) Sign(private, public []byte) ([]byte, error) {
	id, err := KeyID(public)
	if err != nil {
		return nil, err
	}
	b.KeyID = id
	o, err := b.packed()
	if err != nil {
		return nil, err
	}
	if err := o.GenerateSignature(bundle.NewSigningConfig(string(private), signedBy, ""), id, false); err != nil {
		return nil, fmt.Errorf("signing the bundle: %w", err)
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).DisableFormat(true).Write(*o); err != nil {
		return nil, fmt.Errorf("writing the bundle: %w", err)
	}
	return out.Bytes(), nil
}

// packed is the bundle in OPA's form.
func (b *Bundle) packed() (*bundle.Bundle, error) {
	var settings any
	if err := json.Unmarshal(b.settings, &settings); err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	metadata, err := asMap(meta{Tenant: b.Tenant, Revision: b.Revision, SettingsSHA256: digest(b.settings), KeyID: b.KeyID, Release: b.Release})
	if err != nil {
		return nil, err
	}
	o := &bundle.Bundle{Data: map[string]any{"settings": settings}}
	roots := []string{"settings"}
	for _, name := range sortedKeys(b.text) {
		m, err := ast.ParseModuleWithOpts(name, b.text[name], ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		o.Modules = append(o.Modules, bundle.ModuleFile{URL: "/" + name, Path: "/" + name, RelativePath: "/" + name, Raw: []byte(b.text[name]), Parsed: m})
		roots = append(roots, strings.TrimSuffix(path.Base(name), ".rego"))
	}
	o.Manifest = bundle.Manifest{Revision: strconv.FormatInt(b.Revision, 10), Roots: &roots, Metadata: map[string]any{"handschlag": metadata}}
	o.Manifest.SetRegoVersion(ast.RegoV1)
	return o, nil
}

// asMap gives a value as JSON objects, which is what OPA signs.
func asMap(v any) (map[string]any, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing the manifest: %w", err)
	}
	var out map[string]any
	return out, json.Unmarshal(b, &out)
}

// OpenBundle reads a bundle that the key's owner signed for the tenant. Anything
// else is an error: unsigned, signed by another, altered, with a file too many or
// too few, or made for somebody else.
func OpenBundle(raw, public []byte, tenant string) (*Bundle, error) {
	id, err := KeyID(public)
	if err != nil {
		return nil, err
	}
	if err := onlyOurFiles(raw); err != nil {
		return nil, err
	}
	keys := map[string]*bundle.KeyConfig{id: {Key: string(public), Algorithm: signedBy}}
	o, err := bundle.NewReader(bytes.NewReader(raw)).WithBundleVerificationConfig(bundle.NewVerificationConfig(keys, id, "", nil)).
		WithProcessAnnotations(true).WithRegoVersion(ast.RegoV1).WithSizeLimitBytes(maxBundle).Read()
	if err != nil {
		return nil, fmt.Errorf("verifying the bundle: %w", err)
	}
	if err := namesItsKey(o.Signatures, id); err != nil {
		return nil, err
	}
	b, err := unpacked(&o)
	if err != nil {
		return nil, err
	}
	if b.Digest = digest(raw); b.KeyID != id {
		return nil, fmt.Errorf("the bundle was released under key %q, not %s", b.KeyID, id)
	}
	if b.Tenant != tenant {
		return nil, fmt.Errorf("the bundle is for tenant %q, not %q", b.Tenant, tenant)
	}
	return b, nil
}

func unpacked(o *bundle.Bundle) (*Bundle, error) {
	raw, err := json.Marshal(o.Manifest.Metadata["handschlag"])
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	var m meta
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	if m.Revision < 1 || o.Manifest.Revision != strconv.FormatInt(m.Revision, 10) {
		return nil, fmt.Errorf("the manifest names revisions %q and %d", o.Manifest.Revision, m.Revision)
	}
	settings, err := settingsOf(o.Data)
	if err != nil {
		return nil, err
	}
	if digest(settings) != m.SettingsSHA256 {
		return nil, errors.New("the bundle's settings are not those of its manifest")
	}
	b := &Bundle{Revision: m.Revision, Tenant: m.Tenant, KeyID: m.KeyID, Release: m.Release, text: map[string]string{}, settings: settings}
	for _, f := range o.Modules {
		b.text[strings.TrimPrefix(f.Path, "/")] = string(f.Raw)
	}
	return b, nil
}

// settingsOf gives the settings in the bytes that Settings has: the digest is of those.
func settingsOf(data map[string]any) ([]byte, error) {
	raw, err := json.Marshal(data["settings"])
	if err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	var s Settings
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	return json.Marshal(s)
}

// namesItsKey refuses a signature that does not say whose it is.
func namesItsKey(s bundle.SignaturesConfig, id string) error {
	if len(s.Signatures) != 1 || s.Plugin != "" && s.Plugin != "_default" {
		return errors.New("want exactly one signature of OPA's own kind")
	}
	head, _, _ := strings.Cut(s.Signatures[0], ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return fmt.Errorf("reading the signature: %w", err)
	}
	var h struct{ Kid, Alg string }
	if err := json.Unmarshal(raw, &h); err != nil {
		return fmt.Errorf("reading the signature: %w", err)
	}
	if h.Kid != id || h.Alg != signedBy {
		return fmt.Errorf("the signature names key %q and algorithm %q, want %s and %s", h.Kid, h.Alg, id, signedBy)
	}
	return nil
}

// onlyOurFiles refuses files that a bundle of ours does not have, whether OPA
// would look at them or not, and files that are there twice.
func onlyOurFiles(raw []byte) error {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("unpacking the bundle: %w", err)
	}
	seen, t := map[string]bool{}, tar.NewReader(io.LimitReader(z, 8*maxBundle))
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("unpacking the bundle: %w", err)
		}
		name := strings.TrimPrefix(h.Name, "/")
		if h.Typeflag != tar.TypeReg || seen[name] || !ourFile(name) {
			return fmt.Errorf("the bundle holds %q, which is no file of ours or is there twice", h.Name)
		}
		seen[name] = true
	}
	if !seen[".signatures.json"] {
		return errors.New("the bundle is not signed")
	}
	return nil
}

func ourFile(name string) bool {
	pkg, f, _ := strings.Cut(name, "/")
	return slices.Contains([]string{".manifest", ".signatures.json", "data.json"}, name) || pkg != "" && (f == pkg+".rego" || f == pkg+"_test.rego")
}

// rules are the texts without tests.
func (b *Bundle) rules() map[string]string { return rulesOf(b.text) }

func rulesOf(text map[string]string) map[string]string {
	out := maps.Clone(text)
	maps.DeleteFunc(out, func(name, _ string) bool { return strings.HasSuffix(name, "_test.rego") })
	return out
}

// Load compiles the bundle's rules with a shop's settings, under this program's
// capabilities and schemas. The digests are those of the bundle's rules.
func (b *Bundle) Load(ctx context.Context, s Settings, entries ...Entry) (*Rules, error) {
	r, err := loadWith(ctx, b.rules(), s, entries)
	if err != nil {
		return nil, fmt.Errorf("loading the bundle's rules: %w", err)
	}
	return r, nil
}
