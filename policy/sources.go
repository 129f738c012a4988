package policy

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/open-policy-agent/opa/v1/ast"
)

// The texts of the packages. They are not copied out of an embed.FS: every function
// that starts reads them all.
var (
	//go:embed standing/standing.rego
	standingText string
	//go:embed consent/consent.rego
	consentText string
	//go:embed minimise/minimise.rego
	minimiseText string
	//go:embed escalate/escalate.rego
	escalateText string
	//go:embed handover/handover.rego
	handoverText string
	//go:embed card/card.rego
	cardText string
	//go:embed pricing/pricing.rego
	pricingText string
	//go:embed personalise/personalise.rego
	personaliseText string
	//go:embed export/export.rego
	exportText string
	//go:embed prompt/prompt.rego
	promptText string
	//go:embed conduct/conduct.rego
	conductText string
	//go:embed processing/processing.rego
	processingText string
	//go:embed moves/moves.rego
	movesText string
)

var sources = map[Entry]string{
	shared: standingText, EntryConsent: consentText, EntryEvent: minimiseText, EntryEscalate: escalateText, EntryHandover: handoverText,
	EntryCard: cardText, EntryPricing: pricingText, EntryPersonalise: personaliseText, EntryExport: exportText, EntryPrompt: promptText,
	EntryConduct: conductText, EntryProcessing: processingText, EntryMoves: movesText,
}

//go:embed schemas/*.json
var schemaFiles embed.FS

//go:embed capabilities.json
var capabilitiesJSON []byte

// source is the text of a package's rules, without its tests.
func source(pkg string) (string, error) {
	text, ok := sources[Entry(pkg)]
	if !ok {
		return "", fmt.Errorf("there are no rules of %s", pkg)
	}
	return text, nil
}

func file(pkg string) string { return pkg + "/" + pkg + ".rego" }

// allSources is every package's text, whatever is loaded: the policy digest is
// the same in every binary of one build.
func allSources() (map[string]string, error) {
	out := make(map[string]string, len(Entries)+1)
	for _, pkg := range append([]Entry{shared}, Entries...) {
		text, err := source(string(pkg))
		if err != nil {
			return nil, err
		}
		out[file(string(pkg))] = text
	}
	return out, nil
}

// capabilities are what Rego may use: no clock, network, randomness, print.
func capabilities() (*ast.Capabilities, error) { return readCapabilities(capabilitiesJSON) }

func readCapabilities(b []byte) (*ast.Capabilities, error) {
	c, err := ast.LoadCapabilitiesJSON(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("reading capabilities: %w", err)
	}
	return c, nil
}

// schemaSet holds the schemas of the entries' inputs, as schema.<name>.
func schemaSet(entries []Entry) (*ast.SchemaSet, error) {
	set := ast.NewSchemaSet()
	for _, e := range entries {
		b, err := fs.ReadFile(schemaFiles, "schemas/"+schemas[e]+".json")
		if err != nil {
			return nil, fmt.Errorf("reading schema of %s: %w", e, err)
		}
		var s any
		if err := json.Unmarshal(b, &s); err != nil {
			return nil, fmt.Errorf("reading schema of %s: %w", e, err)
		}
		set.Put(ast.Ref{ast.SchemaRootDocument, ast.StringTerm(schemas[e])}, s)
	}
	return set, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
