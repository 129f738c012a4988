package flow

import (
	"fmt"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// PriceStanding is all that a price may know of a person: whether the grant that a
// record belongs to is in force, by times and controls that say nothing of whose it
// is. The zero PriceStanding stands for no price.
type PriceStanding struct {
	At      time.Time        `json:"at"`                // when the record was made
	Since   time.Time        `json:"since"`             // start of the uninterrupted grant that stands now; zero: none stands
	Until   time.Time        `json:"until"`             // its end, exclusive; zero: none stands
	Grounds []consent.Ground `json:"grounds,omitempty"` // of that grant, as in consent.Standing: a control may be invalidated (CON-06)
	Rests   bool             `json:"rests,omitempty"`   // processing is restricted (Art. 18), or the purpose objected to (Art. 21)
	Age     string           `json:"age,omitempty"`     // "" (unknown) | minor (under 18) | adult
}

// GrantsPrice reports whether a record gives personalised_price to an account: of
// no other has Grants a PriceStanding.
func GrantsPrice(r consent.Record) bool {
	if r.Scope != consent.Account {
		return false
	}
	for _, c := range r.Purposes {
		if c.Purpose == consent.PersonalisedPrice && c.Status.Valid() {
			return true
		}
	}
	return false
}

// PriceStandingOf is what a price may know of a record and the state of its subject
// as it stands in the book; ErrNotFound if the record grants no price. Every host
// makes its answers with it. State times count as they are: expiry and
// invalidated controls are judged by whoever reads the answer.
func PriceStandingOf(r consent.Record, s consent.State) (PriceStanding, error) {
	if !GrantsPrice(r) {
		return PriceStanding{}, fmt.Errorf("price standing: %w", ErrNotFound)
	}
	p := PriceStanding{At: r.Event.Time, Rests: s.Restricted || s.Objected(consent.PersonalisedPrice), Age: ageClass(s.AgeBand)}
	if is := s.Standings[consent.PersonalisedPrice]; is.Status.Valid() {
		p.Since, p.Until, p.Grounds = is.Since, is.Until, is.Grounds
	}
	return p, nil
}

func ageClass(band string) string {
	switch band {
	case "u16", "16_17":
		return "minor"
	case "adult":
		return "adult"
	}
	return ""
}

// holds reports whether the record speaks for the grant that is in force now: it
// was made in it, not before it began.
func (p PriceStanding) holds(invalid consent.Invalidations, now time.Time) bool {
	s := consent.State{Standings: map[consent.Purpose]consent.Standing{
		consent.PersonalisedPrice: {Status: consent.Given, Since: p.Since, Until: p.Until, Grounds: p.Grounds},
	}}
	is := invalid.In(s, now).At(consent.PersonalisedPrice, now)
	return is.Status.Valid() && !is.Since.After(p.At)
}

// minor reports somebody under 18, known or, in a shop for children, presumed: the
// price is the list price then, whatever was agreed to (SPC-06).
func (p PriceStanding) minor(childShop bool) bool {
	return p.Age == "minor" || childShop && p.Age != "adult"
}
