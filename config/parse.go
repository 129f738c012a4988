package config

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Problem is one thing wrong in the file, and how to mend it.
type Problem struct {
	Line   int    // 1-based; 0 for the file as a whole
	Column int    // 1-based, in characters; 0: the line as a whole
	Path   string // offers.hours[2].from
	Text   string
}

func (p Problem) String() string {
	where := "handschlag.yaml"
	if p.Line > 0 {
		where = fmt.Sprintf("line %d", p.Line)
	}
	if p.Column > 0 {
		where += fmt.Sprintf(", column %d", p.Column)
	}
	if p.Path != "" {
		where += ": " + p.Path
	}
	return where + ": " + p.Text
}

// Errors are all problems of a file, in line order.
type Errors []Problem

// Error lists every problem, one per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

//go:embed default.yaml
var defaultShop []byte

//go:embed register.yaml
var defaultRegister []byte

var defaultYAML = slices.Concat(defaultShop, []byte("\n"), defaultRegister)

// DefaultYAML is the commented default file: the shop, then its register.
func DefaultYAML() []byte { return slices.Clone(defaultYAML) }

// defaultJSON is what DefaultYAML says, read already: reading YAML is most of what a
// Lambda's start would cost. A test compares the two.
//
//go:embed default.json
var defaultJSON []byte

// Default is the configuration of DefaultYAML. Every call gives a fresh one.
func Default() *Config {
	c := new(Config)
	if err := json.Unmarshal(defaultJSON, c); err != nil {
		panic(fmt.Errorf("the default configuration is wrong: %w", err))
	}
	return c
}

// Parse reads handschlag.yaml. Keys left out keep their default; a list or map
// that the file names replaces the default's. The error, if any, is Errors with
// every problem of the file.
func Parse(yaml []byte) (*Config, error) { return parseOver(yaml, Default()) }

func parseOver(yaml []byte, c *Config) (*Config, error) {
	if wrong := readOver(yaml, c); len(wrong) > 0 {
		return nil, wrong
	}
	return c, nil
}

// Read is Parse that goes on: beside the problems it gives what could be read, for
// checks that want to add theirs. Nobody may decide by a configuration with problems.
func Read(yaml []byte) (*Config, Errors) {
	c := Default()
	return c, readOver(yaml, c)
}

func readOver(yaml []byte, c *Config) Errors {
	r := reader{told: map[string]bool{}, lines: map[string]int{}, anchors: map[string]ast.Node{}, tokens: map[string]*token.Token{}}
	r.read(yaml, c)
	for i := range c.Segments {
		path := at("segments", i)
		c.Segments[i].Line = r.lines[path]
		c.Segments[i].place = spanOf(yaml, r.tokens[path+".where"])
	}
	r.silent(c)
	(&checker{r: &r, c: c}).all()
	r.problems.Sort()
	return r.problems
}

// Sort puts problems in the order of the file.
func (e Errors) Sort() {
	slices.SortStableFunc(e, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) })
}

// Digest is the hex SHA-256 of Document. It depends on what the file says, not
// on how it is laid out.
func (c *Config) Digest() string {
	sum := sha256.Sum256(c.Document())
	return hex.EncodeToString(sum[:])
}

// Document is the configuration's one byte form (JSON), kept with the decisions
// that name its digest.
func (c *Config) Document() []byte {
	plain := *c
	plain.Segments = slices.Clone(c.Segments)
	for i := range plain.Segments {
		plain.Segments[i].Line = 0
	}
	b, err := json.Marshal(plain)
	if err != nil { // not for a Config that Parse gave: it has no NaN
		return []byte(fmt.Sprintf("%+v", plain))
	}
	return b
}
