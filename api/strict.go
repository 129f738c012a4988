package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"

	"github.com/handschlag/handschlag/flow"
)

// maxDepth is how deep a body may nest. No route needs more than six.
const maxDepth = 64

// decode reads one JSON object strictly: duplicate keys, invalid UTF-8, trailing
// data and deep nesting are 400; a wrong type is 422 and names the field. Keys
// that out has no field for are ignored unless only is set; then they are 422.
func decode(body []byte, out any, only bool) error {
	if err := shape(body); err != nil {
		return err
	}
	return judge(json.Unmarshal(body, out, json.RejectUnknownMembers(only)))
}

// shape refuses what is no object, or nests too deep to look at.
func shape(body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return &flow.Fault{Status: http.StatusBadRequest, Code: "body_missing", Detail: "want a JSON object"}
	}
	if depth(body) > maxDepth {
		return &flow.Fault{Status: http.StatusBadRequest, Code: "too_deep", Detail: fmt.Sprintf("nested more than %d levels", maxDepth)}
	}
	if k := jsontext.Value(bytes.TrimSpace(body)).Kind(); k != '{' {
		return &flow.Fault{Status: http.StatusBadRequest, Code: "malformed", Detail: "want a JSON object"}
	}
	return nil
}

// depth is the deepest nesting, without recursion. It stops one past maxDepth.
func depth(body []byte) int {
	deepest, at, inString := 0, 0, false
	for i := 0; i < len(body) && deepest <= maxDepth; i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{', c == '[':
			at++
			deepest = max(deepest, at)
		case c == '}', c == ']':
			at--
		}
	}
	return deepest
}

// judge turns a decoder's error into the envelope error it means.
func judge(err error) error {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &flow.Fault{Status: http.StatusBadRequest, Code: "duplicate_key", Detail: field(pointer(err)) + " appears twice"}
	case errors.As(err, &syntax):
		return &flow.Fault{Status: http.StatusBadRequest, Code: "malformed", Detail: fmt.Sprintf("not valid JSON at byte %d", syntax.ByteOffset)}
	case errors.Is(err, json.ErrUnknownName):
		return &flow.Fault{Status: http.StatusUnprocessableEntity, Code: "unknown_field", Detail: field(pointer(err)) + " is not a field of this call"}
	case errors.As(err, &meaning):
		return &flow.Fault{Status: http.StatusUnprocessableEntity, Code: "wrong_type", Detail: field(string(meaning.JSONPointer)) + ": want " + wanted(meaning.GoType)}
	}
	return &flow.Fault{Status: http.StatusBadRequest, Code: "malformed", Detail: "not valid JSON"}
}

func pointer(err error) string {
	var syntax *jsontext.SyntacticError
	var meaning *json.SemanticError
	if errors.As(err, &syntax) {
		return string(syntax.JSONPointer)
	}
	if errors.As(err, &meaning) {
		return string(meaning.JSONPointer)
	}
	return ""
}

// field prints a JSON pointer as the path a shop engineer writes: a.b.0. It is
// the sender's own text, so it is cut short and made printable.
func field(pointer string) string {
	path := strings.ReplaceAll(strings.TrimPrefix(pointer, "/"), "/", ".")
	if path == "" {
		return "the body"
	}
	if len(path) > 100 {
		path = path[:100] + "…"
	}
	return strings.ToValidUTF8(strings.Map(printable, path), "?")
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return '?'
}

func wanted(t reflect.Type) string {
	if t == nil {
		return "another type"
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t.String() == "time.Time":
		return "an RFC 3339 time"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "a string"
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		return "an array"
	case t.Kind() == reflect.Map, t.Kind() == reflect.Struct:
		return "an object"
	}
	return "a whole number"
}

// encode writes answers: lists are never null, keys are in a fixed order.
func encode(v any) ([]byte, error) {
	return json.Marshal(v, jsonv1.OmitEmptyWithLegacySemantics(true), json.Deterministic(true))
}
