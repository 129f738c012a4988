package segment

// The sections of the report that say what the night learned. Whoever fills one keeps to
// this: numbers are true ones here, and toldkinds.go says how each is told; where the data do
// not tell, Known is false and Reason says why. Every float is rounded to six decimals at
// least before it is written, and must be a number. Shares and rates are fractions of one,
// intervals are of 95 % unless Level says otherwise, money is cents.

// Words say one thing in both languages.
type Words struct {
	De string `json:"de"`
	En string `json:"en"`
}

// Figure is an estimate with its interval.
type Figure struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// ValueSection is what persons are expected to buy.
type ValueSection struct {
	Known       bool          `json:"known"`
	Reason      *Words        `json:"reason,omitempty"` // why nothing is known
	Model       string        `json:"model,omitempty"`  // "BG/NBD, Gamma-Gamma" or "Slowing, Gamma-Gamma"
	Choice      *ValueChoice  `json:"choice,omitempty"` // what the model was chosen by; null: nothing to choose by, and it is BG/NBD
	Parameters  []Parameter   `json:"parameters"`
	Flags       []Words       `json:"flags"`             // what to be careful about, such as a degenerate optimum
	HorizonDays int           `json:"horizon_days"`      // that expectations look ahead
	Persons     *int64        `json:"persons"`           // with an expectation
	Spread      []ValueBin    `json:"expected_value"`    // in order of money, without gaps
	Tiers       []ValueTier   `json:"tiers"`             // from the lowest
	Against     []ValueBeside `json:"expected_and_real"` // what was expected of an earlier time, and what came
}

// ValueChoice holds both models, fitted to what was known some days ago, against what came since:
// the root mean square error in order days of a buyer. The nearer one is used.
type ValueChoice struct {
	Days    int     `json:"days"`
	BGNBD   float64 `json:"bg_nbd"`
	Slowing float64 `json:"slowing"`
}

// Parameter is a fitted number of a model.
type Parameter struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// ValueBin counts persons by expected value.
type ValueBin struct {
	FromCents int64  `json:"from_cents"`
	ToCents   int64  `json:"to_cents"` // half-open; 0: no upper end
	Persons   *int64 `json:"persons"`
}

// ValueTier is one tier of expected value.
type ValueTier struct {
	Tier      int      `json:"tier"`
	Persons   *int64   `json:"persons"`
	MeanCents *float64 `json:"mean_cents"` // null with persons
}

// ValueBeside holds an expectation against what came, for a group of persons: by
// orders before, or by week.
type ValueBeside struct {
	Group    Words   `json:"group"` // such as "2 orders before" or "week 3"
	Persons  *int64  `json:"persons"`
	Expected float64 `json:"expected"` // orders, of all in the group
	Real     *int64  `json:"real"`
}

// The verdicts about a scorecard's calibration.
const (
	Calibrated    = "calibrated"
	NotCalibrated = "not_calibrated"
	NotKnown      = "dont_know"
)

// NeedSection is how good the scorecard of need is.
type NeedSection struct {
	Known    bool             `json:"known"`
	Reason   *Words           `json:"reason,omitempty"`
	Version  string           `json:"scorecard,omitempty"`
	Sessions *int64           `json:"sessions"` // judged: of each person the first offer, so persons
	Needing  *int64           `json:"needing"`  // of them, where the need was real
	AUC      Figure           `json:"auc"`
	Plain    float64          `json:"auc_of_plain_logistic"`      // 0: not fitted
	Error    float64          `json:"expected_calibration_error"` // mean distance of predicted and observed, weighted by size
	Verdict  string           `json:"verdict"`                    // Calibrated | NotCalibrated | NotKnown
	Bins     []CalibrationBin `json:"bins"`                       // in order of prediction
	Points   []CardPoint      `json:"points"`                     // of the card, readable
}

// CalibrationBin holds predictions of like size against what came. With N null fewer than
// k had a need or had none, and its numbers are zero: neither table nor chart shows it.
type CalibrationBin struct {
	PredictedLow  float64 `json:"predicted_low"`
	PredictedHigh float64 `json:"predicted_high"`
	Predicted     float64 `json:"predicted"` // mean
	Observed      float64 `json:"observed"`
	Low           float64 `json:"low"` // of Observed
	High          float64 `json:"high"`
	N             *int64  `json:"n"`
}

// CardPoint is a line of the scorecard: a feature from From to below To gives Points.
type CardPoint struct {
	Feature string   `json:"feature"`
	From    *float64 `json:"from"` // null: no lower end
	To      *float64 `json:"to"`   // null: no upper end
	Points  int64    `json:"points"`
}

// OfferSection is what offering a human brings, against the random hold-out.
type OfferSection struct {
	Known        bool     `json:"known"`
	Reason       *Words   `json:"reason,omitempty"`
	Offered      Arm      `json:"offered"`
	HeldOut      Arm      `json:"held_out"`
	Conversion   *Figure  `json:"effect_on_conversion"`    // difference of shares; null, with all but AdviserCents, where an arm's is
	NetCents     *Figure  `json:"effect_on_net_cents"`     // per person, less expected returns, before adviser cost
	Q            *Figure  `json:"q"`                       // of the ranking (issue 5, outcome 5); null: nobody was ranked
	AdviserCents *float64 `json:"adviser_cents_per_offer"` // what an offer costs; null: fewer than k took one up, or fewer did not
	GainCents    *Figure  `json:"gain_cents_per_offer"`    // NetCents less AdviserCents
	Target       *int64   `json:"persons_to_offer"`        // whose expected gain is above zero
	Recommend    bool     `json:"recommend"`               // false: keep what is configured
	Advice       *Words   `json:"advice,omitempty"`        // what is recommended, or why nothing is
}

// Arm is one side of a comparison.
type Arm struct {
	Persons    *int64   `json:"persons"`
	Conversion *Figure  `json:"conversion"` // share of persons who ordered; null with persons, and where fewer than k ordered or did not
	NetCents   *float64 `json:"net_cents"`  // mean per person; null with Conversion
}

// VariantSection is one slot of the variant board.
type VariantSection struct {
	Slot      string       `json:"slot"`
	Known     bool         `json:"known"`
	Reason    *Words       `json:"reason,omitempty"`
	Metric    *Words       `json:"metric,omitempty"` // what is estimated, such as orders per view
	Unit      string       `json:"unit,omitempty"`   // of estimates and values: "cents", else a share
	Rows      []VariantRow `json:"variants"`
	Alarm     *RatioAlarm  `json:"sample_ratio,omitempty"` // null: not tested
	Promotion *Promotion   `json:"promotion,omitempty"`    // null: nothing was compared
}

// VariantRow is one variant of a slot.
type VariantRow struct {
	Variant  string            `json:"variant"`
	Factors  map[string]string `json:"factors,omitempty"`
	N        *int64            `json:"n"`                   // persons who saw it, each with the first draw; null where nothing is estimated
	Estimate *Figure           `json:"estimate"`            // null: don't know
	NowPPM   int64             `json:"share_now_ppm"`       // of the weights in force; 0: there are none
	NextPPM  int64             `json:"share_next_ppm"`      // of tonight's
	Vetoes   []Words           `json:"guardrails_violated"` // metrics that forbid a larger share
}

// RatioAlarm compares how often variants were shown with what their shares promised
// (Pearson's chi-squared test). With N null fewer than k persons drew, and all but Alarm
// is zero.
type RatioAlarm struct {
	N         *int64  `json:"n"` // persons who drew on the last ingest day, each counted with the first draw
	ChiSquare float64 `json:"chi_square"`
	Degrees   int     `json:"degrees_of_freedom"`
	P         float64 `json:"p"`
	Alarm     bool    `json:"alarm"`
}

// Promotion says whether tonight's weights replace those in force, judged off policy.
type Promotion struct {
	Persons   *int64  `json:"persons"` // whose draws judge
	Promoted  bool    `json:"promoted"`
	Why       Words   `json:"why"`
	Now       Figure  `json:"value_now"`  // per decision, of the weights in force
	Next      Figure  `json:"value_next"` // of tonight's
	Effective float64 `json:"effective_sample_size"`
}
