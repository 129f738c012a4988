package consent

import "time"

// used is the type of a record that notes a use of a consent and decides nothing.
const used = "used"

// phoneProofYears is how long the file of a consent to calls is kept from its
// grant and from each use (§ 7a UWG).
const phoneProofYears = 5

// PhoneUse is the record of one call under a grant of marketing_phone: it changes
// no standing, and stands in the same file (ESC-08).
func PhoneUse(grant Record, id string, version uint64, actor string, now time.Time) Record {
	return Record{
		Schema: RecordSchema, RecordID: id, Version: version, Subject: grant.Subject, Scope: grant.Scope, Controller: grant.Controller,
		Purposes: []Choice{}, PurposesShown: []Purpose{}, DefaultState: grant.DefaultState, Notice: grant.Notice, UI: grant.UI,
		Event:        Act{Time: now, Type: used, Method: "call", Actor: actor},
		Validity:     Validity{From: now, Until: now.AddDate(phoneProofYears, 0, 0)},
		Jurisdiction: grant.Jurisdiction, Law: "§ 7a UWG", Storage: Storage{Locations: grant.Storage.Locations, Retention: "5 years from the last use"},
		Withdrawal: grant.Withdrawal, RightsURL: grant.RightsURL, Authority: grant.Authority, Supersedes: grant.RecordID,
	}
}

// PhoneProofUntil is when the file of a consent to calls may go, at the earliest:
// five years after it was last given or used. Zero: there is none. Erasing it
// before is refused (ESC-08); withdrawing the consent is never.
func PhoneProofUntil(records []Record) (until time.Time) {
	grants := map[string]bool{}
	for _, r := range records {
		for _, c := range r.Purposes {
			if c.Purpose == MarketingPhone && c.Status.Valid() {
				grants[r.RecordID] = true
			}
		}
		if grants[r.RecordID] || r.Event.Type == used && grants[r.Supersedes] {
			until = r.Event.Time.AddDate(phoneProofYears, 0, 0)
		}
	}
	return until
}

// SealUntil is when the proofs of an erased subject's records go, zero if none is
// kept: at the end of the year, so many years on (law.md 2.6, §§ 195, 199 BGB), and
// not before the file of a consent to calls may (ESC-08).
func SealUntil(at time.Time, years int, records []Record) (until time.Time) {
	if years > 0 {
		until = time.Date(at.UTC().Year()+years+1, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if calls := PhoneProofUntil(records); calls.After(at) && calls.After(until) {
		return calls
	}
	return until
}
