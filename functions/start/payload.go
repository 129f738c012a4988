package start

import (
	"bytes"
	"encoding/json"
	"io"
)

// asksFor reports whether a payload is {"handschlag":TASK}, and nothing else.
func asksFor(payload []byte, task string) bool {
	var p struct {
		Handschlag string `json:"handschlag"`
	}
	dec := json.NewDecoder(bytes.NewReader(payload))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || p.Handschlag != task {
		return false
	}
	_, err := dec.Token()
	return err == io.EOF
}
