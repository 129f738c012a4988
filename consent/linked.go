package consent

import (
	"encoding/json"
	"time"
)

// linkedContext names the vocabularies in full: nobody has to fetch anything to read
// a proof. dpv are the W3C's Data Privacy Vocabulary and its GDPR extension; hs are
// terms of our own.
var linkedContext = json.RawMessage(`{"dpv":"https://w3id.org/dpv#","gdpr":"https://w3id.org/dpv/legal/eu/gdpr#",` +
	`"dct":"http://purl.org/dc/terms/","xsd":"http://www.w3.org/2001/XMLSchema#","hs":"urn:handschlag:consent-proof:"}`)

// profile27560 is the DPV guide's profile of ISO/IEC TS 27560:2023.
const profile27560 = "https://w3id.org/dpv/guides/consent-27560"

// Linked is a record in JSON-LD: all that the record alone says, and nothing else. A
// proof's report adds to it; whoever checks one derives it again.
func (r Record) Linked() map[string]any {
	return map[string]any{
		"@context": linkedContext, "@type": "dpv:ConsentRecord", "@id": "urn:uuid:" + r.RecordID,
		"dct:conformsTo": map[string]any{"@id": profile27560}, "hs:schema": r.Schema, "dct:identifier": r.RecordID,
		"dct:created": LinkedTime(r.Event.Time), "dct:language": r.Notice.Language,
		"dpv:hasDataSubject":      map[string]any{"@id": "urn:handschlag:subject:" + r.Subject.String(), "hs:scope": r.Scope},
		"dpv:hasDataController":   r.Controller.linked(),
		"dpv:hasProcess":          r.linkedProcesses(),
		"dpv:hasNotice":           r.Notice.linked(),
		"dpv:hasConsentControl":   map[string]any{"@type": "dpv:WithdrawConsent", "dct:description": r.Withdrawal.How, "dpv:isExercisedAt": r.Withdrawal.URLPath},
		"dpv:isIndicatedBy":       map[string]any{"@type": "dpv:DataSubject", "hs:method": r.Event.Method, "hs:actor": r.Event.Actor, "hs:eventType": r.Event.Type},
		"dpv:hasIndicationMethod": map[string]any{"hs:ui": r.UI, "hs:defaultState": r.DefaultState, "hs:purposesShown": r.PurposesShown, "hs:source": r.Source},
		"dpv:hasJurisdiction":     r.Jurisdiction, "dpv:hasApplicableLaw": r.Law,
		"dpv:hasStorageCondition": map[string]any{"dpv:hasLocation": r.Storage.Locations, "dpv:hasDuration": r.Storage.Retention},
		"dpv:hasRight":            map[string]any{"dpv:isExercisedAt": r.RightsURL}, "dpv:hasAuthority": r.Authority,
		"dct:valid":  map[string]any{"hs:from": LinkedTime(r.Validity.From), "hs:until": LinkedTime(r.Validity.Until)},
		"hs:signals": r.Signals, "hs:version": r.Version, "hs:rules": append([]string{}, r.Rules...), "hs:supersedes": r.Supersedes, "hs:conflictNotice": r.Conflict,
		"hs:clientTime": r.Event.linkedClient(), "hs:clockSkewSeconds": r.Event.Skew(),
	}
}

// LinkedTime is a time in JSON-LD.
func LinkedTime(t time.Time) map[string]any {
	return map[string]any{"@type": "xsd:dateTime", "@value": t.UTC().Format(time.RFC3339Nano)}
}

func (c Controller) linked() map[string]any {
	return map[string]any{"dct:identifier": c.ID, "dpv:hasName": c.Name, "dpv:hasAddress": c.Address, "dpv:hasContact": c.Contact}
}

func (n Notice) linked() map[string]any {
	return map[string]any{"@type": "dpv:ConsentNotice", "dct:hasVersion": n.Version, "dct:language": n.Language, "hs:textSHA256": n.TextSHA256}
}

// linkedProcesses has one element per purpose.
func (r Record) linkedProcesses() []map[string]any {
	out := []map[string]any{}
	for _, c := range r.Purposes {
		basis := "gdpr:A6-1-a"
		if c.Basis == "9-2-a" {
			basis = "gdpr:A9-2-a"
		}
		out = append(out, map[string]any{
			"@type": "dpv:Process", "dpv:hasPurpose": map[string]any{"hs:key": c.Purpose}, "dpv:hasLegalBasis": map[string]any{"@id": basis},
			"dpv:hasConsentStatus": map[string]any{"@id": c.Status.linked()}, "hs:explicit": c.Explicit,
		})
	}
	return out
}

// linked is a status by its name in DPV.
func (s Status) linked() string {
	names := map[Status]string{
		Requested: "ConsentRequested", RequestDeferred: "ConsentRequestDeferred", Refused: "ConsentRefused", Given: "ConsentGiven",
		Renewed: "RenewedConsentGiven", Expired: "ConsentExpired", Invalidated: "ConsentInvalidated", Revoked: "ConsentRevoked", Withdrawn: "ConsentWithdrawn",
	}
	if name, known := names[s]; known {
		return "dpv:" + name
	}
	return "dpv:ConsentUnknown"
}

// linkedClient is what the device's clock said; it only informs (L9).
func (a Act) linkedClient() any {
	if a.ClientTime == nil {
		return nil
	}
	return LinkedTime(*a.ClientTime)
}

// Skew is how many seconds the device's clock was ahead of the server's; nil if the
// device did not say.
func (a Act) Skew() any {
	if a.ClientTime == nil {
		return nil
	}
	return int64(a.ClientTime.Sub(a.Time).Round(time.Second) / time.Second)
}
