package demo

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"
)

// A quote that announces no reduction claims nothing, though its claim is allowed.
func TestOnlyAnnouncementsAreClaims(t *testing.T) {
	sum := Summary{Prices: map[string]int{}}
	for _, q := range []struct {
		kind         string
		price, claim bool
	}{{"none", true, true}, {"none", false, true}, {"", true, true}, {"percent", true, true}, {"percent", true, false}, {"strike", false, false}} {
		var d decision
		d.Record.Input, _ = json.Marshal(object{"quote": object{"announcement": object{"kind": q.kind}}})
		d.Record.Result, _ = json.Marshal(object{"price_allowed": q.price, "claim_allowed": q.claim})
		if err := sum.price(d); err != nil {
			t.Fatal(err)
		}
	}
	if want := map[string]int{"price allowed": 4, "price denied": 2, "claim allowed": 1, "claim denied": 2}; !maps.Equal(sum.Prices, want) {
		t.Errorf("%v, want %v", sum.Prices, want)
	}
}

// A number is withheld for more reasons than being under k: the summary names none
// that may be untrue.
func TestAWithheldNumberIsNotCalledSmall(t *testing.T) {
	var sum Summary
	manifest := `{"k":25,"segments":[{"segment":"most_valuable","members":null,"withheld":"one_sensitive_value","channels":[{"channel":"email","published":true,"rows":31,"consent_loss":null}]}]}`
	if err := json.Unmarshal([]byte(manifest), &sum.Export.Manifest); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	sum.Print(&out)
	if !strings.Contains(out.String(), "members withheld → email 31 (consent loss withheld)") || strings.Contains(out.String(), "under k") {
		t.Errorf("printed\n%s", out.String())
	}
}
