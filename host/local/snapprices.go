package local

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/handschlag/handschlag/price"
)

type priceRow struct {
	Product    string `parquet:"product_id,dict"`
	Storefront string `parquet:"storefront,dict"`
	Channel    string `parquet:"channel,dict"`
	Currency   string `parquet:"currency,dict"`
	FromMS     int64  `parquet:"from_ms"`
	ToMS       *int64 `parquet:"to_ms,optional"` // null: still in force
	GrossCents int64  `parquet:"gross_cents"`
	Announced  bool   `parquet:"announced"`
}

// prices writes every history as of the snapshot.
func (f folder) prices(r pebble.Reader) error {
	return table(f, "prices", func(add func(priceRow) error) error {
		return under(r, []byte{tabPrice}, func(_, v []byte) error {
			var history []price.Interval
			if err := json.Unmarshal(v, &history); err != nil {
				return fmt.Errorf("unreadable price history: %w", err)
			}
			for _, i := range history {
				if err := add(priceRow{i.Product, i.Storefront, i.Channel, i.Currency, i.From.UnixMilli(), milli(i.To), i.GrossCents, i.Announced}); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func milli(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
