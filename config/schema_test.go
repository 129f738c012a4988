package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// handschlag.schema.json is for editors, which show keys and values while
// typing. It is made from the Go types here; Parse stays the judge, and says
// more than a schema can.

type object = map[string]any

// narrower are the paths whose values are a closed list or a range.
var narrower = map[string]object{
	"offers.channels.items":                                            {"enum": config.Channels},
	"offers.hours.items.properties.day":                                {"enum": config.Days},
	"offers.holdout":                                                   {"minimum": 0, "maximum": 1},
	"exports.k":                                                        {"minimum": 10},
	"learning.publish.items":                                           {"enum": config.LearningParts},
	"exports.channels.items.properties.role":                           {"enum": []string{"processor", "controller"}},
	"exports.channels.items.properties.double_opt_in":                  {"enum": config.DoubleOptIns},
	"exports.channels.items.properties.fields.items":                   {"enum": config.ExportFields},
	"ui_versions.items.properties.default_state":                       {"enum": []string{"off", "on"}},
	"sensitive_categories.*":                                           {"enum": consent.SpecialCategories},
	"segments.items.properties.special":                                {"enum": consent.SpecialCategories},
	"slots.*.properties.kind":                                          {"enum": config.SlotKinds},
	"decision_types.*.properties.significance":                         {"enum": config.Significances},
	"decision_types.*.properties.art22_ground":                         {"enum": config.Grounds},
	"notices.items.properties.elements.items":                          {"enum": config.NoticeElements},
	"ui_versions.items.properties.review.properties.patterns.items":    {"enum": config.PatternFlags},
	"register.recipients.items.properties.role":                        {"enum": config.Roles},
	"register.recipients.items.properties.transfer":                    {"enum": config.TransferTools},
	"register.identifiers.items.properties.kind":                       {"enum": config.IdentifierKinds},
	"register.processings.items.properties.basis":                      {"enum": config.Bases},
	"slots.*.properties.variants.items.properties.pattern_flags.items": {"enum": config.PatternFlags},
	"slots.*.properties.variants.items.properties.legal_blocks.items":  {"enum": config.LegalBlocks},
}

func schemaOf(t reflect.Type, path string) object {
	s := plainSchema(t, path)
	for k, v := range narrower[path] {
		s[k] = v
	}
	return s
}

func plainSchema(t reflect.Type, path string) object {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return object{"type": "string", "pattern": `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`}
	case t == reflect.TypeFor[consent.Purpose]():
		return object{"type": "string", "enum": consent.Purposes}
	}
	switch t.Kind() {
	case reflect.Struct:
		return structSchema(t, path)
	case reflect.Map:
		return object{"type": []string{"object", "null"}, "additionalProperties": schemaOf(t.Elem(), path+".*")}
	case reflect.Slice:
		return object{"type": []string{"array", "null"}, "items": schemaOf(t.Elem(), path+".items")}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.String:
		return object{"type": "string"}
	}
	return object{"type": "integer"}
}

func structSchema(t reflect.Type, path string) object {
	properties, prefix := object{}, path+".properties."
	if strings.Count(path, ".") == 0 {
		prefix = path + "."
	}
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("yaml")
		if tag == "" {
			tag = f.Tag.Get("json")
		}
		if key, _, _ := strings.Cut(tag, ","); key != "-" {
			properties[key] = schemaOf(f.Type, strings.TrimPrefix(prefix, ".")+key)
		}
	}
	return object{"type": "object", "properties": properties, "additionalProperties": false}
}

const schemaFile = "handschlag.schema.json"

func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	s := schemaOf(reflect.TypeFor[config.Config](), "")
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", "handschlag.yaml"
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, schemaFile, append(b, '\n'))
	for path := range narrower {
		if last := path[strings.LastIndex(path, ".")+1:]; last != "items" && last != "*" && !strings.Contains(string(b), `"`+last+`"`) {
			t.Errorf("no such path: %s", path)
		}
	}
}

func TestTheSchemaTellsGoodFilesFromBad(t *testing.T) {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	broken, err := os.ReadFile(filepath.Join("testdata", "broken.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		yaml string
		good bool
	}{
		"the default":          {string(config.DefaultYAML()), true},
		"one key":              {"offers: {holdout: 0.1}", true},
		"the broken one":       {strings.Replace(string(broken), "  need_hint: 25\n", "", 1), false},
		"an unknown key":       {"offers: {holdouts: 0.1}", false},
		"a share above one":    {"offers: {holdout: 1.1}", false},
		"a small k":            {"exports: {k: 9}", false},
		"an unknown channel":   {"offers: {channels: [fax]}", false},
		"an unknown block":     {"slots: {s: {variants: [{id: a, legal_blocks: [nothing]}]}}", false},
		"an unknown category":  {"sensitive_categories: {a: b}", false},
		"a special segment":    {"segments: [{name: a, title: {de: A, en: A}, where: a > 0, special: health}]", true},
		"an unknown tag":       {"segments: [{name: a, special: healthy}]", false},
		"an unknown role":      {"register: {recipients: [{id: a, role: friend}]}", false},
		"an unknown basis":     {"register: {processings: [{purpose: analytics, basis: consent}]}", false},
		"an unknown weekday":   {"offers: {hours: [{day: monday}]}", false},
		"a span without units": {"offers: {min_gap: '5'}", false},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := yaml.YAMLToJSON([]byte(c.yaml))
			if err != nil {
				t.Fatal(err)
			}
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(v); (err == nil) != c.good {
				t.Errorf("got %v", err)
			}
		})
	}
}
