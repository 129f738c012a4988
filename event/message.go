package event

// line is an entry of properties.products.
type line struct {
	product, category string
	quantity, cents   number
}

// property reads one member of an event's properties.
func (p *parser) property(m *item) {
	switch p.name() {
	case "product_id":
		p.text("properties.product_id", &m.product)
	case "category":
		p.text("properties.category", &m.category)
	case "variant":
		p.text("properties.variant", &m.variant)
	case "quantity":
		p.amount("properties.quantity", 0, &m.quantity)
	case "products":
		p.products(m)
	case "query":
		p.text("properties.query", &m.query)
	case "results":
		p.amount("properties.results", 0, &m.results)
	case "order_id":
		p.text("properties.order_id", &m.order)
	case "total":
		p.amount("properties.total", 2, &m.total)
	case "revenue":
		p.amount("properties.revenue", 2, &m.revenue)
	case "currency":
		p.text("properties.currency", &m.currency)
	case "step":
		p.amount("properties.step", 0, &m.step)
	case "error_class", "reason", "error":
		p.errorWords(m)
	case "decision_id":
		p.text("properties.decision_id", &m.decision)
	case "slot", "experiment_id":
		p.either("properties.slot", "slot", &m.slot)
	case "variant_id", "variation_id":
		p.either("properties.variant_id", "variant_id", &m.variantID)
	case "dwell_ms":
		p.amount("properties.dwell_ms", 0, &m.dwell)
	case "path", "url", "referrer":
		p.place("properties.", &m.path, &m.referrerHost)
	default:
		p.skip()
	}
}

// either reads a field that has two names; ours wins over Segment's.
func (p *parser) either(field, ours string, to *string) {
	if *to == "" || p.name() == ours {
		p.text(field, to)
		return
	}
	p.text(field, new(string))
}

// errorWords reads what went wrong, in whatever form it is told: only a class of
// four is kept of it.
func (p *parser) errorWords(m *item) {
	if p.peek() == '"' && (m.errorText == "" || p.name() == "error_class") {
		m.errorText = p.str()
		return
	}
	p.skip()
}

func (p *parser) products(m *item) {
	from := len(p.lines)
	if !p.list("properties.products") {
		return
	}
	for p.element() {
		if !p.object("properties.products[]") {
			continue
		}
		var l line
		for p.next() {
			switch p.name() {
			case "product_id":
				p.text("properties.products[].product_id", &l.product)
			case "category":
				p.text("properties.products[].category", &l.category)
			case "quantity":
				p.amount("properties.products[].quantity", 0, &l.quantity)
			case "price":
				p.amount("properties.products[].price", 2, &l.cents)
			default:
				p.skip()
			}
		}
		p.lines = append(p.lines, l)
	}
	m.lines = p.lines[from:len(p.lines):len(p.lines)]
}
