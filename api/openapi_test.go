package api

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// reach asks a documented operation of the running server.
func reach(h http.Handler, method, path string) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(strings.ToUpper(method), inBraces.ReplaceAllString(path, nobody), nil))
	return w.Code
}

func TestTheDocumentIsThatOfTheServer(t *testing.T) {
	d := openDoor(t)
	if !strings.HasPrefix(d.schemas.version, "3.1") {
		t.Errorf("want OpenAPI 3.1, got %s", d.schemas.version)
	}
	documented := map[string]bool{}
	ids := map[string]bool{}
	for path, item := range d.schemas.paths {
		for method, op := range item {
			documented[strings.ToUpper(method)+" "+path] = true
			if status := reach(d.h, method, path); status == 404 || status == 405 {
				t.Errorf("%s %s is documented but answers %d", method, path, status)
			}
			if ids[op.OperationID] {
				t.Errorf("operation id %s is there twice", op.OperationID)
			}
			ids[op.OperationID] = true
		}
	}
	for _, rt := range routes(nil) {
		for _, path := range append([]string{rt.path}, rt.also...) {
			if !documented[rt.method+" "+path] {
				t.Errorf("%s %s is served but not documented", rt.method, path)
			}
		}
	}
}

func TestEveryOperationSaysWhoMayAndWhatCanGoWrong(t *testing.T) {
	d := openDoor(t)
	for path, item := range d.schemas.paths {
		for method, op := range item {
			codes := slices.Collect(maps.Keys(op.Responses))
			if slices.Contains(open5, path) {
				if len(op.Security) != 0 {
					t.Errorf("%s %s is open but wants %v", method, path, op.Security)
				}
				continue
			}
			if len(op.Security) == 0 || !slices.Contains(codes, "401") || !slices.Contains(codes, "403") || !slices.Contains(codes, "503") {
				t.Errorf("%s %s: security %v, answers %v", method, path, op.Security, codes)
			}
		}
	}
}

// Every schema compiles, so that a client can be made from the document.
func TestEverySchemaOfTheDocumentIsOne(t *testing.T) {
	d := openDoor(t)
	for path, item := range d.schemas.paths {
		for method, op := range item {
			for status, r := range op.Responses {
				for media := range r.Content {
					d.schemas.at(t, "/paths/"+escape(path)+"/"+method+"/responses/"+status+"/content/"+escape(media)+"/schema")
				}
			}
		}
	}
}

// design.md's own examples are what the document asks for.
func TestTheExamplesOfTheDesignFitTheDocument(t *testing.T) {
	d := openDoor(t)
	for path, example := range map[string]any{
		"/v1/consent":  yes("analytics"),
		"/v1/escalate": map[string]any{"anonymousId": device, "page": map[string]any{"product_id": "B12"}, "asked": false},
		"/v1/handover": map[string]any{"token": "t", "channel": "video"},
		"/v1/variant":  map[string]any{"anonymousId": device, "slot": "home_hero", "locale": "de"},
		"/v1/price":    jsonOf(quote()),
		"/v1/batch":    map[string]any{"batch": []any{map[string]any{"type": "page", "anonymousId": device}}},
	} {
		s := d.schemas.at(t, "/paths/"+escape(path)+"/post/requestBody/content/application~1json/schema")
		if err := s.Validate(jsonOf(example)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Whoever asks one Lambda for the document makes a client of the whole shop.
func TestALambdaServesItsGroupAloneAndDocumentsTheShop(t *testing.T) {
	d := openDoor(t, func(o *Options) { o.Groups = []Group{GroupPrice} })
	for path, status := range map[string]int{"/v1/price": 401, "/v1/batch": 404, "/v1/escalate": 404} {
		if g := d.do(call{method: "POST", path: path, body: "{}"}); g.status != status {
			t.Errorf("%s: want %d, got %d", path, status, g.status)
		}
	}
	for _, f := range Functions() {
		for _, at := range f.Routes {
			if _, path, _ := strings.Cut(at, " "); at != Preflight && d.schemas.paths[path] == nil {
				t.Errorf("%s is not documented", at)
			}
		}
	}
}
