package eval

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"testing"
)

// TestCDNOWsFiguresStay holds the fits to what was published of CDNOW: BG/NBD (Fader, Hardie,
// Lee, Marketing Science 24, 2005), Gamma-Gamma (Fader and Hardie, note 025), and
// the inertias of its groups. No hold-out is opened. The data may not be shipped: without
// them there is nothing to hold.
func TestCDNOWsFiguresStay(t *testing.T) {
	o := Options{Data: os.Getenv("EVAL_DATA"), TrainOnly: true, Opened: func(name string) { t.Errorf("%s was opened", name) }}
	if o.Data == "" {
		o.Data = "../../../shared/data"
	}
	f, err := o.Open(cdnow.Log)
	if errors.Is(err, fs.ErrNotExist) {
		t.Log("CDNOW is not present:", err)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	rows, err := Value(context.Background(), o, ValueFiles{})
	if err != nil {
		t.Fatal(err)
	}
	groups, err := Kmeans(context.Background(), o, KmeansFile{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range append(rows, groups...) {
		if got[r.Name] = r.Ours; r.Verdict != Pass && r.Verdict != Shown {
			t.Errorf("%+v", r)
		}
	}
	for name, want := range map[string]string{
		"CDNOW: histories unlike the published summary": "0",
		"BG/NBD r": "0.243", "BG/NBD α": "4.414", "BG/NBD a": "0.793", "BG/NBD b": "2.426", "BG/NBD log-likelihood": "-9582.4",
		"Gamma-Gamma p": "6.25", "Gamma-Gamma q": "3.74", "Gamma-Gamma γ": "15.44", "BG/NBD forecast of 39 weeks, orders": "1653.4",
		"CDNOW, inertia, k = 3": "19588", "CDNOW, inertia, k = 4": "15803", "CDNOW, inertia, k = 5": "13016", "CDNOW, inertia, k = 6": "11072",
	} {
		if got[name] != want {
			t.Errorf("%s: %s, published %s", name, got[name], want)
		}
	}
}
