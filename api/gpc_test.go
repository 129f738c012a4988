package api

import (
	"net/http"
	"testing"
	"time"
)

// P4 of law.md 4.3, and P1 to P3 through real headers.
func TestSIG01DenyByHeaderAndSayItIsHonoured(t *testing.T) {
	d := openDoor(t)
	got := d.do(call{method: "GET", path: "/.well-known/gpc.json"})
	last, _ := got.json["lastUpdate"].(string)
	if _, err := time.Parse(time.DateOnly, last); got.status != http.StatusOK || got.json["gpc"] != true || err != nil {
		t.Errorf("%d %s", got.status, got.raw)
	}
	for header, want := range map[string]string{"0": "renewed", "true": "renewed", "1;x": "renewed", "1": "withdrawn"} {
		d.do(call{method: "POST", path: "/v1/consent", as: "write", body: yes("ads_third_party")})
		c := call{method: "POST", path: "/v1/consent", as: "write", body: yes("ads_third_party"), header: map[string]string{"Sec-GPC": header}}
		answer := d.do(c)
		purpose, _ := answer.json["purposes"].(map[string]any)["ads_third_party"].(map[string]any)
		mode, _ := answer.json["consent_mode"].(map[string]any)
		if purpose["status"] != want || len(mode) != 7 || (mode["ad_storage"] == "denied") != (header == "1") {
			t.Errorf("Sec-GPC: %q: %s", header, answer.raw)
		}
	}
}
