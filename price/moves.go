package price

import (
	"slices"
	"time"
)

// Move is a change of price that a feed would make, with the facts by which a
// guard judges its size and speed. Package policy judges.
type Move struct {
	Product    string    `json:"product_id"`
	Storefront string    `json:"storefront"`
	Channel    string    `json:"channel"`
	Currency   string    `json:"currency"`
	At         time.Time `json:"at"`
	WasCents   int64     `json:"was_cents"` // the price before, without a gap
	NowCents   int64     `json:"now_cents"`
	DropBP     int64     `json:"drop_bp"` // how far below the price before, hundredths of a percent; 0 of a rise
	RiseBP     int64     `json:"rise_bp"`
	MovesDay   int64     `json:"moves_day"` // changes of this history in the 24 hours up to At, this one included
}

// Moves are the changes of price that adding rows to a history makes, in time
// order. Both are of one product, storefront, channel and currency; an error is
// Merge's. A first price, and one after a gap, is no change.
func Moves(history, rows []Interval) ([]Move, error) {
	merged, err := Merge(history, rows)
	if err != nil {
		return nil, err
	}
	var out []Move
	for i := 1; i < len(merged); i++ {
		was, is := merged[i-1], merged[i]
		if is.GrossCents == was.GrossCents || !is.From.Equal(was.To) || !slices.ContainsFunc(rows, func(r Interval) bool { return r.From.Equal(is.From) }) {
			continue
		}
		m := Move{Product: is.Product, Storefront: is.Storefront, Channel: is.Channel, Currency: is.Currency, At: is.From, WasCents: was.GrossCents, NowCents: is.GrossCents}
		m.DropBP, m.RiseBP = basisPoints(was.GrossCents, is.GrossCents)
		m.MovesDay = changesUpTo(merged[:i+1])
		out = append(out, m)
	}
	return out, nil
}

// basisPoints is by how much a price fell or rose, rounded up, so that a guard's
// limit is kept exactly.
func basisPoints(was, is int64) (drop, rise int64) {
	if was <= 0 {
		return 0, 0
	}
	up := func(n int64) int64 { return (n*10_000 + was - 1) / was }
	if is < was {
		return up(was - is), 0
	}
	return 0, up(is - was)
}

// changesUpTo counts the changes in the 24 hours up to the last interval's start.
func changesUpTo(h []Interval) (n int64) {
	last := h[len(h)-1].From
	for i := len(h) - 1; i > 0 && h[i].From.After(last.Add(-24*time.Hour)); i-- {
		if h[i].GrossCents != h[i-1].GrossCents && h[i].From.Equal(h[i-1].To) {
			n++
		}
	}
	return n
}
