// Package sam_test holds the SAM template to Terraform: what runs here in
// containers is what runs in the account.
package sam_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// function is what the template and Terraform must say alike of a function.
type function struct {
	Handler, Runtime string
	Architectures    []string
	MemoryMB         int64
	Seconds          int64
	Environment      map[string]string
	Routes           []string // METHOD PATH
	Payload          string   // version of the events
	Schedules        []string // when it is invoked without a call, and with what
}

// settings are what a shop chooses, in the words of both.
type settings struct{ prefix, bucketPrefix, config, policyKey, identityKey, issuer string }

var shops = map[string]settings{
	"a shop that sets what it must": {prefix: "handschlag-dev", bucketPrefix: "handschlag-dev-123456789012", issuer: "https://id.example.com"},
	"a shop that sets more": {prefix: "shop", bucketPrefix: "shop-of-the-world", policyKey: "a policy key", identityKey: "an identity key",
		issuer: "https://id.shop.example"},
}

func TestTheTemplateSaysWhatTerraformSays(t *testing.T) {
	for name, s := range shops {
		t.Run(name, func(t *testing.T) {
			template, terraform := ofTemplate(t, s), ofTerraform(t, s)
			if len(terraform) != 7 {
				t.Fatalf("Terraform has %d functions: %v", len(terraform), slices.Sorted(maps.Keys(terraform)))
			}
			for _, d := range differences(template, terraform) {
				t.Error(d)
			}
		})
	}
}

// A difference of each kind must be found, or the test above could not fail.
func TestEveryKindOfDifferenceIsFound(t *testing.T) {
	s := shops["a shop that sets more"]
	for want, change := range map[string]func(map[string]function, *function){
		"no function ingest in the template":    func(all map[string]function, _ *function) { delete(all, "ingest") },
		"no function other in Terraform":        func(all map[string]function, f *function) { all["other"] = *f },
		"ingest: Handler":                       func(_ map[string]function, f *function) { f.Handler = "main" },
		"ingest: Runtime":                       func(_ map[string]function, f *function) { f.Runtime = "go1.x" },
		"ingest: Architectures":                 func(_ map[string]function, f *function) { f.Architectures = []string{"x86_64"} },
		"ingest: MemoryMB":                      func(_ map[string]function, f *function) { f.MemoryMB++ },
		"ingest: Seconds":                       func(_ map[string]function, f *function) { f.Seconds-- },
		"ingest: Environment HANDSCHLAG_AWS":    func(_ map[string]function, f *function) { f.Environment["HANDSCHLAG_AWS"] = "x" },
		"ingest: Environment HANDSCHLAG_POLICY": func(_ map[string]function, f *function) { delete(f.Environment, "HANDSCHLAG_POLICY_KEY") },
		"ingest: Environment AWS_ENDPOINT_URL":  func(_ map[string]function, f *function) { f.Environment["AWS_ENDPOINT_URL"] = "http://x" },
		"ingest: Routes":                        func(_ map[string]function, f *function) { f.Routes = f.Routes[1:] },
		"ingest: Payload":                       func(_ map[string]function, f *function) { f.Payload = "1.0" },
		"ingest: Schedules":                     func(_ map[string]function, f *function) { f.Schedules = []string{"rate(1 hour)"} },
	} {
		template := ofTemplate(t, s)
		f := template["ingest"]
		change(template, &f)
		if _, there := template["ingest"]; there {
			template["ingest"] = f
		}
		got := differences(template, ofTerraform(t, s))
		if len(got) != 1 || !strings.HasPrefix(got[0], want) {
			t.Errorf("want one difference that begins with %q, got %q", want, got)
		}
	}
}

// differences says in words what the two do not say alike.
func differences(template, terraform map[string]function) (out []string) {
	for _, name := range slices.Sorted(maps.Keys(terraform)) {
		f, ok := template[name]
		if !ok {
			out = append(out, "no function "+name+" in the template")
			continue
		}
		out = append(out, f.unlike(name, terraform[name])...)
	}
	for _, name := range slices.Sorted(maps.Keys(template)) {
		if _, ok := terraform[name]; !ok {
			out = append(out, "no function "+name+" in Terraform")
		}
	}
	return out
}

func (f function) unlike(name string, g function) (out []string) {
	compare := func(what string, a, b any) {
		if fmt.Sprint(a) != fmt.Sprint(b) {
			out = append(out, fmt.Sprintf("%s: %s: the template says %v, Terraform %v", name, what, a, b))
		}
	}
	compare("Handler", f.Handler, g.Handler)
	compare("Runtime", f.Runtime, g.Runtime)
	compare("Architectures", f.Architectures, g.Architectures)
	compare("MemoryMB", f.MemoryMB, g.MemoryMB)
	compare("Seconds", f.Seconds, g.Seconds)
	compare("Routes", slices.Sorted(slices.Values(f.Routes)), slices.Sorted(slices.Values(g.Routes)))
	compare("Payload", f.Payload, g.Payload)
	compare("Schedules", f.Schedules, g.Schedules)
	both := maps.Clone(f.Environment)
	maps.Copy(both, g.Environment)
	for _, k := range slices.Sorted(maps.Keys(both)) {
		a, inTemplate := f.Environment[k]
		b, inTerraform := g.Environment[k]
		compare("Environment "+k, told(a, inTemplate), told(b, inTerraform))
	}
	return out
}

func told(v string, ok bool) string {
	if !ok {
		return "nothing"
	}
	return fmt.Sprintf("%q", v)
}
