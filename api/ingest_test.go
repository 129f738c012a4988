package api

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

// The hand-written answer is byte for byte what the encoder writes.
func TestTheIngestAnswerIsWhatTheEncoderWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		result := rapid.Custom(func(t *rapid.T) flow.Result {
			return flow.Result{
				MessageID: rapid.String().Draw(t, "id"), Outcome: rapid.SampledFrom([]string{"admitted", "refused", "invalid", "duplicate"}).Draw(t, "outcome"),
				Purposes: rapid.SliceOfN(rapid.SampledFrom(consent.Purposes), 0, 3).Draw(t, "purposes"), Rules: rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "rules"),
				Code: rapid.String().Draw(t, "code"), Detail: rapid.String().Draw(t, "detail"),
			}
		})
		out := flow.IngestAnswer{
			Success: rapid.Bool().Draw(t, "success"), Admitted: rapid.Int().Draw(t, "admitted"), Refused: rapid.Int().Draw(t, "refused"),
			Invalid: rapid.Int().Draw(t, "invalid"), Duplicate: rapid.Int().Draw(t, "duplicate"), Results: rapid.SliceOf(result).Draw(t, "results"),
		}
		want, err := encode(out)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendIngest(nil, out); string(got) != string(want) {
			t.Errorf("want %s\n got %s", want, got)
		}
	})
}
