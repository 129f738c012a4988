package policy

import (
	"path"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
)

// words reads the metadata of every rule that bears an id: package → id → words.
func words(modules map[string]*ast.Module) map[string]map[string]Reason {
	out := map[string]map[string]Reason{}
	for name, m := range modules {
		pkg := path.Dir(name)
		out[pkg] = map[string]Reason{}
		for _, a := range m.Annotations {
			text := func(key string) string { s, _ := a.Custom[key].(string); return s }
			if id := text("id"); id != "" && out[pkg][id].Rule == "" {
				out[pkg][id] = Reason{Rule: id, De: text("de"), En: text("en"), Title: a.Title, LegalBasis: text("legal_basis")}
			}
		}
	}
	return out
}

// parsedOf reads packages as they are written, with metadata. One that cannot be read,
// and so was never compiled, is left out.
func parsedOf(text map[string]string) map[string]*ast.Module {
	out := make(map[string]*ast.Module, len(text))
	for name, t := range text {
		if m, err := ast.ParseModuleWithOpts(name, t, ast.ParserOptions{ProcessAnnotation: true, RegoVersion: ast.RegoV1}); err == nil {
			out[name] = m
		}
	}
	return out
}

// Reasons puts rule ids into words, in the order of ids. An id that no rule bears is
// left out, a repeated one said once.
func (r *Rules) Reasons(ids []string) []Reason { return r.ReasonsIn(shared, ids) }

// ReasonsIn is Reasons in the words of the entry's own rules, where they have some.
// Words need no compiled rules, so an entry that is not loaded has them, too.
func (r *Rules) ReasonsIn(entry Entry, ids []string) []Reason {
	out := make([]Reason, 0, len(ids))
	places := slices.Concat([]Entry{entry, shared}, r.entries(), Entries)
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			continue
		}
		for _, pkg := range places {
			if w, ok := r.words()[string(pkg)][id]; ok {
				out = append(out, w)
				break
			}
		}
	}
	return out
}
