package segment

import (
	"github.com/handschlag/handschlag/batch/learn"
	"github.com/handschlag/handschlag/batch/learn/need"
	"github.com/handschlag/handschlag/batch/learn/uplift"
	"github.com/handschlag/handschlag/batch/learn/value"
	"github.com/handschlag/handschlag/batch/learn/variant"
	"github.com/handschlag/handschlag/decide"
)

// learned is what the night found out from decisions and orders.
type learned struct {
	trialFeatures []string // in the order of column features of offered

	valued        *value.Model // nil: not known
	buyersTrained int64        // whose histories it is made from
	valueChoice   *valueChoice // between its forms; nil: nothing to choose by
	valueThen     []beside     // what was expected four weeks ago, and came

	needTrials []trial
	needCard   *need.Card // nil: not known
	needJudged learn.Calibration
	scorecard  *decide.Scorecard // of need, for the day; nil: the configured one

	arms    [2]arm // held out, offered
	effect  uplift.Verdict
	takenUp int64             // offers that ended in a contact
	gain    *decide.Scorecard // cents that a contact gains; nil: not known

	proposals []variant.Proposal // by slot, in order
}
