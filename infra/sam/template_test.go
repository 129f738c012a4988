package sam_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// template evaluates template.yaml as CloudFormation does, as far as it goes here.
type template struct {
	t          *testing.T
	parameters map[string]string
	conditions map[string]*ast.TagNode
}

// none is what !Ref AWS::NoValue leaves.
type none struct{}

// ofTemplate reads the functions that the template makes of a shop's settings.
func ofTemplate(t *testing.T, s settings) map[string]function {
	t.Helper()
	b, err := os.ReadFile("template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := &template{t: t, parameters: map[string]string{}, conditions: map[string]*ast.TagNode{}}
	root := f.Docs[0].Body.(*ast.MappingNode)
	for _, p := range c.fields(root, "Parameters") {
		c.parameters[name(p)] = fmt.Sprint(c.object(p.Value)["Default"])
	}
	for k, v := range map[string]string{"Prefix": s.prefix, "BucketPrefix": s.bucketPrefix, "Config": s.config, "PolicyKey": s.policyKey,
		"IdentityPublicKey": s.identityKey, "OidcIssuer": s.issuer} {
		if _, ok := c.parameters[k]; !ok {
			t.Fatalf("the template has no parameter %s", k)
		}
		c.parameters[k] = v
	}
	for _, p := range c.fields(root, "Conditions") {
		c.conditions[name(p)] = p.Value.(*ast.TagNode)
	}
	globals := c.object(c.fields(root, "Globals")[0].Value)
	out := map[string]function{}
	for _, p := range c.fields(root, "Resources") {
		if r := c.object(p.Value); r["Type"] == "AWS::Serverless::Function" {
			made := c.function(globals, r["Properties"].(map[string]any))
			out[strings.TrimPrefix(r["Properties"].(map[string]any)["FunctionName"].(string), s.prefix+"-")] = made
		}
	}
	return out
}

func (c *template) function(globals, own map[string]any) function {
	p := map[string]any{}
	for _, of := range []map[string]any{globals, own} {
		for k, v := range of {
			p[k] = v
		}
	}
	f := function{Environment: map[string]string{}, Payload: "2.0"}
	f.Handler, f.Runtime = p["Handler"].(string), p["Runtime"].(string)
	f.MemoryMB, f.Seconds = number(p["MemorySize"]), number(p["Timeout"])
	for _, a := range p["Architectures"].([]any) {
		f.Architectures = append(f.Architectures, a.(string))
	}
	for _, of := range []map[string]any{globals, own} { // SAM adds these up
		e, _ := of["Environment"].(map[string]any)
		vars, _ := e["Variables"].(map[string]any)
		for k, v := range vars {
			if v != (none{}) {
				f.Environment[k] = v.(string)
			}
		}
	}
	for name, e := range p["Events"].(map[string]any) {
		c.event(&f, name, e.(map[string]any))
	}
	return f
}

func (c *template) event(f *function, name string, e map[string]any) {
	p := e["Properties"].(map[string]any)
	switch e["Type"] {
	case "HttpApi":
		if p["ApiId"] != "Api" {
			c.t.Errorf("%s: leads to another API, %v", name, p["ApiId"])
		}
		f.Routes = append(f.Routes, p["Method"].(string)+" "+p["Path"].(string))
		if v, ok := p["PayloadFormatVersion"].(string); ok {
			f.Payload = v
		}
	case "Schedule":
		f.Schedules = append(f.Schedules, p["Schedule"].(string)+" "+p["Input"].(string))
	default:
		c.t.Errorf("%s: an event of type %v", name, e["Type"])
	}
}

func number(v any) int64 {
	var n int64
	_, _ = fmt.Sscan(fmt.Sprint(v), &n)
	return n
}

func (c *template) fields(n *ast.MappingNode, key string) []*ast.MappingValueNode {
	c.t.Helper()
	for _, p := range n.Values {
		if name(p) == key {
			return p.Value.(*ast.MappingNode).Values
		}
	}
	c.t.Fatalf("the template has no %s", key)
	return nil
}

func name(p *ast.MappingValueNode) string { return p.Key.GetToken().Value }

func (c *template) object(n ast.Node) map[string]any {
	c.t.Helper()
	m, ok := c.value(n).(map[string]any)
	if !ok {
		c.t.Fatalf("%s: want an object", n.GetPath())
	}
	return m
}

// value evaluates a node; an unknown function is a fault of the test.
func (c *template) value(n ast.Node) any {
	switch n := n.(type) {
	case *ast.MappingNode:
		m := map[string]any{}
		for _, p := range n.Values {
			m[name(p)] = c.value(p.Value)
		}
		return m
	case *ast.MappingValueNode:
		return map[string]any{name(n): c.value(n.Value)}
	case *ast.SequenceNode:
		all := make([]any, len(n.Values))
		for i, v := range n.Values {
			all[i] = c.value(v)
		}
		return all
	case *ast.TagNode:
		return c.call(n)
	case ast.ScalarNode:
		return n.GetValue()
	}
	c.t.Fatalf("%s: a %T is not understood", n.GetPath(), n)
	return nil
}

var reference = regexp.MustCompile(`\$\{(\w+)\}`)

func (c *template) call(n *ast.TagNode) any {
	v := c.value(n.Value)
	switch n.Start.Value {
	case "!Ref":
		return c.ref(v.(string))
	case "!Sub":
		return reference.ReplaceAllStringFunc(v.(string), func(m string) string { return c.ref(m[2 : len(m)-1]).(string) })
	case "!Equals":
		return v.([]any)[0] == v.([]any)[1]
	case "!Not":
		return !v.([]any)[0].(bool)
	case "!If":
		if c.value(c.conditions[v.([]any)[0].(string)]).(bool) {
			return v.([]any)[1]
		}
		return v.([]any)[2]
	}
	c.t.Fatalf("%s is not understood", n.Start.Value)
	return nil
}

func (c *template) ref(name string) any {
	if name == "AWS::NoValue" {
		return none{}
	}
	if v, ok := c.parameters[name]; ok {
		return v
	}
	return name // of a resource
}
