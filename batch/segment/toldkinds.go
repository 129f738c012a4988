package segment

// kind says what a number of the report is, and by that how it is told.
type kind int

const (
	// isUnnamed is a number that nobody has decided about: no report has one.
	isUnnamed kind = iota
	// isPersons is a number of persons, or of acts of persons that are kept under their
	// pseudonyms and told by more than one night: it falls when somebody is erased. It is told
	// in whole steps of k, and again until the true one has left the step by k.
	isPersons
	// isFigure is made of what persons did: money, a mean, an estimate with its interval. It is
	// told again as long as one of the numbers of persons that it is of is, and never finer than
	// these: to an eighth of its interval, or, without one, to the part that k persons have of it.
	isFigure
	// isShare is a figure that persons are counted in, told as one, to half its standard error.
	isShare
	// isCut is a figure that others are held against: told again likewise, and not rounded.
	isCut
	// isOnce is a number of acts of the last ingest day, exact: whoever tells of that day again
	// tells what the first report did.
	isOnce
	// isCounter counts acts of nobody who is known: what was refused is never stored, and a price
	// reads no person. It is exact.
	isCounter
	// isGiven is configured, a date or a term, the name of a row, or what the day decides by: the
	// shares of variants and the points of need are no news to who is shown a variant.
	isGiven
	// isDerived follows from numbers of persons as they are told.
	isDerived
)

// telling is how the number at a path of report.json is told.
type telling struct {
	as kind
	of []string // of a figure: the paths of the numbers of persons it is made of
}

func figureOf(paths ...string) telling { return telling{isFigure, paths} }
func shareOf(paths ...string) telling  { return telling{isShare, paths} }

// tellings names every number of report.json by its path, [] being any element of a list or
// any name of a map. A number that is missing here stops the night.
var tellings = map[string]telling{
	"k":                               {as: isGiven},
	"step":                            {as: isGiven},
	"persons":                         {as: isPersons},
	"buyers":                          {as: isPersons},
	"rfm_thresholds.recency_days":     {isCut, []string{"buyers"}},
	"rfm_thresholds.frequency_orders": {isCut, []string{"buyers"}},
	"rfm_thresholds.monetary_cents":   figureOf("buyers"),
	"features[].persons":              {as: isPersons},

	"use_last_day[].events":                    {as: isOnce},
	"freshness.events_last_day":                {as: isOnce},
	"freshness.age_days":                       {as: isGiven},
	"cost_of_consent.events_last_day":          {as: isOnce},
	"cost_of_consent.fields_left_out[].events": {as: isOnce},
	"left_out_last_day[].count":                {as: isOnce},
	"totals[]":                                 {as: isCounter},
	"refusals[].count":                         {as: isCounter},
	"decisions[]":                              {as: isCounter}, // a record stays when its content is erased
	"offers[].count":                           {as: isPersons},
	"offers[].reasons[].count":                 {as: isPersons},
	"variants[]":                               {as: isGiven},

	"segments[].members":                            {as: isPersons},
	"segments[].channels[].rows":                    {as: isPersons},
	"segments[].channels[].consent_loss":            {as: isPersons},
	"segment_changes[].before":                      {as: isDerived},
	"segment_changes[].change":                      {as: isDerived},
	"files[].rows":                                  {as: isDerived}, // of a segment's file; of others that hold no rows about persons
	"cost_of_consent.channels[].persons":            {as: isPersons},
	"cost_of_consent.channels[].reached":            {as: isPersons},
	"cost_of_consent.channels[].lost":               {as: isPersons},
	"cost_of_consent.channels[].lost_net_cents_90d": figureOf("cost_of_consent.channels[].lost_buyers"),
	"cost_of_consent.channels[].lost_buyers":        {as: isPersons},

	"value.horizon_days":                 {as: isGiven},
	"value.choice.days":                  {as: isGiven},
	"value.choice.bg_nbd":                figureOf("value.persons"),
	"value.choice.slowing":               figureOf("value.persons"),
	"value.parameters[].value":           figureOf("value.persons"),
	"value.persons":                      {as: isPersons},
	"value.expected_value[].from_cents":  {as: isGiven},
	"value.expected_value[].to_cents":    {as: isGiven},
	"value.expected_value[].persons":     {as: isPersons},
	"value.tiers[].tier":                 {as: isGiven},
	"value.tiers[].persons":              {as: isPersons},
	"value.tiers[].mean_cents":           figureOf("value.tiers[].persons"),
	"value.expected_and_real[].persons":  {as: isPersons},
	"value.expected_and_real[].expected": figureOf("value.expected_and_real[].persons"),
	"value.expected_and_real[].real":     {as: isPersons}, // order days
	"micro_segments[].micro_segment":     {as: isGiven},
	"micro_segments[].persons":           {as: isPersons},
	"micro_segments[].days_since_order":  figureOf("micro_segments[].persons"),
	"micro_segments[].orders":            figureOf("micro_segments[].persons"),
	"micro_segments[].cents":             figureOf("micro_segments[].persons"),

	"need.sessions":                   {as: isPersons},
	"need.needing":                    {as: isPersons},
	"need.auc":                        figureOf("need.sessions", "need.needing"),
	"need.auc_of_plain_logistic":      shareOf("need.sessions", "need.needing"),
	"need.expected_calibration_error": shareOf("need.sessions", "need.needing"),
	"need.bins[].n":                   {as: isPersons},
	"need.bins[].predicted_low":       shareOf("need.bins[].n"),
	"need.bins[].predicted_high":      shareOf("need.bins[].n"),
	"need.bins[].predicted":           shareOf("need.bins[].n"),
	"need.bins[].observed":            shareOf("need.bins[].n"),
	"need.bins[].low":                 shareOf("need.bins[].n"),
	"need.bins[].high":                shareOf("need.bins[].n"),
	"need.points[].from":              {as: isGiven},
	"need.points[].to":                {as: isGiven},
	"need.points[].points":            {as: isGiven},

	"offer_effect.offered.persons":         {as: isPersons},
	"offer_effect.offered.conversion":      figureOf("offer_effect.offered.persons"),
	"offer_effect.offered.net_cents":       figureOf("offer_effect.offered.persons"),
	"offer_effect.held_out.persons":        {as: isPersons},
	"offer_effect.held_out.conversion":     figureOf("offer_effect.held_out.persons"),
	"offer_effect.held_out.net_cents":      figureOf("offer_effect.held_out.persons"),
	"offer_effect.effect_on_conversion":    figureOf("offer_effect.offered.persons", "offer_effect.held_out.persons"),
	"offer_effect.effect_on_net_cents":     figureOf("offer_effect.offered.persons", "offer_effect.held_out.persons"),
	"offer_effect.q":                       shareOf("offer_effect.offered.persons", "offer_effect.held_out.persons"),
	"offer_effect.adviser_cents_per_offer": figureOf("offer_effect.offered.persons"),
	"offer_effect.gain_cents_per_offer":    figureOf("offer_effect.offered.persons", "offer_effect.held_out.persons"),
	"offer_effect.persons_to_offer":        {as: isPersons},

	"variant_board[].variants[].n":                    {as: isPersons},
	"variant_board[].variants[].estimate":             figureOf("variant_board[].variants[].n"),
	"variant_board[].variants[].share_now_ppm":        {as: isGiven},
	"variant_board[].variants[].share_next_ppm":       {as: isGiven},
	"variant_board[].sample_ratio.n":                  {as: isPersons},
	"variant_board[].sample_ratio.chi_square":         figureOf("variant_board[].sample_ratio.n"),
	"variant_board[].sample_ratio.degrees_of_freedom": {as: isGiven},
	"variant_board[].sample_ratio.p":                  shareOf("variant_board[].sample_ratio.n"),
	"variant_board[].promotion.persons":               {as: isPersons},
	"variant_board[].promotion.value_now":             shareOf("variant_board[].promotion.persons"),
	"variant_board[].promotion.value_next":            figureOf("variant_board[].promotion.persons"),
	"variant_board[].promotion.effective_sample_size": figureOf("variant_board[].promotion.persons"),

	"unmet_needs.days":                        {as: isGiven},
	"unmet_needs.searches":                    {as: isPersons},
	"unmet_needs.searches_without_result":     {as: isPersons},
	"unmet_needs.products[].persons":          {as: isPersons},
	"unmet_needs.products[].searched":         {as: isPersons},
	"unmet_needs.products[].returned":         {as: isPersons},
	"unmet_needs.products[].size_guide":       {as: isPersons},
	"unmet_needs.products[].compared":         {as: isPersons},
	"unmet_needs.products[].left_in_basket":   {as: isPersons},
	"unmet_needs.products[].offer_not_helped": {as: isPersons},
	"unmet_needs.products[].ordered":          {as: isPersons},

	"price_fairness.storefronts[].quotes":         {as: isCounter},
	"price_fairness.storefronts[].price_denied":   {as: isCounter},
	"price_fairness.storefronts[].claims":         {as: isCounter},
	"price_fairness.storefronts[].claim_denied":   {as: isCounter},
	"price_fairness.storefronts[].personalised":   {as: isCounter},
	"price_fairness.storefronts[].equal_quotes":   {as: isCounter},
	"price_fairness.storefronts[].unequal_prices": {as: isCounter},
	"price_fairness.denied_by_rule[].count":       {as: isCounter},
	"price_protection.days":                       {as: isGiven},
	"price_protection.orders":                     {as: isPersons},
	"price_protection.lines":                      {as: isPersons},
	"price_protection.refund_cents":               figureOf("price_protection.orders"),
	"price_protection.bought_before_a_fall":       {as: isPersons},

	"retention[].days":     {as: isGiven},
	"past_term[].rows":     {as: isPersons},
	"let_go[].rows":        {as: isDerived}, // what the last report told of them
	"told_before[].told[]": {as: isDerived}, // what earlier nights told
}
