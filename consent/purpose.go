package consent

import (
	"math/bits"
	"strings"
)

// Purpose is a key of law.md 2.1. One purpose is one decision of the visitor.
type Purpose string

// The purposes (law.md 2.1). Special categories are those of SPC-01.
const (
	EssentialService       Purpose = "essential_service"
	FraudSecurity          Purpose = "fraud_security"
	ConsentStorage         Purpose = "consent_storage"
	Analytics              Purpose = "analytics"
	Experimentation        Purpose = "experimentation"
	PersonalisationContent Purpose = "personalisation_content"
	ContentContextual      Purpose = "content_contextual"
	AdviserAssist          Purpose = "adviser_assist"
	AdviserCase            Purpose = "adviser_case"
	RecordingAV            Purpose = "recording_av"
	PersonalisedPrice      Purpose = "personalised_price"
	MarketingEmail         Purpose = "marketing_email"
	MarketingSMS           Purpose = "marketing_sms"
	MarketingPush          Purpose = "marketing_push"
	MarketingPhone         Purpose = "marketing_phone"
	MarketingPost          Purpose = "marketing_post"
	AdsThirdParty          Purpose = "ads_third_party"
	DataSharing            Purpose = "data_sharing"
	ModelTraining          Purpose = "model_training"
)

// specialPrefix starts the purposes that name an Art. 9 category.
const specialPrefix = "special_category:"

// SpecialCategories are the tags of SPC-01, and so the values x of special_category:x.
var SpecialCategories = []string{"health", "pregnancy", "sexuality", "religion", "politics", "union", "ethnicity", "biometrics"}

// Purposes lists every purpose in the fixed order of Set's bits. Append only.
var Purposes = func() []Purpose {
	all := []Purpose{
		EssentialService, FraudSecurity, ConsentStorage, Analytics, Experimentation, PersonalisationContent,
		ContentContextual, AdviserAssist, AdviserCase, RecordingAV, PersonalisedPrice, MarketingEmail, MarketingSMS,
		MarketingPush, MarketingPhone, MarketingPost, AdsThirdParty, DataSharing, ModelTraining,
	}
	for _, c := range SpecialCategories {
		all = append(all, SpecialCategory(c))
	}
	return all
}()

var purposeBit = func() map[Purpose]int {
	m := make(map[Purpose]int, len(Purposes))
	for i, p := range Purposes {
		m[p] = i
	}
	return m
}()

// SpecialCategory is the purpose of explicit consent for a tag of SPC-01.
func SpecialCategory(tag string) Purpose { return Purpose(specialPrefix + tag) }

// Known reports whether the key is in the taxonomy.
func (p Purpose) Known() bool { _, ok := purposeBit[p]; return ok }

// Bit is the purpose's place in a Set, or -1.
func (p Purpose) Bit() int {
	if b, ok := purposeBit[p]; ok {
		return b
	}
	return -1
}

// Special reports whether the purpose needs explicit consent under Art. 9(2)(a).
func (p Purpose) Special() bool { return strings.HasPrefix(string(p), specialPrefix) }

// Gated reports whether the purpose rests on consent (Art. 6(1)(a) or 9(2)(a)).
// The others rest on contract, law or legitimate interest and take no grant.
func (p Purpose) Gated() bool {
	switch p {
	case EssentialService, FraudSecurity, ConsentStorage, ContentContextual, AdviserCase, MarketingPost:
		return false
	}
	return p.Known()
}

// Reach says on which identifier a purpose's decision counts (law.md 2.1, CON-14).
type Reach int

// The reaches.
const (
	OnDevice  Reach = iota // only a decision made on that device counts
	OnAccount              // only the authenticated person's decision counts
	OnEither               // either; where both decided, both must say yes
)

// Reach of the purpose's decision.
func (p Purpose) Reach() Reach {
	switch p {
	case Analytics, Experimentation, EssentialService, ConsentStorage:
		return OnDevice
	case PersonalisedPrice, MarketingEmail, MarketingSMS, MarketingPush, MarketingPhone, MarketingPost:
		return OnAccount
	}
	return OnEither
}

// Set is a set of purposes, one bit each in the order of Purposes.
type Set uint64

// SetOf collects purposes; unknown ones are left out.
func SetOf(ps ...Purpose) Set {
	var s Set
	for _, p := range ps {
		s = s.With(p)
	}
	return s
}

// With adds a purpose.
func (s Set) With(p Purpose) Set {
	if b := p.Bit(); b >= 0 {
		return s | 1<<b
	}
	return s
}

// Has reports membership.
func (s Set) Has(p Purpose) bool { b := p.Bit(); return b >= 0 && s&(1<<b) != 0 }

// Len is the number of purposes.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// List gives the purposes in the fixed order.
func (s Set) List() []Purpose {
	out := make([]Purpose, 0, s.Len())
	for i, p := range Purposes {
		if s&(1<<i) != 0 {
			out = append(out, p)
		}
	}
	return out
}
