package api

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkDoor is what the door itself costs: reading, credentials, metrics,
// log and answer, for a batch whose items are all invalid and so reach no store.
func BenchmarkDoor(b *testing.B) {
	for _, n := range []int{1, 20, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := openDoor(&testing.T{}, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(io.Discard, nil)) })
			item := `{"type":"track","messageId":"m","anonymousId":"` + device + `","properties":{"product_id":"B12"},"context":{"consent":{"categoryPreferences":{"analytics":true}}}}`
			body := []byte(`{"batch":[` + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + `]}`)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequest("POST", "/v1/batch", bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.SetBasicAuth(writeKey, "")
				d.h.ServeHTTP(discard{http.Header{}}, r)
			}
		})
	}
}
