package learn

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestEqualSharesSumToAMillion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 200).Draw(t, "variants")
		var ids []string
		for i := range n {
			ids = append(ids, fmt.Sprintf("v%03d", i))
		}
		w, err := Equal(map[string][]string{"home_hero": ids})
		if err != nil {
			t.Fatal(err)
		}
		var sum, least, most int64 = 0, Million, 0
		for _, ppm := range w.Slots["home_hero"][""] {
			sum += ppm
			least, most = min(least, ppm), max(most, ppm)
		}
		if sum != Million || most-least > 1 || least < Floor {
			t.Fatalf("%d variants: sum %d, least %d, most %d", n, sum, least, most)
		}
	})
}

func TestEqualIsVersionedByContent(t *testing.T) {
	a, _ := Equal(map[string][]string{"x": {"a", "b"}, "y": {"c"}})
	b, _ := Equal(map[string][]string{"y": {"c"}, "x": {"b", "a"}})
	c, _ := Equal(map[string][]string{"x": {"a", "b"}})
	if a.Version != b.Version {
		t.Error("the same slots in another order have another version")
	}
	if a.Version == c.Version {
		t.Error("other slots have the same version")
	}
}

func TestEqualRefuses(t *testing.T) {
	many := make([]string, Million/Floor+1)
	for i := range many {
		many[i] = fmt.Sprint(i)
	}
	for name, ids := range map[string][]string{"no variants": nil, "twice": {"a", "a"}, "too many for the floor": many} {
		if _, err := Equal(map[string][]string{"s": ids}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
