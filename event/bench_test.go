package event

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// sample is one event of some 400 bytes without its context, as a browser sends it.
func sample(n int) string {
	return fmt.Sprintf(`{"type":"track","event":"Product Viewed","messageId":"ajs-next-1795000000-%032d",`+
		`"anonymousId":"0f8fad5b-d9cb-469f-a165-70867728950e","timestamp":"2026-11-21T09:59:58.%03dZ",`+
		`"context":{"consent":{"categoryPreferences":{"Analytics":true,"Advertising":false}},"locale":"de-DE",`+
		`"page":{"path":"/products/b12","referrer":"https://www.example.com/"}},`+
		`"properties":{"product_id":"B12","category":"Shoes","variant":"42","price":99.95,"quantity":1}}`, n, n%1000)
}

func sampleBatch(n int) []byte {
	items := make([]string, n)
	for i := range items {
		items[i] = sample(i)
	}
	return []byte(`{"batch":[` + strings.Join(items, ",") + `],"writeKey":"k","sentAt":"2026-11-21T10:00:00.000Z"}`)
}

var shop = NewCatalogue([]Product{
	{ID: "B12", Category: "Shoes", Class: "standard", PriceCents: 9995, Stock: 5},
	{ID: "P1", Category: "Pregnancy tests", Class: "simple", PriceCents: 599, Stock: 5, Tags: []string{"pregnancy"}},
}, nil)

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{1, 20, 100} {
		body := sampleBatch(n)
		b.Run(fmt.Sprintf("batch=%d", n), func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseBatch(body); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
}

// BenchmarkParseLibrary reads the same bodies with the library that ParseBatch is
// held to: its tokens alone, and into structs.
func BenchmarkParseLibrary(b *testing.B) {
	body := sampleBatch(20)
	b.Run("tokens", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if !jsontext.Value(body).IsValid() {
				b.Fatal("not valid")
			}
		}
	})
	b.Run("structs", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var e struct {
				Batch []struct {
					Type, Event, MessageID, AnonymousID, UserID, Timestamp string
					Context                                                struct {
						Consent struct{ CategoryPreferences map[string]bool }
						Locale  string
						Page    struct{ Path, Referrer string }
					}
					Properties struct {
						Product_id, Category, Variant string
						Quantity                      int64
					}
				}
				WriteKey, SentAt string
			}
			if err := json.Unmarshal(body, &e, json.MatchCaseInsensitiveNames(true)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCoarse(b *testing.B) {
	e, err := ParseBatch(sampleBatch(1))
	if err != nil {
		b.Fatal(err)
	}
	raw, now := e.Items[0].Raw, time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		raw.Coarse(shop, nil, time.UTC, nil, raw.Occurred(now))
	}
}
