package policy

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	opa "github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/handschlag/handschlag/decide"
)

// Settings are the numbers of the configuration that Rego reads, as data.settings.
type Settings struct {
	ConfigDigest  string `json:"-"`               // of the configuration they come from, for the decision record
	MaxDiscountBP int64  `json:"max_discount_bp"` // a personalised price is at most this far below the list price (PRI-10); 0: 1,500
	K             int    `json:"k"`               // least members of an exported group (EXP-07); 0: 25
}

func (s Settings) orDefault() Settings {
	if s.MaxDiscountBP == 0 {
		s.MaxDiscountBP = 1500
	}
	if s.K == 0 {
		s.K = 25
	}
	return s
}

// Rules are the compiled rules of some entries. They are safe for concurrent use.
type Rules struct {
	digests   decide.Digests
	documents map[string][]byte
	queries   map[Entry]opa.PreparedEvalQuery
	txn       storage.Transaction // of a store that nobody writes
	words     map[string]map[string]Reason
	events    gate
	exports   remembered[ExportCase, ExportVerdict]
}

// Load compiles the rules of the given entries, or of all if none is given.
func Load(ctx context.Context, s Settings, entries ...Entry) (*Rules, error) {
	if len(entries) == 0 {
		entries = Entries
	}
	text := map[string]string{}
	for _, pkg := range append([]Entry{shared}, entries...) {
		if pkg != shared && !pkg.known() {
			return nil, fmt.Errorf("loading rules: there is no entry %q", pkg)
		}
		t, err := source(string(pkg))
		if err != nil {
			return nil, err
		}
		text[file(string(pkg))] = t
	}
	r, err := load(ctx, s.orDefault(), text, entries)
	if err != nil {
		return nil, fmt.Errorf("loading rules: %w", err)
	}
	return r, nil
}

// load compiles texts of rules, by file name, and prepares each entry's query.
func load(ctx context.Context, s Settings, text map[string]string, entries []Entry) (*Rules, error) {
	compiler, err := compile(text, entries)
	if err != nil {
		return nil, err
	}
	data := map[string]any{"settings": map[string]any{"max_discount_bp": s.MaxDiscountBP, "k": s.K}}
	store := inmem.NewFromObjectWithOpts(data, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true))
	r := &Rules{queries: map[Entry]opa.PreparedEvalQuery{}, words: words(compiler.ParsedModules())}
	if r.txn, err = store.NewTransaction(ctx); err != nil {
		return nil, fmt.Errorf("opening settings: %w", err)
	}
	for _, e := range entries {
		q := opa.New(opa.Compiler(compiler), opa.Store(store), opa.Transaction(r.txn), opa.StrictBuiltinErrors(true), opa.Query("data."+string(e)+".verdict"))
		if r.queries[e], err = q.PrepareForEval(ctx); err != nil {
			return nil, fmt.Errorf("preparing %s: %w", e, err)
		}
	}
	return r, r.sign(s)
}

// compile parses and compiles under our capabilities and schemas, strictly.
func compile(text map[string]string, entries []Entry) (*ast.Compiler, error) {
	can, err := capabilities()
	if err != nil {
		return nil, err
	}
	set, err := schemaSet(entries)
	if err != nil {
		return nil, err
	}
	modules := make(map[string]*ast.Module, len(text))
	for name, t := range text {
		m, err := ast.ParseModuleWithOpts(name, t, ast.ParserOptions{ProcessAnnotation: true, Capabilities: can, RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, err
		}
		modules[name] = m
	}
	c := ast.NewCompiler().WithCapabilities(can).WithStrict(true).WithSchemas(set).WithUseTypeCheckAnnotations(true).
		WithEnablePrintStatements(true).WithDefaultRegoVersion(ast.RegoV1).WithKeepModules(true)
	if c.Compile(modules); c.Failed() {
		return nil, c.Errors
	}
	return c, nil
}

// sign computes the digests and keeps the documents behind them.
func (r *Rules) sign(s Settings) error {
	text, err := allSources()
	if err != nil {
		return err
	}
	policy, err := json.Marshal(map[string]any{"rego": text, "data": map[string]any{"settings": s}})
	if err != nil {
		return fmt.Errorf("writing policy document: %w", err)
	}
	r.digests = decide.Digests{Policy: digest(policy), Capabilities: digest(capabilitiesJSON), Config: s.ConfigDigest}
	r.documents = map[string][]byte{r.digests.Policy: policy, r.digests.Capabilities: capabilitiesJSON}
	return nil
}

// Digests name the rules with their settings, the capabilities, and the
// configuration. They do not depend on which entries are loaded.
func (r *Rules) Digests() decide.Digests { return r.digests }

// Documents gives the bytes behind the digests of policy and capabilities, to be
// kept with the decisions. The configuration's is package config's.
func (r *Rules) Documents() map[string][]byte { return r.documents }
