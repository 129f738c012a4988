package flow

import (
	"encoding/json"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// ldContext names the vocabularies in full: nobody has to fetch anything to read a
// proof. dpv are the W3C's Data Privacy Vocabulary and its GDPR extension; hs are
// terms of our own.
var ldContext = json.RawMessage(`{"dpv":"https://w3id.org/dpv#","gdpr":"https://w3id.org/dpv/legal/eu/gdpr#",` +
	`"dct":"http://purl.org/dc/terms/","xsd":"http://www.w3.org/2001/XMLSchema#","hs":"urn:handschlag:consent-proof:"}`)

// profile27560 is the DPV guide's profile of ISO/IEC TS 27560:2023.
const profile27560 = "https://w3id.org/dpv/guides/consent-27560"

type object = map[string]any

// LD is the proof as JSON-LD in the ISO/IEC TS 27560 profile of DPV (law.md 2.3).
// Keys are sorted: the same proof gives the same bytes.
func (p ConsentProof) LD() ([]byte, error) {
	r := p.Proof.Record
	doc := object{
		"@context": ldContext, "@type": "dpv:ConsentRecord", "@id": "urn:uuid:" + r.RecordID,
		"dct:conformsTo": object{"@id": profile27560}, "hs:schema": r.Schema, "dct:identifier": r.RecordID,
		"dct:created": ldTime(r.Event.Time), "dct:language": r.Notice.Language,
		"dpv:hasDataSubject":      object{"@id": "urn:handschlag:subject:" + r.Subject.String(), "hs:scope": r.Scope},
		"dpv:hasDataController":   ldParty(r.Controller),
		"dpv:hasProcess":          p.ldProcesses(),
		"dpv:hasNotice":           p.ldNotice(),
		"dpv:hasConsentControl":   object{"@type": "dpv:WithdrawConsent", "dct:description": r.Withdrawal.How, "dpv:isExercisedAt": r.Withdrawal.URLPath},
		"dpv:isIndicatedBy":       object{"@type": "dpv:DataSubject", "hs:method": r.Event.Method, "hs:actor": r.Event.Actor, "hs:eventType": r.Event.Type},
		"dpv:hasIndicationMethod": object{"hs:ui": r.UI, "hs:defaultState": r.DefaultState, "hs:purposesShown": r.PurposesShown, "hs:source": r.Source},
		"dpv:hasJurisdiction":     r.Jurisdiction, "dpv:hasApplicableLaw": r.Law,
		"dpv:hasStorageCondition": object{"dpv:hasLocation": r.Storage.Locations, "dpv:hasDuration": r.Storage.Retention},
		"dpv:hasRight":            object{"dpv:isExercisedAt": r.RightsURL}, "dpv:hasAuthority": r.Authority,
		"dct:valid":  object{"hs:from": ldTime(r.Validity.From), "hs:until": ldTime(r.Validity.Until)},
		"hs:signals": r.Signals, "hs:version": r.Version, "hs:rules": append([]string{}, r.Rules...), "hs:supersedes": r.Supersedes, "hs:conflictNotice": r.Conflict,
		"hs:clientTime": p.clientTime(), "hs:clockSkewSeconds": p.skew(),
		"hs:ledger": p.ldLedger(), "hs:uses": p.Uses, "hs:usesUntil": ldTime(p.Until), "hs:sealed": p.Sealed,
	}
	return json.Marshal(doc)
}

func ldTime(t time.Time) object {
	return object{"@type": "xsd:dateTime", "@value": t.UTC().Format(time.RFC3339Nano)}
}

func ldParty(c consent.Controller) object {
	return object{"dct:identifier": c.ID, "dpv:hasName": c.Name, "dpv:hasAddress": c.Address, "dpv:hasContact": c.Contact}
}

// ldProcesses has one element per purpose.
func (p ConsentProof) ldProcesses() []object {
	out := []object{}
	for i, c := range p.Proof.Record.Purposes {
		n := p.Purposes[i]
		purpose := object{"hs:key": c.Purpose, "hs:name": n.Name}
		if n.DPV != "" {
			purpose["@type"] = "dpv:" + n.DPV
		}
		out = append(out, object{
			"@type": "dpv:Process", "dpv:hasPurpose": purpose, "dpv:hasLegalBasis": object{"@id": ldBasis(c)},
			"dpv:hasConsentStatus": object{"@id": ldStatus(c.Status)}, "hs:explicit": c.Explicit,
			"dpv:hasPersonalData": n.Data, "dpv:hasRecipient": n.Recipients,
		})
	}
	return out
}

func ldBasis(c consent.Choice) string {
	if c.Basis == "9-2-a" {
		return "gdpr:A9-2-a"
	}
	return "gdpr:A6-1-a"
}

// ldStatus is a status by its name in DPV.
func ldStatus(s consent.Status) string {
	names := map[consent.Status]string{
		consent.Requested: "ConsentRequested", consent.RequestDeferred: "ConsentRequestDeferred", consent.Refused: "ConsentRefused",
		consent.Given: "ConsentGiven", consent.Renewed: "RenewedConsentGiven", consent.Expired: "ConsentExpired",
		consent.Invalidated: "ConsentInvalidated", consent.Revoked: "ConsentRevoked", consent.Withdrawn: "ConsentWithdrawn",
	}
	if name, known := names[s]; known {
		return "dpv:" + name
	}
	return "dpv:ConsentUnknown"
}

func (p ConsentProof) ldNotice() object {
	n := p.Proof.Record.Notice
	return object{"@type": "dpv:ConsentNotice", "dct:hasVersion": n.Version, "dct:language": n.Language, "hs:textSHA256": n.TextSHA256,
		"hs:text": p.Notice, "hs:textKept": p.Notice != ""}
}

func (p ConsentProof) ldLedger() object {
	return object{"hs:leaf": p.Proof.Leaf, "hs:salt": p.Proof.Salt, "hs:index": p.Proof.Index, "hs:hashes": append([]string{}, p.Proof.Hashes...),
		"hs:checkpoint": p.Proof.Checkpoint, "hs:verifier": p.Verifier, "hs:record": p.Proof.Record}
}

// clientTime is what the device's clock said; it only informs (L9).
func (p ConsentProof) clientTime() any {
	if c := p.Proof.Record.Event.ClientTime; c != nil {
		return ldTime(*c)
	}
	return nil
}

// skew is how far the device's clock was ahead of the server's.
func (p ConsentProof) skew() any {
	if c := p.Proof.Record.Event.ClientTime; c != nil {
		return int64(c.Sub(p.Proof.Record.Event.Time).Round(time.Second) / time.Second)
	}
	return nil
}
