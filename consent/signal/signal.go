package signal

import (
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Stamp is what an event's consent object says; a purpose not in it is silent.
type Stamp map[consent.Purpose]bool

// Segment reads categoryPreferences.
func Segment(prefs map[string]any, categories map[string][]consent.Purpose) Stamp { return nil }

// Rudder reads RudderStack's allowed and denied ids.
func Rudder(allowed, denied []string, categories map[string][]consent.Purpose) Stamp { return nil }

// GPC reads Sec-GPC field values (SIG-01).
func GPC(values []string) bool { return false }

// DNT reads the DNT header.
func DNT(value string) bool { return false }

// TCFPurposes says "yes", "no" or "broken" per purpose. now rejects strings from the future (SIG-05).
func TCFPurposes(tcString string, vendorID int, now time.Time) map[consent.Purpose]string { return nil }

// GPPPurposes is TCFPurposes of section 2.
func GPPPurposes(gpp string, vendorID int, now time.Time) map[consent.Purpose]string { return nil }
