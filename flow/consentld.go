package flow

import (
	"encoding/json"

	"github.com/handschlag/handschlag/consent"
)

type object = map[string]any

// LD is the proof as JSON-LD in the ISO/IEC TS 27560 profile of DPV (law.md 2.3): what
// the record says, and around it what only the shop says, which handschlag-verify lists
// as unproven. Keys are sorted: the same proof gives the same bytes.
func (p ConsentProof) LD() ([]byte, error) {
	doc := p.Proof.Record.Linked()
	for i, process := range doc["dpv:hasProcess"].([]object) {
		p.Purposes[i].link(process)
	}
	notice := doc["dpv:hasNotice"].(object)
	notice["hs:text"], notice["hs:textKept"] = p.Notice, p.Notice != ""
	doc["hs:uses"], doc["hs:usesUntil"], doc["hs:usesCut"] = p.Uses, consent.LinkedTime(p.Until), p.Cut
	doc["hs:sealed"], doc["hs:ledger"] = p.Sealed, p.ldLedger()
	return json.Marshal(doc)
}

// link adds the register's words to a purpose.
func (n Named) link(process object) {
	purpose := process["dpv:hasPurpose"].(object)
	purpose["hs:name"] = n.Name
	if n.DPV != "" {
		purpose["@type"] = "dpv:" + n.DPV
	}
	process["dpv:hasPersonalData"], process["dpv:hasRecipient"] = n.Data, n.Recipients
}

func (p ConsentProof) ldLedger() object {
	return object{"hs:leaf": p.Proof.Leaf, "hs:salt": p.Proof.Salt, "hs:index": p.Proof.Index, "hs:hashes": append([]string{}, p.Proof.Hashes...),
		"hs:checkpoint": p.Proof.Checkpoint, "hs:verifier": p.Verifier, "hs:record": p.Proof.Record}
}
