package policy

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

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
	compiler  *ast.Compiler
	documents map[string][]byte
	queries   map[Entry]opa.PreparedEvalQuery
	store     storage.Store
	txn       storage.Transaction                 // of a store that nobody writes
	parsed    func() map[string]*ast.Module       // as written, with metadata
	words     func() map[string]map[string]Reason // of every package of the policy, compiled or not
	events    gate
	exports   remembered[ExportCase, ExportVerdict]
	replays   replays
}

// Load compiles the program's own rules of the given entries, or of all if none is
// given. They were checked when the program was tested, and are not checked again.
func Load(ctx context.Context, s Settings, entries ...Entry) (*Rules, error) {
	text, err := allSources()
	if err != nil {
		return nil, err
	}
	r, err := loadBy(ctx, compileOwn, text, s, entries)
	if err != nil {
		return nil, fmt.Errorf("loading rules: %w", err)
	}
	part := partOf(text, r.entries())
	r.parsed = sync.OnceValue(func() map[string]*ast.Module { return parsedOf(part) })
	r.words = sync.OnceValue(func() map[string]map[string]Reason { return ownWords(text) })
	return r, nil
}

// loadWith compiles texts of others under this program's capabilities and schemas.
func loadWith(ctx context.Context, text map[string]string, s Settings, entries []Entry) (*Rules, error) {
	return loadBy(ctx, compile, text, s, entries)
}

// compiling makes rules of the texts of some packages.
type compiling func(text map[string]string, entries []Entry) (*ast.Compiler, error)

func loadBy(ctx context.Context, compile compiling, text map[string]string, s Settings, entries []Entry) (*Rules, error) {
	if len(entries) == 0 {
		entries = Entries
	}
	for _, e := range entries {
		if !e.known() {
			return nil, fmt.Errorf("there is no entry %q", e)
		}
	}
	d, doc, err := writeDocument(text, s.orDefault())
	if err != nil {
		return nil, err
	}
	compiler, err := compile(partOf(text, entries), entries)
	if err != nil {
		return nil, err
	}
	return prepare(ctx, compiler, d, doc, capabilitiesJSON, s.ConfigDigest, entries)
}

// prepare makes each entry's query over the document's data.
func prepare(ctx context.Context, compiler *ast.Compiler, d document, doc, capabilities []byte, config string, entries []Entry) (*Rules, error) {
	data, err := dataOf(d)
	if err != nil {
		return nil, err
	}
	store := inmem.NewFromObjectWithOpts(data, inmem.OptRoundTripOnWrite(false), inmem.OptReturnASTValuesOnRead(true))
	r := &Rules{compiler: compiler, store: store, queries: map[Entry]opa.PreparedEvalQuery{}, parsed: compiler.ParsedModules}
	r.words = sync.OnceValue(func() map[string]map[string]Reason { return words(parsedOf(d.Rego)) })
	if r.txn, err = store.NewTransaction(ctx); err != nil {
		return nil, fmt.Errorf("opening settings: %w", err)
	}
	for _, e := range entries {
		q := opa.New(opa.Compiler(compiler), opa.Store(store), opa.Transaction(r.txn), opa.StrictBuiltinErrors(true), opa.Query("data."+string(e)+".verdict"))
		if r.queries[e], err = q.PrepareForEval(ctx); err != nil {
			return nil, fmt.Errorf("preparing %s: %w", e, err)
		}
	}
	r.digests = decide.Digests{Policy: digest(doc), Capabilities: digest(capabilities), Config: config}
	r.documents = map[string][]byte{r.digests.Policy: doc, r.digests.Capabilities: capabilities}
	return r, nil
}

// entries are those that are loaded.
func (r *Rules) entries() []Entry { return slices.Sorted(maps.Keys(r.queries)) }

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
	return compileUnder(text, can, set)
}

// compileUnder compiles under the given capabilities; inputs are checked against
// schemas if there are some.
func compileUnder(text map[string]string, can *ast.Capabilities, schemas *ast.SchemaSet) (*ast.Compiler, error) {
	modules := make(map[string]*ast.Module, len(text))
	for name, t := range text {
		m, err := ast.ParseModuleWithOpts(name, t, ast.ParserOptions{ProcessAnnotation: true, Capabilities: can, RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, err
		}
		modules[name] = m
	}
	c := ast.NewCompiler().WithCapabilities(can).WithStrict(true).WithSchemas(schemas).WithUseTypeCheckAnnotations(schemas != nil).
		WithEnablePrintStatements(true).WithDefaultRegoVersion(ast.RegoV1).WithKeepModules(true)
	if c.Compile(modules); c.Failed() {
		return nil, c.Errors
	}
	return c, nil
}

// Digests name the rules with their settings, the capabilities, and the
// configuration. They do not depend on which entries are loaded.
func (r *Rules) Digests() decide.Digests { return r.digests }

// Documents gives the bytes behind the digests of policy and capabilities, to be
// kept with the decisions. The configuration's is package config's.
func (r *Rules) Documents() map[string][]byte { return r.documents }
