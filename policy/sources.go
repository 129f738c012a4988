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

//go:embed standing/standing.rego consent/consent.rego minimise/minimise.rego escalate/escalate.rego
//go:embed handover/handover.rego card/card.rego pricing/pricing.rego personalise/personalise.rego export/export.rego
//go:embed prompt/prompt.rego conduct/conduct.rego processing/processing.rego moves/moves.rego
var rego embed.FS

//go:embed schemas/*.json
var schemaFiles embed.FS

//go:embed capabilities.json
var capabilitiesJSON []byte

// source is the text of a package's rules, without its tests.
func source(pkg string) (string, error) {
	b, err := fs.ReadFile(rego, file(pkg))
	if err != nil {
		return "", fmt.Errorf("reading rules of %s: %w", pkg, err)
	}
	return string(b), nil
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
