package segment

import (
	"testing"

	"github.com/handschlag/handschlag/batch/learn/value"
)

func TestFlagsOfValueAreSaidInWords(t *testing.T) {
	for _, f := range []value.Flag{value.NoHistories, value.NoRepeat, value.NobodyLeaves, value.LeavingAlike, value.OrderingAlike,
		value.SpendAlike, value.NoSpend, value.FewRepeats, value.NobodyReturns, value.NotConverged} {
		if w := flagWords(f); w.De == string(f) || w.En == string(f) || w.De == "" || w.En == "" {
			t.Errorf("%q is shown as %+v", f, w)
		}
	}
}
