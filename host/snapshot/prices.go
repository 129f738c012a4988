package snapshot

import (
	"time"

	"github.com/handschlag/handschlag/price"
)

// PriceRow is a row of prices.parquet: one interval of a price history.
type PriceRow = priceRow

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

// Prices writes prices.parquet.
func (to Replace) Prices(histories Each[[]price.Interval]) error {
	return table(to, "prices", func(add func(PriceRow) error) error {
		return histories(func(history []price.Interval) error {
			for _, i := range history {
				if err := add(PriceRow{i.Product, i.Storefront, i.Channel, i.Currency, i.From.UnixMilli(), milli(i.To), i.GrossCents, i.Announced}); err != nil {
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
