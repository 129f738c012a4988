package event

// Product is a server fact from the shop's imported catalogue (design.md, 13).
type Product struct {
	ID         string   `json:"product_id"`
	Category   string   `json:"category"`
	Class      string   `json:"product_class"` // simple | standard | complex | premium | contract
	PriceCents int64    `json:"price_cents"`
	Stock      int64    `json:"stock"`
	Locales    []string `json:"locales,omitempty"`
	Tags       []string `json:"tags,omitempty"` // sensitive tags, of consent.SpecialCategories
}

// Catalogue answers questions about products from a snapshot in memory.
type Catalogue interface {
	// Product finds a product by id. Its Tags are its own and its category's.
	Product(id string) (Product, bool)
	// Words keeps those words of a search that the catalogue knows (product ids
	// and category words, lower case), in order, at most eight.
	Words(query string) []string
	// Tags are the sensitive tags of a category, as imported with its products or
	// named in the configuration.
	Tags(category string) []string
	// Article reports whether a text is exactly a product id, whatever its case.
	Article(text string) bool
	// Category finds a category as the catalogue writes it, whatever its case.
	Category(name string) (string, bool)
	// TextTags are the sensitive tags that the words of a search or a path give away.
	TextTags(text string) []string
}
