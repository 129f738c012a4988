package consent

import "time"

// Together is where a purpose stands for a request made on a device on behalf
// of an account (CON-14). Either side may be absent (zero Subject).
//
// What must be decided on the device stands as the device says, and what the
// person decides as the account says; an absent side has not decided. Where
// either may decide, one decision is enough, but two must both be a yes: then the
// narrower interval counts. A no stays until the side that said it says otherwise.
func Together(device, account State, p Purpose, now time.Time) Standing {
	d, a := device.side(p, now), account.side(p, now)
	switch reach := p.Reach(); {
	case reach == OnAccount:
		return a
	case reach == OnDevice, a.Status == Unknown:
		return d
	case d.Status == Unknown, !a.Status.Valid():
		return a
	case !d.Status.Valid():
		return d
	}
	return d.and(a)
}

// side is At for a side that may be absent.
func (s State) side(p Purpose, now time.Time) Standing {
	if s.Subject.IsZero() {
		return Standing{Status: Unknown}
	}
	return s.At(p, now)
}

// and narrows two valid standings to what both allow. The record is that of the
// later yes: only since then do both hold.
func (d Standing) and(a Standing) Standing {
	both, other := a, d
	if d.Since.After(a.Since) {
		both, other = d, a
	}
	if other.Until.Before(both.Until) {
		both.Until = other.Until
	}
	both.Explicit, both.Lifts, both.Parental = d.Explicit && a.Explicit, d.Lifts && a.Lifts, d.Parental && a.Parental
	return both
}
