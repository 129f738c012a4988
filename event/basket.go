package event

// basket takes over the lines whose products the catalogue knows. A sensitive
// line without explicit consent is taken out, and with it the total, which would
// give it away (SPC-02).
func (c *coarsening) basket() {
	f, whole := &c.out.Fields, true
	for i := range c.lines {
		item, tags, ok := c.line(&c.lines[i])
		switch {
		case !ok:
			whole = false
		case !c.allowed(tags):
			whole = false
			c.out.Removed++
		default:
			f.Items = append(f.Items, item)
			f.CartCents = min(f.CartCents+item.Quantity*item.PriceCents, most)
			c.tag(tags)
		}
	}
	if !c.kind.basket() {
		f.CartCents = 0
	} else if c.trusted && c.out.Removed == 0 && (c.total.sent || c.revenue.sent) {
		f.CartCents = within(c.total, 0, most)
		if !c.total.sent {
			f.CartCents = within(c.revenue, 0, most)
		}
	} else if !whole {
		f.CartCents = 0
	}
}

func (c *coarsening) allowed(tags []string) bool {
	for _, t := range tags {
		if !c.explicit(t) {
			return false
		}
	}
	return true
}

// line is one line and the tags it bears. The shop's own server may name products
// that the catalogue does not have (any more), and tells the price that was paid.
func (c *coarsening) line(l *line) (item Item, tags []string, ok bool) {
	p, known := c.cat.Product(l.product)
	if !known {
		p.ID = c.code(l.product)
	}
	if p.ID == "" || !known && !c.trusted {
		return Item{}, nil, false
	}
	item = Item{Product: p.ID, Quantity: 1, PriceCents: p.PriceCents}
	if l.quantity.sent {
		item.Quantity = within(l.quantity, 0, 1e6)
	}
	if c.trusted && l.cents.sent {
		item.PriceCents = within(l.cents, 0, 1e10)
	}
	return item, union(p.Tags, c.cat.Tags(l.category)), true
}
