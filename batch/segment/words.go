package segment

import "strings"

// word stands for a string of a day's events; 0 is "".
type word int32

// The words that are known before any other: classes of goods that need advice, and
// the bands of the day.
const (
	firstPremium, lastPremium = word(1), word(3)
	firstHour, lastHour       = word(4), word(7)
)

var knownWords = []string{"", "complex", "premium", "contract", "night", "morning", "afternoon", "evening"}

// vocabulary is what words mean: their spelling, and the special categories (SPC-01)
// that they reveal as a product and as a category, as bits.
type vocabulary struct {
	spelt      []string
	asProduct  []int64
	asCategory []int64
}

func (v vocabulary) spell(x word) string { return v.spelt[x] }

// words numbers strings. It only ever grows, so that a vocabulary taken from it
// stays true while it goes on.
type words struct {
	vocabulary
	no                   map[string]word
	products, categories map[string]int64 // tags of those that have any
}

func newWords(products, categories map[string]int64) *words {
	w := &words{no: map[string]word{}, products: products, categories: categories}
	for _, s := range knownWords {
		w.of(s)
	}
	return w
}

// of gives a string's word.
func (w *words) of(s string) word {
	if x, known := w.no[s]; known {
		return x
	}
	s = strings.Clone(s)
	x := word(len(w.spelt))
	w.no[s] = x
	w.spelt, w.asProduct, w.asCategory = append(w.spelt, s), append(w.asProduct, w.products[s]), append(w.asCategory, w.categories[s])
	return x
}
