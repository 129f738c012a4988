package decide

import (
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Holdout draws whether a subject is held out from proactive offers on a day.
func Holdout(key []byte, s consent.Subject, day time.Time, share float64) (held bool, ppm int64, seed string) {
	return false, 0, ""
}

// DrawVariant draws one of the eligible variants, sticky per who.
func DrawVariant(key []byte, who string, slot string, weights map[string]int64, eligible []string) (variant string, ppm int64, seed string) {
	return "", 0, ""
}
