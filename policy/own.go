package policy

import (
	"path"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// A function that starts compiles its rules first, and half of what that costs is
// checking them and reading their metadata. The program's own rules are the same in
// every start: TestOwnRulesCompileAsIfChecked compiles them with every check, under
// capabilities and schemas, and compares what comes out.

// checks are the stages of OPA's compiler that leave correct rules as they are.
var checks = []ast.StageID{
	ast.StageCheckUnusedImports, ast.StageCheckKeywordOverrides, ast.StageCheckDuplicateImports, ast.StageCheckVoidCalls, ast.StageCheckRuleConflicts,
	ast.StageCheckUndefinedFuncs, ast.StageCheckSafetyRuleHeads, ast.StageCheckSafetyRuleBodies, ast.StageCheckRecursion, ast.StageCheckTypes,
	ast.StageCheckUnsafeBuiltins, ast.StageCheckDeprecatedBuiltins, ast.StageBuildRequiredCapabilities,
	ast.StageSetGraph, // which only checks look at
	// What these rewrite is not there: metadata, print, template strings, with, tests.
	ast.StageParseMetadataBlocks, ast.StageSetAnnotationSet, ast.StageRewriteRegoMetadataCalls, ast.StageRewritePrintCalls,
	ast.StageRewriteTemplateStrings, ast.StageRewriteWithValues, ast.StageRewriteTestRulesForTracing,
}

// compileOwn compiles the program's own rules without checking them.
func compileOwn(text map[string]string, _ []Entry) (*ast.Compiler, error) {
	can := ast.CapabilitiesForThisVersion()
	modules := make(map[string]*ast.Module, len(text))
	for name, t := range text {
		m, err := ast.ParseModuleWithOpts(name, withoutComments(t), ast.ParserOptions{Capabilities: can, RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, err
		}
		modules[name] = m
	}
	c := ast.NewCompiler().WithCapabilities(can).WithDefaultRegoVersion(ast.RegoV1).WithSkipStages(checks...)
	if c.Compile(modules); c.Failed() {
		return nil, c.Errors
	}
	return c, nil
}

// withoutComments empties the lines that are comments; the others stay where they are.
func withoutComments(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			line = "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

// ownWords is words for the program's own rules: their metadata is YAML of the
// plainest kind, a name and a line of text.
func ownWords(text map[string]string) map[string]map[string]Reason {
	out := map[string]map[string]Reason{}
	for name, t := range text {
		byID := map[string]Reason{}
		var r Reason
		for line := range strings.Lines(t) {
			if !strings.HasPrefix(line, "#") {
				if r.Rule != "" && byID[r.Rule].Rule == "" {
					byID[r.Rule] = r
				}
				r = Reason{}
				continue
			}
			r.hear(strings.TrimSuffix(line, "\n"))
		}
		out[path.Dir(name)] = byID
	}
	return out
}

// hear reads one line of metadata.
func (r *Reason) hear(line string) {
	name, value, _ := strings.Cut(line, ": ")
	switch name {
	case "# title":
		r.Title = value
	case "#   id":
		r.Rule = value
	case "#   de":
		r.De = value
	case "#   en":
		r.En = value
	case "#   legal_basis":
		r.LegalBasis = value
	}
}
