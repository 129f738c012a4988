package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// Lists are never null in our answers (encode sees to that).
func init() { huma.DefaultArrayNullable = false }

// document makes the OpenAPI 3.1 document of the routes, from the types that
// they read and answer with.
func document(routes []route, version string) []byte {
	d := newDoc()
	paths := map[string]*huma.PathItem{}
	for _, rt := range routes {
		for i, at := range append([]string{rt.path}, rt.also...) {
			if paths[at] == nil {
				paths[at] = &huma.PathItem{}
			}
			op := d.operation(rt)
			if i > 0 {
				op.OperationID, op.Summary = rt.id+"Short", "Short form of "+rt.path
			}
			place(paths[at], rt.method, op)
			if rt.head {
				only := *op
				only.OperationID, only.Summary = rt.id+"Head", "Size, type and SHA-256 of what GET would answer with"
				paths[at].Head = &only
			}
		}
	}
	d.close()
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Handschlag", Version: version,
			Description: "No decision without consent, no decision without a reason, no policy change without a replay. A refusal is a 200 with reasons; every error carries a way to a human."},
		Paths:      paths,
		Components: &huma.Components{Schemas: d.registry, SecuritySchemes: schemes},
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("writing the OpenAPI document: %v", err))
	}
	return b
}

// schemes are the credentials of design.md.
var schemes = map[string]*huma.SecurityScheme{
	"writeKey":  {Type: "http", Scheme: "basic", Description: "The public write key as user name, or the body field writeKey. Acts on devices only."},
	"serverKey": {Type: "http", Scheme: "basic", Description: "The secret server key as user name, or the body field writeKey."},
	"identity":  {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The body field identity: a token of at most 15 minutes (sub, iat, exp), HS256 or EdDSA, signed by the shop's backend. As a Bearer token where there is no body."},
	"staff":     {Type: "http", Scheme: "bearer", Description: "An OIDC JWT with a role claim, or on loopback a static token. Roles: adviser, dpo, marketing, ops."},
}

// doc collects the schemas. One type has two: as it is asked for (nothing is
// required but what the call needs, unknown names are ignored) and as it is
// answered (everything is there, and nothing else).
type doc struct {
	registry huma.Registry
	asking   bool
}

func newDoc() *doc {
	d := &doc{}
	d.registry = huma.NewMapRegistry("#/components/schemas/", func(t reflect.Type, hint string) string {
		name := room(t) + huma.DefaultSchemaNamer(t, hint)
		if d.asking && !strings.HasSuffix(name, "Call") && !strings.HasSuffix(name, "Feed") {
			return name + "In"
		}
		return name
	})
	return d
}

// room prefixes the names of types of the rooms below flow: consent.Record and
// decide.Record are two.
func room(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name := path.Base(t.PkgPath())
	if t.PkgPath() == "" || name == "api" || name == "flow" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func (d *doc) operation(rt route) *huma.Operation {
	op := &huma.Operation{
		OperationID: rt.id, Summary: rt.say, Tags: []string{string(rt.group)}, Security: security(rt.who),
		Responses: map[string]*huma.Response{}, Parameters: parameters(rt),
	}
	if rt.limit > 0 {
		s := d.request(rt)
		op.RequestBody = &huma.RequestBody{Required: true, Description: fmt.Sprintf("At most %d bytes unpacked; Content-Encoding gzip is read.", rt.limit),
			Content: map[string]*huma.MediaType{"application/json": {Schema: s}, "text/plain": {Schema: s}}}
	}
	for _, status := range rt.status {
		op.Responses[strconv.Itoa(status)] = d.success(rt, status)
	}
	problem := map[string]*huma.MediaType{"application/json": {Schema: d.registry.Schema(reflect.TypeFor[Problem](), true, "Problem")}}
	for _, status := range rt.errors() {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Content: problem}
	}
	return op
}

func (d *doc) success(rt route, status int) *huma.Response {
	r := &huma.Response{Description: http.StatusText(status)}
	switch {
	case status == http.StatusPartialContent:
		r.Headers = map[string]*huma.Param{"Content-Range": {Description: "Which bytes of how many", Schema: &huma.Schema{Type: huma.TypeString}}}
		r.Content = map[string]*huma.MediaType{rt.kind: {Schema: &huma.Schema{Type: huma.TypeString}}}
	case status == http.StatusFound:
		r.Headers = map[string]*huma.Param{"Location": {Description: "Where the file can be fetched for five minutes, without a credential", Schema: &huma.Schema{Type: huma.TypeString}}}
	case rt.id == "price":
		one := d.registry.Schema(rt.out, true, "")
		many := d.registry.Schema(reflect.TypeFor[pricesAnswer](), true, "")
		r.Content = map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{OneOf: []*huma.Schema{one, many}}}}
	case rt.out != nil:
		r.Content = map[string]*huma.MediaType{"application/json": {Schema: d.registry.Schema(rt.out, true, "")}}
	case rt.kind == "application/json":
		r.Content = map[string]*huma.MediaType{rt.kind: {Schema: &huma.Schema{Type: huma.TypeObject}}}
	default:
		r.Content = map[string]*huma.MediaType{rt.kind: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	return r
}

// errors lists the statuses of a route's errors.
func (rt route) errors() []int {
	out := slices.Clone(rt.faults)
	if !rt.who.open {
		out = append(out, http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable)
	}
	if rt.limit > 0 {
		out = append(out, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// request describes a body. Credentials may travel in it where a key may call.
func (d *doc) request(rt route) *huma.Schema {
	if rt.group == GroupIngest {
		return ingestBody(rt)
	}
	d.asking = true
	defer func() { d.asking = false }()
	ref := d.registry.Schema(rt.in, true, "")
	d.relax(rt.in, rt)
	s := d.registry.SchemaFromRef(ref.Ref)
	s.Required = rt.needs
	if len(rt.who.roles) == 0 || rt.who.identity {
		s.Properties["writeKey"] = &huma.Schema{Type: huma.TypeString, Description: "The key, where no header can be sent."}
		s.Properties["identity"] = &huma.Schema{Type: huma.TypeString, Description: "Token of the shop's backend for an account."}
	}
	if rt.list != "" {
		return &huma.Schema{OneOf: []*huma.Schema{ref, s.Properties[rt.list]}}
	}
	if rt.id != "price" {
		return ref
	}
	many := &huma.Schema{Type: huma.TypeObject, Required: []string{"quotes"}, AdditionalProperties: false, Properties: map[string]*huma.Schema{
		"quotes":   {Type: huma.TypeArray, Items: ref, MinItems: ptr(1), MaxItems: ptr(maxQuotes)},
		"writeKey": s.Properties["writeKey"], "identity": s.Properties["identity"],
	}}
	s.Required = []string{"product_id"}
	return &huma.Schema{OneOf: []*huma.Schema{ref, many}}
}

// relax lets a body leave out, or set to null, what the call does not need.
func (d *doc) relax(t reflect.Type, rt route) {
	for name, s := range d.registry.Map() {
		asked := strings.HasSuffix(name, "Call") || strings.HasSuffix(name, "Feed") || strings.HasSuffix(name, "In")
		if !asked || s.Properties == nil {
			continue
		}
		s.Required, s.AdditionalProperties = nil, !rt.strict
		for _, p := range s.Properties {
			p.Nullable = p.Ref == "" && p.Type != huma.TypeArray
		}
	}
}

// closed are the closed lists of answers, by schema and property.
var closed = map[string][]any{
	"Result.outcome":         {flow.Admitted, flow.Refused, flow.Invalid, flow.Duplicate},
	"EscalateAnswer.offer":   {"none", "hint", "human"},
	"EscalateAnswer.hint":    {"filter", "size_guide", "search_help"},
	"EscalateAnswer.speaker": {flow.SpeakerHuman, flow.SpeakerMachine},
	"HandoverAnswer.speaker": {flow.SpeakerHuman, flow.SpeakerMachine},
	"VariantAnswer.speaker":  {flow.SpeakerHuman, flow.SpeakerMachine},
	"ProofAnswer.status":     {"pending", "covered"},
	"OutcomeAnswer.outcome":  {"helped", "not_needed", "sold", "follow_up"},
	"OutcomeCall.outcome":    {"helped", "not_needed", "sold", "follow_up"},
	"RightsAnswer.request":   {flow.RightObjection, flow.RightRestriction, flow.RightErasure},
	"RightsAnswer.status":    {flow.RightDone, flow.RightInProgress},
	"PurposeStanding.status": statuses(),
}

func statuses() []any {
	var out []any
	for _, s := range []consent.Status{
		consent.Unknown, consent.Requested, consent.RequestDeferred, consent.Refused, consent.Given, consent.Renewed, consent.Expired,
		consent.Invalidated, consent.Revoked, consent.Withdrawn,
	} {
		out = append(out, string(s))
	}
	return out
}

// close writes the closed lists into the schemas that are there.
func (d *doc) close() {
	for at, list := range closed {
		schema, property, _ := strings.Cut(at, ".")
		if s := d.registry.Map()[schema]; s != nil {
			p := s.Properties[property]
			p.Enum, p.Nullable = list, false
		}
	}
}

func ptr(n int) *int { return &n }

// ingestBody is Segment's, with as much as the gate reads; the rest may be there
// and is dropped.
func ingestBody(rt route) *huma.Schema {
	str, obj := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	message := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Properties: map[string]*huma.Schema{
		"type": {Type: huma.TypeString, Enum: []any{"track", "page", "screen", "identify", "group", "alias"}}, "event": str,
		"messageId": str, "anonymousId": {Type: huma.TypeString, MinLength: ptr(16), MaxLength: ptr(128)}, "userId": str, "previousId": str,
		"timestamp": str, "sentAt": str, "context": obj, "properties": obj, "traits": obj, "integrations": obj,
		"writeKey": str, "identity": str,
	}}
	if rt.id != "batch" {
		return message
	}
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Required: []string{"batch"}, Properties: map[string]*huma.Schema{
		"batch":  {Type: huma.TypeArray, Items: message, MaxItems: ptr(2500)},
		"sentAt": str, "context": obj, "writeKey": str, "identity": str,
	}}
}

var inBraces = regexp.MustCompile(`\{([a-z_]+)\}`)

func parameters(rt route) []*huma.Param {
	var out []*huma.Param
	for _, m := range inBraces.FindAllStringSubmatch(rt.path, -1) {
		out = append(out, &huma.Param{Name: m[1], In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}})
	}
	for _, q := range rt.query {
		out = append(out, &huma.Param{Name: q, In: "query", Schema: &huma.Schema{Type: huma.TypeString, Format: "date-time"}})
	}
	return out
}

// security lists the credentials of which one is enough.
func security(w rights) []map[string][]string {
	has := map[string]bool{"writeKey": w.write, "serverKey": w.server, "identity": w.identity, "staff": len(w.roles) > 0}
	out := []map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(has)) {
		if !has[name] {
			continue
		}
		var roles []string
		if name == "staff" {
			roles = w.roles
		}
		out = append(out, map[string][]string{name: append([]string{}, roles...)})
	}
	return out
}

func place(item *huma.PathItem, method string, op *huma.Operation) {
	switch method {
	case http.MethodGet:
		item.Get = op
	case http.MethodPut:
		item.Put = op
	default:
		item.Post = op
	}
}
