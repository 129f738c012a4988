package config

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// HANDSCHLAG_WRITE_DEFAULT=1 writes default.json anew.
func TestTheDefaultIsWhatItsFileSays(t *testing.T) {
	read, err := parseOver(defaultYAML, new(Config))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("HANDSCHLAG_WRITE_DEFAULT") != "" {
		b, err := json.MarshalIndent(read, "", " ")
		if err == nil {
			err = os.WriteFile("default.json", append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Log("default.json is written: run the test again")
		return
	}
	for i := range read.Segments {
		read.Segments[i].place = span{} // what the file looks like is no part of what it says
	}
	if !reflect.DeepEqual(Default(), read) {
		t.Error("default.json is not what the YAML says: HANDSCHLAG_WRITE_DEFAULT=1 go test ./config writes it anew")
	}
}
