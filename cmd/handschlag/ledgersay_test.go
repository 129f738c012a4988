package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/consent/ledger"
)

// What was verified and what the book accounts for may differ by leaves that came
// meanwhile: the output says so, instead of giving two numbers.
func TestLeavesThatCameMeanwhileAreNamed(t *testing.T) {
	for _, c := range []struct {
		unsealed, leaves int64
		want             []string
	}{
		{0, 1468, []string{"1468 leaves verified in 16 files", "1468 of 1468 leaves are open"}},
		{1, 1468, []string{"\n1 newer leaf is not sealed yet: the next checkpoint covers it\n"}},
		{2, 1468, []string{"\n2 newer leaves are not sealed yet: the next checkpoint covers them\n"}},
		{0, 1469, []string{"\n1 newer leaf was sealed meanwhile: the same command verifies it too\n", "1469 of 1469 leaves are open"}},
		{0, 1470, []string{"\n2 newer leaves were sealed meanwhile: the same command verifies them too\n"}},
	} {
		var b bytes.Buffer
		s := streams{out: &b}
		s.verified(ledger.Report{Origin: "shop", Size: 1468, Files: 16, Unsealed: c.unsealed})
		if err := s.accounted(ledger.Accounts{Leaves: c.leaves, Open: c.leaves, FirstMissing: -1}, 1468); err != nil {
			t.Fatal(err)
		}
		for _, w := range c.want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%d unsealed, %d leaves: nowhere %q in\n%s", c.unsealed, c.leaves, w, b.String())
			}
		}
		if newer := c.unsealed + c.leaves - 1468; (newer > 0) != strings.Contains(b.String(), " newer ") {
			t.Errorf("%d newer: %s", newer, b.String())
		}
	}
}
