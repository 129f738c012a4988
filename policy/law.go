package policy

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
)

//go:embed law/*.json
var lawFiles embed.FS

// LawRule is one rule of the catalogue that we answer for: its number, its name,
// what it says, and the places where it has to hold.
type LawRule struct {
	ID     string   `json:"id"`
	En     string   `json:"en"`
	De     string   `json:"de"`
	Rule   string   `json:"rule"` // the catalogue's sentence, in English
	Source string   `json:"source"`
	Force  string   `json:"force"`
	Where  []string `json:"where"`
}

// Law is the catalogue, in its order.
func Law() ([]LawRule, error) {
	var out []LawRule
	return out, lawFile("catalogue", &out)
}

// held is a rule, or a part of one, that Go or SQL enforces: the metadata that a
// Rego rule carries as annotations.
type held struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	De         string   `json:"de"`
	En         string   `json:"en"`
	LegalBasis string   `json:"legal_basis"`
	Source     string   `json:"source"`
	Force      string   `json:"force"`
	SDM        string   `json:"sdm"`
	Since      string   `json:"since"`
	Inputs     []string `json:"inputs"`
	Enforced   []string `json:"enforced"`
}

// open is a rule that nothing holds yet, or that the product leaves to people,
// each with its reason.
type open struct {
	ID    string `json:"id"`
	Is    string `json:"is"` // due | excluded
	De    string `json:"de"`
	En    string `json:"en"`
	WhyDe string `json:"why_de"`
	WhyEn string `json:"why_en"`
}

// notFamilies are the files of law/ that hold something else.
var notFamilies = []string{"catalogue", "open", "gotests"}

// heldInGo lists the rules of law/<FAMILY>.json.
func heldInGo() ([]held, error) {
	names, err := fs.Glob(lawFiles, "law/*.json")
	if err != nil {
		return nil, fmt.Errorf("listing the law: %w", err)
	}
	var out []held
	for _, name := range names {
		family := path.Base(name[:len(name)-len(".json")])
		if slices.Contains(notFamilies, family) {
			continue
		}
		var hs []held
		if err := lawFile(family, &hs); err != nil {
			return nil, err
		}
		out = append(out, hs...)
	}
	return out, nil
}

func lawFile(name string, into any) error {
	b, err := fs.ReadFile(lawFiles, "law/"+name+".json")
	if err != nil {
		return fmt.Errorf("reading the law: %w", err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("reading law/%s.json: %w", name, err)
	}
	return nil
}
