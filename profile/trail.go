package profile

import (
	"time"

	"github.com/handschlag/handschlag/event"
)

// Trail is what an adviser's card may draw on, from the adviser_assist section.
type Trail struct {
	Orders   []Order      `json:"orders,omitempty"`   // last 5, oldest first
	Basket   []event.Item `json:"basket,omitempty"`   // now, at most 20 lines
	Searches []Search     `json:"searches,omitempty"` // last 10, oldest first
	Viewed   []Viewed     `json:"viewed,omitempty"`   // last 20 products, the latest last
	Compared [][2]string  `json:"compared,omitempty"` // last 10 pairs, the latest last
}

// Order is a completed order.
type Order struct {
	At    time.Time    `json:"at"`
	Cents int64        `json:"cents"`
	Items []event.Item `json:"items,omitempty"`
}

// Search holds the words of a search that the catalogue knows.
type Search struct {
	At    time.Time `json:"at"`
	Words []string  `json:"words,omitempty"`
	Exact bool      `json:"exact,omitempty"`
}

// Viewed is a product looked at, with the variants tried in order.
type Viewed struct {
	At       time.Time `json:"at"` // last
	Product  string    `json:"product_id"`
	Views    int64     `json:"views"`
	Variants []string  `json:"variants,omitempty"`
}

// Trail gives what the adviser_assist section remembers for the card.
func (p Profile) Trail() Trail { return Trail{} }
