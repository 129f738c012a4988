package policy

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	opa "github.com/open-policy-agent/opa/v1/rego"
)

type keyPair struct{ private, public []byte }

func newKeyPair(t *testing.T) keyPair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
	}
}

var released = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

// sourceOf is a package's text with a change; the place must be there.
func sourceOf(t *testing.T, pkg, old, fresh string) fstest.MapFS {
	t.Helper()
	text, err := source(pkg)
	if err != nil || !strings.Contains(text, old) {
		t.Fatalf("%s has no %q: %v", pkg, old, err)
	}
	return fstest.MapFS{file(pkg): {Data: []byte(strings.Replace(text, old, fresh, 1))}}
}

// stricter refuses one more case, by one more rule of EXP-03.
func stricter(t *testing.T) fstest.MapFS {
	t.Helper()
	const place = "deny contains \"EXP-03\" if not input.suppressed == false\n"
	return sourceOf(t, "export", place, place+"\ndeny contains \"EXP-03\" if input.purpose == \"not yet thought of\"\n")
}

// candidateOf is a complete candidate with the digest that its replay was of.
func candidateOf(t *testing.T, folder fstest.MapFS, revision int64) *Bundle {
	t.Helper()
	b, err := NewBundle(folder, "demo-shop", revision, Settings{}, completeRelease())
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Load(context.Background(), Settings{}, EntryPrompt)
	if err != nil {
		t.Fatal(err)
	}
	b.Release.Replay.Policy = r.Digests().Policy
	return b
}

// completeRelease lacks only the digest of the policy that was replayed.
func completeRelease() Release {
	return Release{
		EffectiveAt: released,
		Changes:     map[string]PlainChange{"EXP-03": {De: "Ein weiterer Kanal wird abgelehnt.", En: "One more channel is refused."}},
		Opinion:     &Said{By: "D. Schutz", At: released, Text: "No concerns."},
		Approval:    &Said{By: "G. Leitung", At: released, Text: "Approved."},
		Replay:      &Impact{Since: released.AddDate(0, 0, -30), Until: released, Decisions: 1000, NewlyDenied: 4},
	}
}

func signed(t *testing.T, b *Bundle, k keyPair) []byte {
	t.Helper()
	raw, err := b.Sign(k.private, k.public)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// repacked changes the files of a bundle, or their number.
func repacked(t *testing.T, raw []byte, change func(name string, body []byte) map[string][]byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	zw := gzip.NewWriter(&out)
	tw := tar.NewWriter(zw)
	for in := tar.NewReader(z); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		for name, b := range change(h.Name, body) {
			if err := errors.Join(tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(b)), Typeflag: tar.TypeReg}), write(tw, b)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(tw.Close(), zw.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func write(w io.Writer, b []byte) error { _, err := w.Write(b); return err }

// only changes one file of a bundle.
func only(file string, to func([]byte) []byte) func(string, []byte) map[string][]byte {
	return func(name string, body []byte) map[string][]byte {
		if strings.TrimPrefix(name, "/") == file {
			body = to(body)
		}
		return map[string][]byte{name: body}
	}
}

func replacing(old, fresh string) func([]byte) []byte {
	return func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(fresh)) }
}

// resigned signs what the bundle holds with a token of one's own making.
func resigned(t *testing.T, b *Bundle, k keyPair, kid string) []byte {
	t.Helper()
	b.KeyID, _ = KeyID(k.public)
	o, err := b.packed()
	if err != nil {
		t.Fatal(err)
	}
	if err := o.GenerateSignature(bundle.NewSigningConfig(string(k.private), signedBy, ""), kid, false); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := bundle.NewWriter(&out).DisableFormat(true).Write(*o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestOPS02AllowABundleThatIsWhatWasSigned(t *testing.T) {
	k := newKeyPair(t)
	b := candidateOf(t, stricter(t), 7)
	got, err := OpenBundle(signed(t, b, k), k.public, "demo-shop")
	if err != nil {
		t.Fatal(err)
	}
	if got.Revision != 7 || got.Tenant != "demo-shop" || got.Release.Opinion.By != "D. Schutz" || !got.Release.EffectiveAt.Equal(released) {
		t.Errorf("read revision %d for %s: %+v", got.Revision, got.Tenant, got.Release)
	}
	for name, text := range b.text {
		if got.text[name] != text {
			t.Errorf("%s changed on the way", name)
		}
	}
	if err := got.Check(context.Background(), nil, Settings{}); err != nil {
		t.Errorf("a complete release is refused: %v", err)
	}
}

func TestOPS02DenyABundleThatIsNotWhatWasSigned(t *testing.T) {
	k, other := newKeyPair(t), newKeyPair(t)
	b := candidateOf(t, stricter(t), 7)
	good := signed(t, b, k)
	foreign := candidateOf(t, stricter(t), 7)
	foreign.Tenant = "another-shop"
	twice := func(name string, body []byte) map[string][]byte {
		return map[string][]byte{name: body, strings.TrimPrefix(name, "/"): body}
	}
	extra := func(file string) func(string, []byte) map[string][]byte {
		return func(name string, body []byte) map[string][]byte {
			if strings.HasSuffix(name, ".manifest") {
				return map[string][]byte{name: body, file: []byte("package more\n\nallow := true\n")}
			}
			return map[string][]byte{name: body}
		}
	}
	gone := func(file string) func(string, []byte) map[string][]byte {
		return func(name string, body []byte) map[string][]byte {
			if strings.TrimPrefix(name, "/") == file {
				return nil
			}
			return map[string][]byte{name: body}
		}
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"no bundle at all":            {[]byte("hello"), "unpacking"},
		"cut short":                   {good[:len(good)/2], "unpacking"},
		"stripped of its signature":   {repacked(t, good, gone(".signatures.json")), "not signed"},
		"with an empty signature":     {repacked(t, good, only(".signatures.json", func([]byte) []byte { return []byte(`{"signatures":[]}`) })), "JWT"},
		"with two signatures":         {repacked(t, good, only(".signatures.json", func(b []byte) []byte { return doubled(t, b) })), "JWT"},
		"with another verifier":       {repacked(t, good, only(".signatures.json", replacing(`_default`, `mine`))), "mine"},
		"a rule altered":              {repacked(t, good, only("export/export.rego", replacing("deny contains", "deny  contains"))), "digest mismatch"},
		"a test altered":              {repacked(t, good, only("export/export_test.rego", func(b []byte) []byte { return append(b, '\n') })), "digest mismatch"},
		"settings altered":            {repacked(t, good, only("data.json", replacing("25", "10"))), "digest mismatch"},
		"the manifest altered":        {repacked(t, good, only(".manifest", replacing("G. Leitung", "D. Schutz"))), "digest mismatch"},
		"a file more of our own kind": {repacked(t, good, extra("more/more.rego")), "not included in bundle signature"},
		"a file more of any kind":     {repacked(t, good, extra("README")), "no file of ours"},
		"a patch":                     {repacked(t, good, extra("patch.json")), "no file of ours"},
		"a file less":                 {repacked(t, good, gone("export/export_test.rego")), "not found"},
		"files twice":                 {repacked(t, good, twice), "there twice"},
		"signed by another key":       {signed(t, candidateOf(t, stricter(t), 7), other), "verify"},
		"signed with an empty key id": {resigned(t, candidateOf(t, stricter(t), 7), k, ""), "names key"},
		"under another key's name":    {resigned(t, candidateOf(t, stricter(t), 7), k, "somebody"), "names key"},
		"for another shop":            {signed(t, foreign, k), "another-shop"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := OpenBundle(c.raw, k.public, "demo-shop"); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func doubled(t *testing.T, b []byte) []byte {
	t.Helper()
	var s bundle.SignaturesConfig
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	s.Signatures = append(s.Signatures, s.Signatures...)
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOPS02DenyAnyAlteredByteOfASignedFile(t *testing.T) {
	k := newKeyPair(t)
	good := signed(t, candidateOf(t, stricter(t), 7), k)
	for _, file := range []string{"export/export.rego", "data.json", ".manifest", ".signatures.json"} {
		var size int
		repacked(t, good, only(file, func(b []byte) []byte { size = len(b); return b }))
		for at := 0; at < size; at += size/25 + 1 {
			bad := repacked(t, good, only(file, func(b []byte) []byte { b[at] ^= 1; return b }))
			if _, err := OpenBundle(bad, k.public, "demo-shop"); err == nil {
				t.Errorf("%s with byte %d changed is taken", file, at)
			}
		}
	}
}

func TestOPS02DenyAReleaseThatIsNotComplete(t *testing.T) {
	touched, digest := []string{"EXP-03"}, strings.Repeat("a", 64)
	for name, c := range map[string]struct {
		spoil    func(*Release)
		stricter bool
		want     string
	}{
		"no opinion":                    {func(r *Release) { r.Opinion = nil }, true, "no opinion"},
		"an opinion without words":      {func(r *Release) { r.Opinion.Text = " " }, true, "no opinion"},
		"no approval":                   {func(r *Release) { r.Approval = nil }, true, "not approved"},
		"one person for both":           {func(r *Release) { r.Approval.By = " d. schutz" }, true, "same person"},
		"no effective date":             {func(r *Release) { r.EffectiveAt = time.Time{} }, true, "effective date"},
		"no words for a change":         {func(r *Release) { r.Changes = nil }, true, "EXP-03"},
		"words in one language":         {func(r *Release) { r.Changes["EXP-03"] = PlainChange{De: "Neu."} }, true, "EXP-03"},
		"no replay":                     {func(r *Release) { r.Replay = nil }, true, "no replay"},
		"a replay of another policy":    {func(r *Release) { r.Replay.Policy = strings.Repeat("0", 64) }, true, "replay was of policy"},
		"a replay of too few days":      {func(r *Release) { r.Replay.Since = released.AddDate(0, 0, -6) }, true, "7 days"},
		"an emergency that allows":      {func(r *Release) { r.Emergency = true }, false, "only add refusals"},
		"an emergency without approval": {func(r *Release) { r.Emergency, r.Approval = true, nil }, true, "not approved"},
	} {
		t.Run(name, func(t *testing.T) {
			r := completeRelease()
			r.Replay.Policy = digest
			if err := r.complete(touched, digest, c.stricter); err != nil {
				t.Fatalf("a complete release lacks something: %v", err)
			}
			c.spoil(&r)
			if err := r.complete(touched, digest, c.stricter); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestOPS02DenyRulesThatAreNotReady(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*Bundle)
		want  string
	}{
		"the program's own revision":   {func(b *Bundle) { b.Revision = Revision() }, "never goes back"},
		"a rule of a forbidden call":   {func(b *Bundle) { b.text["export/export.rego"] += "\nleak if time.now_ns() > 0\n" }, "time.now_ns"},
		"a rule of an unknown input":   {func(b *Bundle) { b.text["export/export.rego"] += "\nlate if input.lucky == true\n" }, "lucky"},
		"a rule dropped":               {func(b *Bundle) { b.text["export/export.rego"] = withoutRule(b.text["export/export.rego"], "EXP-03") }, "gone"},
		"an emergency that allows":     {func(b *Bundle) { b.Release.Emergency = true; loosen(b) }, "only add refusals"},
		"a touched rule nobody denies": {func(b *Bundle) { rename(b, "test_exp_03_deny_") }, "no test test_exp_03_deny_"},
		"a touched rule nobody allows": {func(b *Bundle) { rename(b, "test_exp_03_allow_") }, "no test test_exp_03_allow_"},
		"a test that fails":            {func(b *Bundle) { b.text["export/export_test.rego"] += "\ntest_never if 1 == 2\n" }, "test_never fails"},
	} {
		t.Run(name, func(t *testing.T) {
			b := candidateOf(t, stricter(t), 7)
			c.spoil(b)
			if err := b.Check(context.Background(), nil, Settings{}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func rename(b *Bundle, prefix string) {
	for name, text := range b.text {
		b.text[name] = strings.ReplaceAll(text, prefix, "test_renamed_")
	}
}

func withoutRule(text, id string) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if !strings.Contains(line, `"`+id+`"`) && !strings.Contains(line, "id: "+id) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

func loosen(b *Bundle) {
	b.text["export/export.rego"] = strings.Replace(b.text["export/export.rego"], "count(deny) == 0", "count(deny) <= 1", 1)
}

func TestOPS02DenyGoingBack(t *testing.T) {
	base, ctx := candidateOf(t, stricter(t), 7), context.Background()
	for _, revision := range []int64{1, 6, 7} {
		if err := candidateOf(t, stricter(t), revision).Check(ctx, base, Settings{}); err == nil || !strings.Contains(err.Error(), "never goes back") {
			t.Errorf("revision %d follows 7: %v", revision, err)
		}
	}
	if err := candidateOf(t, stricter(t), 8).Check(ctx, base, Settings{}); err != nil {
		t.Errorf("revision 8 does not follow 7: %v", err)
	}
}

// An emergency that only refuses more needs no prior opinion and no replay.
func TestOPS02AllowAnEmergencyThatOnlyRefuses(t *testing.T) {
	b := candidateOf(t, stricter(t), 7)
	b.Release.Emergency, b.Release.Opinion, b.Release.Replay = true, nil, nil
	if err := b.Check(context.Background(), nil, Settings{}); err != nil {
		t.Error(err)
	}
}

func TestTouchedRulesAreFoundThroughTheirHelpers(t *testing.T) {
	was, err := textOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ pkg, old, fresh, want string }{
		"a constant of a helper": {"pricing", "* 10000 <=", "* 10001 <=", "PRI-10 VAR-06"},
		"a legal basis":          {"export", "legal_basis: Art. 21(2)-(4) GDPR", "legal_basis: Art. 21 GDPR", "EXP-03"},
		"nothing":                {"export", "\n\n_basis if", "\n\n# a remark\n_basis if", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := NewBundle(sourceOf(t, c.pkg, c.old, c.fresh), "demo-shop", 7, Settings{}, Release{})
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Touched(was, b.text); err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("touched %v, want %s: %v", got, c.want, err)
			}
		})
	}
}

// OPA's own reader, compiler and evaluator take the bundle, without our schemas.
func TestBundleIsOPAs(t *testing.T) {
	k := newKeyPair(t)
	raw := signed(t, candidateOf(t, stricter(t), 7), k)
	id, err := KeyID(k.public)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]*bundle.KeyConfig{id: {Key: string(k.public), Algorithm: "ES256"}}
	b, err := bundle.NewReader(bytes.NewReader(raw)).WithBundleVerificationConfig(bundle.NewVerificationConfig(keys, id, "", nil)).Read()
	if err != nil {
		t.Fatal(err)
	}
	if b.Manifest.Revision != "7" || b.RegoVersion(ast.RegoUndefined) != ast.RegoV1 {
		t.Errorf("OPA reads revision %q, Rego version %v", b.Manifest.Revision, b.RegoVersion(ast.RegoUndefined))
	}
	q := opa.New(opa.ParsedBundle("handschlag", &b), opa.Query("data.export.verdict.rules"), opa.Input(map[string]any{"purpose": "not yet thought of"}))
	set, err := q.Eval(context.Background())
	if err != nil || len(set) != 1 {
		t.Fatalf("OPA evaluates %v: %v", set, err)
	}
	if rules, _ := json.Marshal(set[0].Expressions[0].Value); !strings.Contains(string(rules), `"EXP-03"`) {
		t.Errorf("OPA says %s", rules)
	}
}

// OPS-02: the same words over another package are other rules.
func TestOPS02DenyAnEmergencyThatReadsOtherRules(t *testing.T) {
	was, err := textOf(nil)
	if err != nil {
		t.Fatal(err)
	}
	now := maps.Clone(was)
	now["escalate/escalate.rego"] = strings.Replace(was["escalate/escalate.rego"], "import data.standing", "import data.prompt as standing", 1)
	if onlyRefusesMore(was, now) || !onlyRefusesMore(was, was) {
		t.Error("an emergency may change what a package imports")
	}
}
