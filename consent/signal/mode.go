package signal

import "github.com/handschlag/handschlag/consent"

// The two words of Google Consent Mode.
const (
	Granted = "granted"
	Denied  = "denied"
)

// ConsentMode is what a shop's page may tell Google's tags: all seven consent
// types, always, since a type left unset is not denied (SIG-09). It only goes out;
// nothing here, nor anywhere else, reads Consent Mode as a visitor's consent.
type ConsentMode struct {
	AdStorage              string `json:"ad_storage"`
	AdUserData             string `json:"ad_user_data"`
	AdPersonalization      string `json:"ad_personalization"`
	AnalyticsStorage       string `json:"analytics_storage"`
	FunctionalityStorage   string `json:"functionality_storage"`
	PersonalizationStorage string `json:"personalization_storage"`
	SecurityStorage        string `json:"security_storage"`
}

// ConsentModeOf derives Consent Mode from what stands in the book (law.md 2.1).
// given must be no for everything that is not in force. gpc is the browser's
// signal; controller says that what is shared reaches a controller of its own.
// More consent never takes a grant away, and a signal never adds one.
func ConsentModeOf(given func(consent.Purpose) bool, gpc, controller bool) ConsentMode {
	ads := given(consent.AdsThirdParty) && !gpc
	return ConsentMode{
		AdStorage:              granted(ads),
		AdUserData:             granted(ads && (given(consent.DataSharing) || !controller)),
		AdPersonalization:      granted(ads),
		AnalyticsStorage:       granted(given(consent.Analytics)),
		FunctionalityStorage:   Granted,
		PersonalizationStorage: granted(given(consent.PersonalisationContent)),
		SecurityStorage:        Granted,
	}
}

func granted(yes bool) string {
	if yes {
		return Granted
	}
	return Denied
}

// And is what both grant.
func (m ConsentMode) And(o ConsentMode) ConsentMode {
	both := func(a, b string) string { return granted(a == Granted && b == Granted) }
	return ConsentMode{
		both(m.AdStorage, o.AdStorage), both(m.AdUserData, o.AdUserData), both(m.AdPersonalization, o.AdPersonalization),
		both(m.AnalyticsStorage, o.AnalyticsStorage), both(m.FunctionalityStorage, o.FunctionalityStorage),
		both(m.PersonalizationStorage, o.PersonalizationStorage), both(m.SecurityStorage, o.SecurityStorage),
	}
}
