package flow

import (
	"encoding/hex"

	"github.com/handschlag/handschlag/decide"
)

// Redacted is what an erasure leaves of a decision record: its place in the chain,
// its action, rules and time, and the hash of what it said. Nothing of it tells
// whom it was about or what was known.
func Redacted(r decide.Record) decide.Record {
	if r.Erased != "" {
		return r
	}
	hash := r.Hash()
	return decide.Record{
		ID: r.ID, Writer: r.Writer, N: r.N, Prev: r.Prev, Time: r.Time, Action: r.Action, Rules: r.Rules,
		Input: []byte("{}"), Result: []byte("{}"), Erased: hex.EncodeToString(hash[:]),
	}
}
