package policy

import "github.com/handschlag/handschlag/consent"

// The places of values in their closed lists, -1 if they are not in them. A
// switch costs a few nanoseconds where a map of strings costs twenty; the gate
// asks five times per case. A test holds switches and lists together.

func purposeNumber(p consent.Purpose) int {
	switch p {
	case consent.EssentialService:
		return 0
	case consent.Analytics:
		return 1
	case consent.Experimentation:
		return 2
	case consent.PersonalisationContent:
		return 3
	case consent.AdviserAssist:
		return 4
	case consent.AdsThirdParty:
		return 5
	case consent.ModelTraining:
		return 6
	}
	return -1
}

func stateNumber(s CaseState) int {
	switch s {
	case StateUnknown:
		return 0
	case StateGiven:
		return 1
	case StateRenewed:
		return 2
	case StateRefused:
		return 3
	case StateWithdrawn:
		return 4
	case StateExpired:
		return 5
	case StateInvalidated:
		return 6
	case StateRevoked:
		return 7
	case StateBeforeGrant:
		return 8
	case StateUnlinked:
		return 9
	case StateRestricted:
		return 10
	case StateLate:
		return 11
	case StateAhead:
		return 12
	case StateUnregistered:
		return 13
	case StateSwitchedOff:
		return 14
	}
	return -1
}

func stampNumber(s Stamp) int {
	switch s {
	case StampMissing:
		return 0
	case StampSilent:
		return 1
	case StampNo:
		return 2
	case StampYes:
		return 3
	case StampTrusted:
		return 4
	}
	return -1
}

func tagNumber(t Tag) int {
	switch t {
	case TagNone:
		return 0
	case TagSpecial:
		return 1
	case TagExplicit:
		return 2
	}
	return -1
}

func ageNumber(a string) int {
	switch a {
	case "unknown":
		return 0
	case "u16":
		return 1
	case "16_17":
		return 2
	case "adult":
		return 3
	}
	return -1
}
