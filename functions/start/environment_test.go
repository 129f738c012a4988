package start

import (
	"strings"
	"testing"
)

func TestNamesOfAnAccountArePlain(t *testing.T) {
	for _, c := range []struct {
		name string
		want bool
	}{
		{"handschlag-dev", true}, {"h2", true}, {"0-", true}, {strings.Repeat("a", 41), true},
		{"h", false}, {"-dev", false}, {"Handschlag", false}, {"hand_schlag", false}, {"händschlag", false}, {"a b", false}, {strings.Repeat("a", 42), false},
	} {
		if got := nameable(c.name); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
