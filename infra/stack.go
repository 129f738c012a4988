package infra

import (
	"embed"
	"fmt"
	"io/fs"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Files are the Terraform files, as they lie in infra/terraform.
//
//go:embed terraform/*.tf terraform/modules/*/*.tf terraform/env/*.tfvars
var Files embed.FS

// Stack is everything that an apply would make.
type Stack struct {
	Resources []Resource     `json:"resources"`
	Variables []Variable     `json:"variables"`
	Provider  map[string]any `json:"provider"`
	Outputs   map[string]any `json:"outputs"`
}

// Resource is one resource with its arguments; a block is a list of objects. An
// argument that was left out is absent, one that is null is nil.
type Resource struct {
	Address string         `json:"address"`
	Type    string         `json:"type"`
	Name    string         `json:"name"`
	Args    map[string]any `json:"args"`
}

// Variable is how a variable was declared.
type Variable struct {
	Address     string `json:"address"`
	Typed       bool   `json:"typed"`
	Description string `json:"description"`
}

// Read lays out the files in dir with these values of variables.
func Read(files fs.FS, dir string, vars map[string]cty.Value) (*Stack, error) {
	s := &Stack{Resources: []Resource{}, Variables: []Variable{}}
	m, err := openModule(&reading{files: files, stack: s, region: "eu-central-1"}, dir, "", vars)
	if err != nil {
		return nil, err
	}
	if s.Provider, err = m.provider(); err != nil {
		return nil, err
	}
	if err := m.all(); err != nil {
		return nil, err
	}
	outputs, err := m.outputs()
	if err != nil {
		return nil, err
	}
	if s.Outputs, err = plain(outputs); err != nil {
		return nil, err
	}
	sort.Slice(s.Resources, func(i, j int) bool { return s.Resources[i].Address < s.Resources[j].Address })
	return s, nil
}

// Values reads a file of variables.
func Values(files fs.FS, name string) (map[string]cty.Value, error) {
	body, err := parse(files, name)
	if err != nil {
		return nil, err
	}
	out := map[string]cty.Value{}
	for k, a := range body.Attributes {
		v, diags := a.Expr.Value(nil)
		if diags.HasErrors() {
			return nil, fmt.Errorf("reading %s: %w", name, diags)
		}
		out[k] = v
	}
	return out, nil
}

func parse(files fs.FS, name string) (*hclsyntax.Body, error) {
	src, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, fmt.Errorf("reading Terraform: %w", err)
	}
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, fmt.Errorf("reading Terraform: %w", diags)
	}
	return f.Body.(*hclsyntax.Body), nil
}

// Of gives the resources of a type.
func (s *Stack) Of(kind string) (out []Resource) {
	for _, r := range s.Resources {
		if r.Type == kind {
			out = append(out, r)
		}
	}
	return out
}
