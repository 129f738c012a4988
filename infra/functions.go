package infra

import (
	"encoding/json"
	"fmt"
	"path"
	"strings"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
	"go.yaml.in/yaml/v3"

	"github.com/handschlag/handschlag/config"
)

// functions are those that our files call.
func (m *module) functions() map[string]function.Function {
	return map[string]function.Function{
		"can": tryfunc.CanFunc, "try": tryfunc.TryFunc,
		"coalesce": stdlib.CoalesceFunc, "compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc, "contains": stdlib.ContainsFunc,
		"flatten": stdlib.FlattenFunc, "jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc,
		"lower": stdlib.LowerFunc, "merge": stdlib.MergeFunc, "regex": stdlib.RegexFunc, "split": stdlib.SplitFunc, "values": stdlib.ValuesFunc,
		"file": text(readFile), "filebase64sha256": text(func(string) (string, error) { return "of the zip", nil }), "yamldecode": yamldecode, "toset": toset,
	}
}

// readFile knows one file outside the Terraform files: the default configuration.
func readFile(name string) (string, error) {
	if !strings.HasSuffix(path.Clean(name), "config/default.yaml") {
		return "", fmt.Errorf("file %s: not to be read here", path.Clean(name))
	}
	return string(config.DefaultYAML()), nil
}

// text makes a function of a function from text to text.
func text(do func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := do(args[0].AsString())
			return cty.StringVal(s), err
		},
	})
}

var toset = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}}, Type: function.StaticReturnType(cty.Set(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		return convert.Convert(args[0], cty.Set(cty.String))
	},
})

var yamldecode = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "yaml", Type: cty.String}},
	Type: func(args []cty.Value) (cty.Type, error) {
		v, err := fromYAML(args[0].AsString())
		return v.Type(), err
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return fromYAML(args[0].AsString()) },
})

func fromYAML(s string) (cty.Value, error) {
	var doc any
	if err := yaml.NewDecoder(strings.NewReader(s)).Decode(&doc); err != nil {
		return cty.DynamicVal, err
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return cty.DynamicVal, err
	}
	t, err := ctyjson.ImpliedType(b)
	if err != nil {
		return cty.DynamicVal, err
	}
	return ctyjson.Unmarshal(b, t)
}
