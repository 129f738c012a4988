package api

import (
	"slices"
	"testing"
)

func TestEachRouteLeadsToOneFunction(t *testing.T) {
	var led []string
	for _, f := range Functions() {
		if f.Memory < 128 || f.Seconds < 1 || len(f.Routes) == 0 {
			t.Errorf("%s: %d MB, %d s, %d routes", f.Name, f.Memory, f.Seconds, len(f.Routes))
		}
		led = append(led, f.Routes...)
	}
	for _, rt := range routes(nil) {
		for _, path := range append([]string{rt.path}, rt.also...) {
			i := slices.Index(led, rt.method+" "+path)
			if i < 0 {
				t.Errorf("%s %s leads nowhere", rt.method, path)
				continue
			}
			led = slices.Delete(led, i, i+1)
		}
	}
	if len(led) != 1 || led[0] != Preflight {
		t.Errorf("%v lead to two functions, or to no route", led)
	}
}
