package event

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/handschlag/handschlag/consent"
)

// libraryReads is what go-json-experiment/json, strict as it is by default, makes
// of a body: the oracle for our scanner.
func libraryReads(body []byte) (map[string]any, error) {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return nil, err
	}
	m, _ := v.(map[string]any)
	return m, nil
}

// agree fails if ParseBatch and the library differ about a body: what we accept
// the library accepts and reads the same; what the library accepts we accept,
// unless one of our own limits speaks against it.
func agree(t *testing.T, body []byte) {
	t.Helper()
	e, err := ParseBatch(body)
	want, libErr := libraryReads(body)
	if err == nil && libErr != nil {
		t.Fatalf("we accept what the library rejects (%v): %q", libErr, body)
	}
	var bad *Malformed
	var many *TooMany
	switch {
	case errors.As(err, &many):
		return
	case errors.As(err, &bad):
		if bad.Offset < 0 || bad.Offset > len(body) {
			t.Fatalf("offset %d of %d", bad.Offset, len(body))
		}
		syntax := bad.Code == CodeMalformed || bad.Code == CodeDuplicateKey || bad.Code == CodeInvalidUTF8
		if syntax && libErr == nil {
			t.Fatalf("we reject (%v) what the library accepts: %q", bad, body)
		}
		return
	case err != nil:
		t.Fatalf("want *Malformed or *TooMany, got %T", err)
	}
	items, _ := want["batch"].([]any)
	if len(items) != len(e.Items) {
		t.Fatalf("%d items, the library reads %d", len(e.Items), len(items))
	}
	for i, m := range e.Items {
		item, _ := items[i].(map[string]any)
		sameMessage(t, m, item)
	}
}

func sameMessage(t *testing.T, m Message, item map[string]any) {
	t.Helper()
	text := func(v any) string { s, _ := v.(string); return s }
	if id := text(item["messageId"]); id != m.MessageID {
		t.Fatalf("messageId %q, the library reads %q", m.MessageID, id)
	}
	if m.Invalid != nil {
		return
	}
	if id := text(item["anonymousId"]); id != m.Raw.Device().Reveal() {
		t.Fatalf("anonymousId %q, the library reads %q", m.Raw.Device().Reveal(), id)
	}
	if id := text(item["userId"]); id != m.Raw.User().Reveal() {
		t.Fatalf("userId %q, the library reads %q", m.Raw.User().Reveal(), id)
	}
	if m.Raw.Kind() != kindOf(text(item["type"]), text(item["event"])) {
		t.Fatalf("kind %v", m.Raw.Kind())
	}
	p, _ := item["properties"].(map[string]any)
	if got := m.Raw.read().product; m.Raw.Kind() != Other && got != text(p["product_id"]) {
		t.Fatalf("product %q, the library reads %q", got, p["product_id"])
	}
	if got := m.Raw.read().query; m.Raw.Kind() != Other && got != text(p["query"]) {
		t.Fatalf("query %q, the library reads %q", got, p["query"])
	}
	c, _ := item["context"].(map[string]any)
	c, _ = c["consent"].(map[string]any)
	prefs, _ := c["categoryPreferences"].(map[string]any)
	got, _, _, _ := m.Raw.Consent()
	for k, v := range prefs {
		if b, isBool := v.(bool); isBool && got[k] != b || !isBool && got[k] != nil {
			t.Fatalf("preference %q is %v, the library reads %v", k, got[k], v)
		}
	}
}

var scanSeeds = []string{
	`{}`, `{"batch":[]}`, ` { "batch" : [ ] } `, `{"batch":[{}]}`, `{"batch":null}`, `[]`, ``, `null`, `{"batch":[],}`,
	`{"batch":[1,"a",null,true,{}]}`, `{"batch":[{"a":1,"a":2}]}`, `{"batch":[{"a":1,"\u0061":2}]}`,
	`{"batch":[{"x":{"y":[{"z":1,"z":1}]}}]}`, `{"batch":[]}x`, `{"batch":[]} {}`, "{\"batch\":[],\"a\":\"\x80\"}",
	`{"batch":[{"a":"\ud800"}]}`, `{"batch":[{"a":"\ud83d\ude00"}]}`, `{"batch":[{"a":"\ude00\ud83d"}]}`,
	`{"batch":[{"a":"\ud800\u0041"}]}`, `{"batch":[{"a":NaN}]}`, `{"batch":[{"a":1e400}]}`, `{"batch":[{"a":-0.0e-1}]}`,
	`{"batch":[{"a":01}]}`, `{"batch":[{"a":1.}]}`, `{"batch":[{"a":.1}]}`, `{"batch":[{"a":+1}]}`, `{"batch":[{"a":1E+}]}`,
	`{"batch":[{"a":"\x"}]}`, "{\"batch\":[{\"a\":\"\n\"}]}", `{"batch":[{"a":tru}]}`, `{"batch":[{"a":nulll}]}`, "\ufeff{}",
	`{"batch":[{"a":"` + strings.Repeat(`\"`, 40) + `"}]}`, `{"batch":[{"":{"":{"":1}}}]}`, "{\"batch\":[{\"a\":1\x00}]}",
	`{"batch":[{"type":"track","event":"Product Viewed","messageId":"a","anonymousId":"0123456789abcdef","properties":{"product_id":"B\u00312"}}]}`,
	`{"batch":[{"type":"track","event":5,"messageId":"a"},{"type":"page","userId":"u","context":{"consent":{"categoryPreferences":{"A":true,"B":false,"C":"x"}}}}]}`,
}

func TestScannerAgreesWithTheLibrary(t *testing.T) {
	for _, s := range scanSeeds {
		agree(t, []byte(s))
	}
	for _, line := range segmentSamples(t) {
		agree(t, []byte(`{"batch":[`+line+`]}`))
	}
}

// Every place of a good body, broken in every small way, is judged as the library
// judges it.
func TestScannerAgreesWithTheLibraryOnDamage(t *testing.T) {
	body := sampleBatch(1)
	for i := range body {
		for _, c := range []byte("\"\\{}[]:,0e.-t\x00\x80 ") {
			broken := []byte(string(body))
			broken[i] = c
			agree(t, broken)
		}
		agree(t, body[:i])
		agree(t, append(append(append([]byte{}, body[:i]...), '"'), body[i:]...))
	}
}

func FuzzParseBatch(f *testing.F) {
	for _, s := range scanSeeds {
		f.Add([]byte(s))
	}
	f.Add(sampleBatch(2))
	for _, line := range segmentSamples(f) {
		f.Add([]byte(`{"batch":[` + line + `]}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		agree(t, body)
		e, err := ParseSingle("track", body)
		if _, libErr := libraryReads(body); err == nil && libErr != nil {
			t.Fatalf("ParseSingle accepts what the library rejects: %v", libErr)
		}
		for _, m := range e.Items {
			m.Raw.Coarse(shop, func(_, v string) int64 { return int64(len(v)) }, nil, nil, m.Raw.Occurred(noon))
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"18.99", "-0.005", "1e3", "", "-", "1.", "0x1p4", "999999999999999999999", "NaN", "1_0"} {
		f.Add(s, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, places uint8) {
		p := int(places % 4)
		n, ok := decimal(text, p)
		want, err := strconv.ParseFloat(text, 64)
		if ok && err != nil && !errors.Is(err, strconv.ErrRange) {
			t.Fatalf("%q is no number", text)
		}
		if ok && math.Abs(want) < 1e6 && math.Abs(want*math.Pow10(p)-float64(n)) > 0.51 {
			t.Fatalf("%q with %d places is %d", text, p, n)
		}
	})
}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// The text is read once, so what it costs is bounded by its size, whatever is in it.
func TestHostileBodiesAreMalformed(t *testing.T) {
	many := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	deep := 100_000
	for _, c := range []struct{ name, body, code string }{
		{"100,000 arrays", `{"batch":` + strings.Repeat("[", deep), CodeTooDeep},
		{"100,000 objects", `{"batch":[` + strings.Repeat(`{"a":`, deep), CodeTooDeep},
		{"closed as well", `{"a":` + strings.Repeat("[", deep) + strings.Repeat("]", deep) + `}`, CodeTooDeep},
		{"NaN", `{"batch":[{"a":NaN}]}`, CodeMalformed},
		{"1e400", `{"batch":[{"a":1e400}]}`, CodeNumberRange},
		{"a number of 400 digits", `{"batch":[` + strings.Repeat("9", 400) + `]}`, CodeNumberRange},
		{"100,000 members", `{"batch":[{` + many(deep, func(i int) string { return fmt.Sprintf(`"k%d":0,`, i) }), CodeTooManyKeys},
		{"a duplicate among many", `{"batch":[{` + many(1000, func(i int) string { return fmt.Sprintf(`"k%d":0,`, i) }) + `"k7":1}]}`, CodeDuplicateKey},
		{"half of a surrogate pair", `{"batch":["\ud800"]}`, CodeInvalidUTF8},
		{"overlong UTF-8", "{\"batch\":[\"\xc0\xaf\"]}", CodeInvalidUTF8},
		{"no batch", `{"writeKey":"k"}`, CodeBatchMissing},
		{"batch of another type", `{"batch":"x"}`, CodeWrongType},
		{"not an object", `[1]`, CodeWrongType},
		{"writeKey of another type", `{"batch":[],"writeKey":5}`, CodeWrongType},
		{"trailing garbage", `{"batch":[]} x`, CodeMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseBatch([]byte(c.body))
			var bad *Malformed
			if !errors.As(err, &bad) || bad.Code != c.code {
				t.Fatalf("want %s, got %v", c.code, err)
			}
			if n := testing.AllocsPerRun(3, func() { _, _ = ParseBatch([]byte(c.body)) }); n > 150 {
				t.Errorf("%v allocations", n)
			}
			if len(bad.Error()) > 1000 {
				t.Errorf("an error of %d bytes", len(bad.Error()))
			}
		})
	}
}

func TestMalformedNamesThePlace(t *testing.T) {
	_, err := ParseBatch([]byte(`{"batch":[{},{"properties":{"a/b":[1,{"x":1,"x":2}]}}]}`))
	var bad *Malformed
	if !errors.As(err, &bad) || bad.Code != CodeDuplicateKey || bad.Pointer != "/batch/1/properties/a~1b/1/x" || bad.Offset != 44 {
		t.Fatalf("got %+v", bad)
	}
	if p := jsontext.Pointer(bad.Pointer); !p.IsValid() {
		t.Error("not a JSON pointer")
	}
}

func TestTooManyItemsIsTooMany(t *testing.T) {
	items := func(n int) []byte {
		return []byte(`{"batch":[` + strings.TrimSuffix(strings.Repeat(`{},`, n), ",") + `]}`)
	}
	if e, err := ParseBatch(items(MaxItems)); err != nil || len(e.Items) != MaxItems {
		t.Fatalf("%d items: %v", len(e.Items), err)
	}
	var many *TooMany
	if _, err := ParseBatch(items(MaxItems + 1)); !errors.As(err, &many) {
		t.Fatalf("want *TooMany, got %v", err)
	}
}

func TestABodyMayBeReused(t *testing.T) {
	body := sampleBatch(1)
	e, err := ParseBatch(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if e.Items[0].Raw.Device() == (consent.ID{}) || e.Items[0].Raw.Device().Reveal()[0] != '0' {
		t.Error("the message changed with the body")
	}
}
