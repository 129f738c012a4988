package start

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/functions/runtimeapi"
)

// The bootstrap, unmodified, with nothing in its environment.
func TestABootstrapThatCannotStartSaysWhyInOneLineAndLeaves(t *testing.T) {
	out := t.TempDir()
	if err := runtimeapi.Build(t.Context(), "../..", out, "", "rights"); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	f, err := runtimeapi.Start(out+"/rights/bootstrap", runtimeapi.Options{Name: "rights", Out: &said})
	if err != nil {
		t.Fatal(err)
	}
	err = f.Ready(t.Context())
	_ = f.Close()
	if err == nil || !strings.Contains(err.Error(), "left with code 1") {
		t.Errorf("want it to leave with code 1, got %v", err)
	}
	var line struct{ Level, Msg, Group, Error string }
	if err := json.Unmarshal(said.Bytes(), &line); err != nil || line.Level != "ERROR" || line.Group != "rights" {
		t.Fatalf("want one line, got %s", &said)
	}
	for _, want := range []string{
		"HANDSCHLAG_AWS is missing", "HANDSCHLAG_AWS_BUCKETS is missing", "AWS_REGION is missing", "AWS_ACCESS_KEY_ID is missing",
		"HANDSCHLAG_WRITE_KEY is missing", "HANDSCHLAG_SERVER_KEY is missing", "HANDSCHLAG_OIDC_ISSUER is missing", "HANDSCHLAG_OIDC_AUDIENCE is missing",
	} {
		if !strings.Contains(line.Error, want) {
			t.Errorf("want %q said, got %s", want, line.Error)
		}
	}
}
