package segment

import "github.com/handschlag/handschlag/consent"

// ladder notes for whom it ended on which rung, and by which rules: one person's many decisions
// would else move numbers that are to hide each person (EXP-07).
type ladder struct {
	places map[string]int // of rungs and rules
	met    map[met]uint64 // 64 rules each, bit by bit
}

// met is somebody on a rung, and which 64 rules are noted.
type met struct {
	subject    consent.Subject
	rung, page int16
}

// first reports whether a rule speaks for the first time of a subject on a rung; a record that
// names nobody is always the first.
func (l *ladder) first(who consent.Subject, rung, rule string) bool {
	if who.IsZero() {
		return true
	}
	place := l.place(rule)
	key, bit := met{who, int16(l.place(rung)), int16(place / 64)}, uint64(1)<<(place%64)
	before := l.met[key]
	l.met[key] = before | bit
	return before&bit == 0
}

func (l *ladder) place(of string) int {
	at, known := l.places[of]
	if !known {
		at = len(l.places)
		l.places[of] = at
	}
	return at
}

// tell counts for whom the ladder ended on a rung, and why.
func (l *logReader) tell(who consent.Subject, rung string, rules []string) {
	if l.reasons[rung] == nil {
		l.reasons[rung] = map[string]int64{}
	}
	if l.ladder.first(who, rung, "") {
		l.offers[rung]++
	}
	for _, rule := range rules {
		if l.ladder.first(who, rung, rule) {
			l.reasons[rung][rule]++
		}
	}
}
