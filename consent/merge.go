package consent

import "time"

// Together is where a purpose stands for a request made on a device on behalf
// of an account (CON-14). Either side may be absent (zero Subject). A decision
// that must be made on the device is the device's; one that the person makes is
// the account's; where either may decide and both did, both must say yes and the
// narrower interval counts.
func Together(device, account State, p Purpose, now time.Time) Standing {
	d, a := device.At(p, now), account.At(p, now)
	switch {
	case account.Subject.IsZero():
		if p.Reach() == OnAccount {
			return Standing{Status: Unknown}
		}
		return d
	case device.Subject.IsZero(), p.Reach() == OnAccount:
		return a
	case p.Reach() == OnDevice, a.Status == Unknown:
		return d
	case d.Status == Unknown, !a.Status.Valid():
		return a
	case !d.Status.Valid():
		return d
	}
	both := a
	if d.Since.After(a.Since) {
		both.Since = d.Since
	}
	if d.Until.Before(a.Until) {
		both.Until = d.Until
	}
	both.Explicit = d.Explicit && a.Explicit
	return both
}
