package segment

import (
	"github.com/handschlag/handschlag/batch/learn/value"
)

// learned is what the night found out from decisions and orders.
type learned struct {
	trialFeatures []string // in the order of column features of offered

	valued        *value.Model // nil: not known
	buyersTrained int64        // whose histories it is made from
	valueThen     []beside     // what was expected four weeks ago, and came
}
