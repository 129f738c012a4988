package profile

import (
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Features gives a purpose's features at now by catalogue name: exactly those
// that the catalogue allows the purpose, or nil if the purpose has no section.
// Session features are those of the running session; 30 minutes after its last
// event there is none, and they are 0.
func (p Profile) Features(purpose consent.Purpose, now time.Time) map[string]int64 {
	s, ok := p.Sections[purpose]
	if !ok {
		return nil
	}
	out, at := make(map[string]int64, len(catalogue)), now.UnixMilli()
	r := reading{at: at, session: s.Session, past: s.Past, offers: s.Offers}
	if !s.Session.running(at) {
		r.past, r.session = pastOf(s.Past[:len(s.Past):len(s.Past)], s.Session, at), Session{}
	}
	if !s.Offers.running(s.Session, at) {
		r.offers = s.Offers.ended()
	}
	allowed := familiesFor(purpose)
	for _, f := range catalogue {
		if allowed.allow(f) {
			out[f.name] = f.read(&r)
		}
	}
	return out
}

// reading is a section as seen at a moment.
type reading struct {
	at      int64
	session Session
	past    []Past
	offers  Offer
}

func (s Session) running(at int64) bool {
	return s.Events > 0 && at-s.LastMS < SessionIdle.Milliseconds()
}

func (r *reading) clickPct() int64 {
	if r.session.Searches == 0 {
		return 0
	}
	return 100 * r.session.Clicked / r.session.Searches
}

// pace is events per minute ×100 over a session of at least a minute.
func (r *reading) pace() int64 {
	lasted := max(r.session.LastMS-r.session.StartMS, time.Minute.Milliseconds())
	return r.session.Events * 100 * time.Minute.Milliseconds() / lasted
}

// dwell counts the look that is still open, up to now.
func (r *reading) dwell() int64 {
	look := r.session.looking()
	if look == nil {
		return r.session.DwellMaxMS
	}
	open := min(max(0, r.at-r.session.LastMS), DwellMax.Milliseconds())
	return max(r.session.DwellMaxMS, look.DwellMS+open)
}

func (r *reading) cents() int64 {
	if r.session.Units == 0 {
		return 0
	}
	return r.session.Cents
}

func (r *reading) basketIdle() int64 {
	if r.session.Units == 0 {
		return 0
	}
	return max(0, since(r.session.CartMS, r.at))
}

func (r *reading) checkoutIdle() int64 {
	if !r.session.Checkout {
		return 0
	}
	return max(0, since(r.session.CheckoutMS, r.at))
}

func (r *reading) pastSum(count func(Past) int64) (sum int64) {
	for _, x := range r.past {
		sum += count(x)
	}
	return sum
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
