package event

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// NewCatalogue makes a catalogue of products, and of the sensitive tag that the
// configuration gives to a category (whatever its case). A product bears its own
// tags and its category's. A category bears a tag if the configuration says so or
// if at least half of its products bear it: a shelf tells what is mostly on it.
func NewCatalogue(products []Product, categoryTags map[string]string) Catalogue {
	c := &catalogue{
		products: make(map[string]Product, len(products)), articles: make(map[string][]string, len(products)),
		categories: map[string]*category{}, words: map[string][]string{},
	}
	for name, tag := range categoryTags {
		s := c.category(name)
		s.tags = union(s.tags, []string{tag})
	}
	for _, p := range products {
		c.category(p.Category).count(p.Tags)
	}
	for key, s := range c.categories {
		s.settle()
		c.learn(key, s)
	}
	for _, s := range slices.Collect(maps.Values(c.categories)) {
		c.categories[s.name] = s // as it is written, the common case
	}
	for _, p := range products {
		p.Tags = union(slices.Sorted(slices.Values(p.Tags)), c.Tags(p.Category))
		c.products[p.ID] = p
		key := strings.ToLower(p.ID)
		c.articles[key] = union(c.articles[key], p.Tags)
		c.sensitive = c.sensitive || len(p.Tags) > 0
	}
	return c
}

type catalogue struct {
	products   map[string]Product
	articles   map[string][]string  // lower-case product id → tags
	categories map[string]*category // by lower-case name
	words      map[string][]string  // word of a category → tags that all categories with it bear
	secrets    []*category          // with tags
	sensitive  bool                 // any product or category has a tag
}

type category struct {
	name   string
	words  []string
	tags   []string
	size   int
	counts map[string]int
}

func (c *catalogue) category(name string) *category {
	key := strings.ToLower(strings.TrimSpace(name))
	s := c.categories[key]
	if s == nil {
		s = &category{name: strings.TrimSpace(name), words: slices.Collect(words(key)), counts: map[string]int{}}
		c.categories[key] = s
	}
	return s
}

func (s *category) count(tags []string) {
	s.size++
	for _, t := range union(nil, tags) {
		s.counts[t]++
	}
}

func (s *category) settle() {
	for t, n := range s.counts {
		if 2*n >= s.size {
			s.tags = union(s.tags, []string{t})
		}
	}
}

// learn enters a category's words. A word gives away a tag only if every
// category with that word bears it: "blue" does not.
func (c *catalogue) learn(key string, s *category) {
	if key == "" {
		return
	}
	if len(s.tags) > 0 {
		c.secrets, c.sensitive = append(c.secrets, s), true
	}
	for _, w := range s.words {
		if tags, known := c.words[w]; known {
			c.words[w] = intersection(tags, s.tags)
		} else {
			c.words[w] = s.tags
		}
	}
}

// Product finds a product by id, with its category's tags added to its own.
func (c *catalogue) Product(id string) (Product, bool) {
	p, ok := c.products[id]
	return p, ok
}

// Words keeps the words that the catalogue knows.
func (c *catalogue) Words(query string) []string {
	var out []string
	for text := range strings.FieldsSeq(strings.ToLower(query)) {
		if _, ok := c.articles[text]; ok {
			out = append(out, strings.Clone(text))
			continue
		}
		for w := range words(text) {
			if _, ok := c.words[w]; ok {
				out = append(out, strings.Clone(w))
			}
		}
	}
	return out[:min(len(out), 8)]
}

// Tags are a category's sensitive tags.
func (c *catalogue) Tags(name string) []string {
	if s := c.find(name); s != nil {
		return s.tags
	}
	return nil
}

// Article reports whether a text is exactly a product id.
func (c *catalogue) Article(text string) bool {
	_, ok := c.articles[strings.ToLower(strings.TrimSpace(text))]
	return ok
}

// Category finds a category as the catalogue writes it.
func (c *catalogue) Category(name string) (string, bool) {
	if s := c.find(name); s != nil && s.name != "" {
		return s.name, true
	}
	return "", false
}

func (c *catalogue) find(name string) *category {
	if name == "" {
		return nil
	}
	if s, ok := c.categories[name]; ok {
		return s
	}
	return c.categories[strings.ToLower(strings.TrimSpace(name))]
}

// TextTags are what the words of a search or a path give away: the tags of a
// product that it names, of a word that stands only for tagged categories, and of
// a tagged category all of whose words occur.
func (c *catalogue) TextTags(text string) []string {
	if !c.sensitive || text == "" {
		return nil
	}
	text = strings.ToLower(text)
	var tags []string
	for part := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '/' || r == ' ' }) {
		tags = union(tags, c.articles[part])
	}
	var room [16]string
	has := room[:0]
	for w := range words(text) {
		tags = union(tags, c.words[w])
		has = append(has, w)
	}
	for _, s := range c.secrets {
		if len(s.words) > 1 && subset(s.words, has) {
			tags = union(tags, s.tags)
		}
	}
	return tags
}

// words are the runs of letters and digits in a lower-case text, at least two
// characters each.
func words(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for w := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if len(w) > 1 && !yield(w) {
				return
			}
		}
	}
}

// union adds tags to a sorted set; it returns the set itself if nothing is new.
func union(set, tags []string) []string {
	for _, t := range tags {
		if i, found := slices.BinarySearch(set, t); !found && t != "" {
			set = slices.Insert(slices.Clip(set), i, t)
		}
	}
	return set
}

func intersection(a, b []string) []string {
	var out []string
	for _, t := range a {
		if slices.Contains(b, t) {
			out = append(out, t)
		}
	}
	return out
}

func subset(some, all []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}
