package pricing_test

import data.pricing

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

# _less is base without some members.
_less(base, names) := {name: value |
	some name, value in base
	not name in names
}

_quote := {
	"product_id": "B12",
	"storefront": "de",
	"channel": "web",
	"currency": "EUR",
	"customer": "consumer",
	"list_cents": 10000,
	"offer_cents": 8000,
	"vat_bp": 1900,
	"basis": "static",
	"inputs": [],
	"reductions": [],
	"announcement": _silent,
	"disclosure_shown": false,
	"consent_record_id": "",
	"promises": _unsaid,
}

_unsaid := {"deadline": "0001-01-01T00:00:00Z", "stock_left": 0, "shown_cents": 0, "shown_at": "0001-01-01T00:00:00Z", "fees_cents": 0}

_silent := {"kind": "none", "pct": 0, "since": "0001-01-01T00:00:00Z", "label": "", "reference_cents": 0}

_facts := {
	"window_from": "2026-10-21T22:00:00Z",
	"window_to": "2026-11-20T23:00:00Z",
	"covered": true,
	"low30_cents": 10000,
	"max_pct": 20,
	"restarted": false,
	"raised_before": false,
	"deadline_true": true,
	"stock_true": true,
	"rose": false,
}

_input(quote, facts, around) := _but(
	{
		"quote": _but(_quote, quote),
		"facts": _but(_facts, facts),
		"personalised_on": true,
		"consent_given": true,
		"regulated_price": false,
		"special_product": false,
		"significance": "low",
		"art22_ground": "",
	},
	around,
)

_judged(quote, facts, around) := verdict if {
	verdict := pricing.verdict with input as _input(quote, facts, around) with data.settings as {"max_discount_bp": 1500, "k": 25}
}

_priced(quote) := _judged(quote, {}, {})

_allowed(verdict) if {
	verdict.price_allowed
	verdict.claim_allowed
	verdict.rules == set()
}

_price_denied(verdict, ids) if {
	not verdict.price_allowed
	verdict.rules == ids
}

_claim_denied(verdict, ids) if {
	verdict.price_allowed
	not verdict.claim_allowed
	verdict.rules == ids
}

# A percent claim: low of the window, offer, what the history allows, what is said.
_percent(low, offer, most, pct) := _claim(low, offer, most, {"kind": "percent", "pct": pct, "reference_cents": low})

_claim(low, offer, most, said) := _judged(
	{"offer_cents": offer, "list_cents": low + offer, "announcement": _but(_announced, said)},
	{"low30_cents": low, "max_pct": most},
	{},
)

_announced := {"kind": "percent", "pct": 20, "since": "2026-11-20T23:00:00Z", "label": "30d_low", "reference_cents": 10000}

# PRI-01: price silently lowered from 100 to 80, no claim.
test_pri_01_allow_silence if {
	_allowed(_priced({}))
	_allowed(_priced({"announcement": _but(_silent, {"kind": ""})}))
}

test_pri_01_allow_low_stated if _allowed(_claim(10000, 8000, 20, {"pct": 20}))

# PRI-01: strikethrough 100 with 80, low of the window not shown.
test_pri_01_deny_low_not_stated if {
	_claim_denied(_claim(10000, 8000, 20, {"kind": "strike", "label": "other", "reference_cents": 0}), {"PRI-01"})
	_claim_denied(_claim(10000, 8000, 20, {"label": "30d_low", "reference_cents": 0}), {"PRI-01"})
	_claim_denied(_claim(10000, 8000, 20, {"kind": "highlight", "label": "", "reference_cents": 0}), {"PRI-01"})
}

# PRI-02: low 100.00, offer 50.00, "-50 %" (W1, W9, W19).
test_pri_02_allow_percentage_from_the_low if {
	_allowed(_percent(10000, 5000, 50, 50))
	_allowed(_percent(5000, 4000, 20, 20))
	_allowed(_percent(2999, 1999, 33, 33))
	_allowed(_claim(10000, 5000, 50, {"kind": "strike"}))
	_allowed(_claim(10000, 5000, 50, {"kind": "highlight"}))
}

# PRI-02: low 1.29, last 1.69, offer 1.29 (W3); W1, W2, W5, W8, W10, W19.
test_pri_02_deny_percentage_from_another_price if {
	_claim_denied(_percent(129, 129, 0, 23), {"PRI-02"})
	_claim_denied(_claim(129, 129, 0, {"kind": "highlight", "reference_cents": 129}), {"PRI-02"})
	_claim_denied(_percent(10000, 8000, 20, 50), {"PRI-02"})
	_claim_denied(_percent(2000, 2000, 0, 50), {"PRI-02"})
	_claim_denied(_percent(8000, 7000, 12, 30), {"PRI-02"})
	_claim_denied(_percent(7000, 8000, 0, 20), {"PRI-02"})
	_claim_denied(_claim(6000, 9000, 0, {"kind": "strike"}), {"PRI-02"})
	_claim_denied(_percent(2999, 1999, 33, 34), {"PRI-02"})
	_claim_denied(_percent(10000, 8000, 20, 0), {"PRI-02"})
}

# PRI-02: a strike price that is not the low.
test_pri_02_deny_reference_above_the_low if {
	_claim_denied(_claim(10000, 8000, 20, {"kind": "strike", "reference_cents": 12000}), {"PRI-02"})
}

# design.md's example: the low was 79.00, the offer is 80.00.
test_pri_02_deny_leaves_the_price if {
	said := {"pct": 20, "reference_cents": 10000}
	verdict := _judged(
		{
			"inputs": ["stock"],
			"reductions": [{"kind": "loyalty_card", "reference": "L1", "audience": "public", "marked": true}],
			"announcement": _but(_announced, said),
		},
		{"low30_cents": 7900, "max_pct": 0},
		{},
	)
	_claim_denied(verdict, {"PRI-02"})
}

# PRI-03: 59 in force until exactly the start of the window is outside (W16).
test_pri_03_allow_known_window if _allowed(_percent(7900, 6900, 12, 12))

# PRI-03: unknown history in the window.
test_pri_03_deny_unknown_window if {
	verdict := _judged({"announcement": _announced}, {"covered": false, "low30_cents": 0, "max_pct": 0}, {})
	_claim_denied(verdict, {"PRI-03"})
}

# PRI-03: a 2-hour flash price of 59 counts (W17).
test_pri_03_deny_flash_price_ignored if _claim_denied(_percent(5900, 6900, 0, 12), {"PRI-02"})

# PRI-04: "4.44 · lowest price of the last 30 days: 6.99 · -36 %" when 6.99 is the true low.
test_pri_04_allow_labelled_reference if _allowed(_percent(699, 444, 36, 36))

# PRI-04: "4.44 / 6.99 / -36 %" with a footnote (W4).
test_pri_04_deny_puzzle if {
	verdict := _claim(444, 444, 0, {"pct": 36, "label": "other", "reference_cents": 699})
	_claim_denied(verdict, {"PRI-01", "PRI-02", "PRI-04"})
}

# PRI-05: 100 -> 90 -> 80 -> 70 without gap (W6).
test_pri_05_allow_uninterrupted_steps if _allowed(_percent(10000, 7000, 30, 30))

# PRI-05: 100 -> 80 -> 100 for 2 days -> 70 (W7).
test_pri_05_deny_interrupted if {
	verdict := _judged(
		{"offer_cents": 7000, "announcement": _but(_announced, {"pct": 30, "reference_cents": 10000})},
		{"low30_cents": 8000, "max_pct": 12, "restarted": true},
		{},
	)
	_claim_denied(verdict, {"PRI-02", "PRI-05"})
}

test_pri_05_allow_smaller_claim_after_interruption if {
	verdict := _judged(
		{"offer_cents": 7000, "announcement": _but(_announced, {"pct": 12, "reference_cents": 8000})},
		{"low30_cents": 8000, "max_pct": 12, "restarted": true},
		{},
	)
	_allowed(verdict)
}

_exempted(reductions) := _judged({"reductions": reductions, "announcement": _but(_announced, {"label": "other", "reference_cents": 0})}, {}, {})

# PRI-06: birthday voucher to one customer; "-50 %, best before tomorrow" (W11, W12).
test_pri_06_allow_individual_or_marked if {
	_allowed(_exempted([{"kind": "voucher", "reference": "V1", "audience": "individual", "marked": false}]))
	_allowed(_exempted([{"kind": "short_dated", "reference": "", "audience": "public", "marked": true}]))
}

# PRI-06: "20 % with code SAVE20" without the low; unmarked short-dated goods.
test_pri_06_deny_public_code_or_unmarked if {
	_claim_denied(_exempted([{"kind": "coupon", "reference": "SAVE20", "audience": "public", "marked": true}]), {"PRI-01"})
	_claim_denied(_exempted([{"kind": "short_dated", "reference": "", "audience": "public", "marked": false}]), {"PRI-01", "PRI-06"})
}

test_pri_06_deny_exemption_of_one_for_all if {
	verdict := _exempted([
		{"kind": "voucher", "reference": "V1", "audience": "individual", "marked": false},
		{"kind": "coupon", "reference": "SAVE20", "audience": "public", "marked": true},
	])
	_claim_denied(verdict, {"PRI-01"})
}

# PRI-07: "UVP 129 EUR" in text, no percentage, own price 99.
test_pri_07_allow_named_in_words if {
	_allowed(_priced({"announcement": _but(_silent, {"label": "uvp", "reference_cents": 12900})}))
}

# PRI-07: "-23 %" against UVP 1.29 (W14).
test_pri_07_deny_reduction_against_uvp if {
	_claim_denied(_claim(129, 99, 23, {"pct": 23, "label": "uvp", "reference_cents": 129}), {"PRI-07"})
}

# W20: raised for 31 days, then lowered: allowed, and a person looks at it.
test_pri_07_flag_raise_before_campaign if {
	verdict := _judged(
		{"offer_cents": 10000, "list_cents": 12000, "announcement": _but(_announced, {"pct": 16, "reference_cents": 12000})},
		{"low30_cents": 12000, "max_pct": 16, "raised_before": true},
		{},
	)
	_allowed(verdict)
	verdict.flags == {"moon_price_review"}
}

test_pri_07_no_flag_without_claim if _judged({}, {"raised_before": true}, {}).flags == set()

# W13: the PAngV binds towards consumers only; unfair comparison stays forbidden.
test_pri_01_allow_business_without_low if {
	_allowed(_priced({"customer": "business", "announcement": _but(_announced, {"label": "other", "reference_cents": 0})}))
}

test_pri_07_deny_business_too if {
	_claim_denied(_priced({"customer": "business", "announcement": _but(_announced, {"label": "uvp"})}), {"PRI-07"})
}

_personal := {"basis": "personalised", "offer_cents": 9200, "inputs": ["stock", "membership"], "disclosure_shown": true, "consent_record_id": "r1"}

# PRI-08: the notice at the price (X3).
test_pri_08_allow_disclosed if {
	_allowed(_priced(_personal))
	_priced(_personal).disclosures == {"personalised_price"}
}

# PRI-08: one line in the general terms only (X2).
test_pri_08_deny_undisclosed if _price_denied(_priced(_but(_personal, {"disclosure_shown": false})), {"PRI-08"})

# PRI-09: inputs {hour, stock, competitor} (X1).
test_pri_09_allow_market_inputs if {
	verdict := _priced({"basis": "dynamic_market", "offer_cents": 11000, "inputs": ["hour", "stock", "competitor"]})
	_allowed(verdict)
	verdict.disclosures == set()
}

# PRI-09: {hour, device_os}; {visit_count}; IP region.
test_pri_09_deny_visitor_inputs if {
	every name in ["device_os", "visit_count", "ip_region", "Hour", " stock", "stock ", "hours", ""] {
		_price_denied(_priced({"basis": "dynamic_market", "inputs": ["hour", name]}), {"PRI-09", "PRI-11"})
	}
	_price_denied(_priced({"basis": "dynamic_market", "inputs": ["membership"]}), {"PRI-09"})
	_price_denied(_priced({"basis": "dynamic_market", "inputs": ["contract"]}), {"PRI-09"})
}

# PRI-10: list 100, consented loyalty price 92, disclosed.
test_pri_10_allow_consented_and_downwards if {
	_allowed(_priced(_personal))
	_allowed(_priced(_but(_personal, {"offer_cents": 8500})))
	_allowed(_priced(_but(_personal, {"offer_cents": 10000})))
}

# PRI-10: 104 for a returning visitor (X4); 92 without consent; more than 15 % below.
test_pri_10_deny_upwards_too_far_or_unasked if {
	_price_denied(_priced(_but(_personal, {"offer_cents": 10400})), {"PRI-10"})
	_price_denied(_priced(_but(_personal, {"offer_cents": 8499})), {"PRI-10"})
	_price_denied(_judged(_personal, {}, {"consent_given": false}), {"PRI-10"})
}

test_switch_deny_personalised_price_while_off if _price_denied(_judged(_personal, {}, {"personalised_on": false}), {"SWITCH"})

test_spc_01_allow_plain_price_of_sensitive_product if _allowed(_judged({}, {}, {"special_product": true}))

test_spc_01_deny_personal_price_of_sensitive_product if _price_denied(_judged(_personal, {}, {"special_product": true}), {"SPC-01"})

# PRI-11: the student discount is a membership, the same for all students.
test_pri_11_allow_closed_list if {
	inputs := [
		"hour", "weekday", "date", "stock", "cost", "competitor", "demand_aggregate", "expiry", "quantity", "basket_value",
		"contract", "membership", "delivery_vat",
	]
	_allowed(_priced({"inputs": inputs}))
}

# PRI-11: +5 % for iOS; price by IP country (X5); "women's price"; only for consenters.
test_pri_11_deny_any_other_input if {
	every name in ["device_os", "ip_country", "gender", "consent_status", "segment", "Munich", "STOCK", "sto\u0441k"] {
		_price_denied(_priced({"inputs": ["stock", name]}), {"PRI-11"})
	}
}

test_var_06_allow_small_impersonal_test if _allowed(_priced({"basis": "random_test", "offer_cents": 9000}))

test_var_06_deny_test_above_list_too_deep_or_personal if {
	_price_denied(_priced({"basis": "random_test", "offer_cents": 10100}), {"VAR-06"})
	_price_denied(_priced({"basis": "random_test", "offer_cents": 8000}), {"VAR-06"})
	_price_denied(_priced({"basis": "random_test", "offer_cents": 9000, "inputs": ["membership"]}), {"VAR-06"})
}

# PRI-15: firm A, net 71.30 after log-in.
test_pri_15_allow_named_contract if {
	_allowed(_priced({
		"customer": "business",
		"basis": "contract",
		"offer_cents": 7130,
		"reductions": [{"kind": "contract", "reference": "A-7", "audience": "individual", "marked": false}],
	}))
}

test_pri_15_deny_unnamed_contract if {
	_price_denied(_priced({"basis": "contract"}), {"PRI-15"})
	reductions := [{"kind": "contract", "reference": "", "audience": "individual", "marked": false}]
	_price_denied(_priced({"basis": "contract", "reductions": reductions}), {"PRI-15"})
}

test_pri_15_allow_fixed_price if _allowed(_judged({"offer_cents": 10000}, {}, {"regulated_price": true}))

# PRI-15: new German book, "-5 %".
test_pri_15_deny_discount_on_fixed_price if _price_denied(_judged({"offer_cents": 9500}, {}, {"regulated_price": true}), {"PRI-15"})

test_con_11_deny_what_cannot_be_read if {
	_price_denied(_priced({"basis": "haggled"}), {"CON-11"})
	_price_denied(_priced({"customer": "robot"}), {"CON-11"})
	_price_denied(_priced({"list_cents": 0, "offer_cents": 0}), {"CON-11"})
	_price_denied(_priced({"offer_cents": -1}), {"CON-11"})
	_claim_denied(_priced({"announcement": _but(_silent, {"kind": "shout"})}), {"CON-11"})
}

test_con_11_deny_no_input_at_all if {
	verdict := pricing.verdict with input as {}
	not verdict.price_allowed
	not verdict.claim_allowed
	verdict.rules == {"CON-11", "PRI-13"}
}

# R42: the iPhone owner in Munich and the old laptop in Schwerin get the same answer.
test_pri_11_allow_same_price_for_two_persons if {
	_priced({"consent_record_id": "munich"}) == _priced({"consent_record_id": "schwerin"})
}

# ADM-01: a personal discount, only downwards, is low; a static price is no decision about anybody.
test_adm_01_allow_small_discount if {
	_allowed(_priced(_personal))
	_allowed(_judged({}, {}, {"significance": "significant"}))
	_allowed(_judged(_personal, {}, {"significance": "significant", "art22_ground": "explicit_consent"}))
}

# ADM-01: a price that bars access, by score alone.
test_adm_01_deny_significant_price_without_ground if {
	_price_denied(_judged(_personal, {}, {"significance": "significant"}), {"ADM-01"})
	_price_denied(_judged(_personal, {}, {"significance": "significant", "art22_ground": "interest"}), {"ADM-01"})
	_price_denied(_judged(_personal, {}, {"significance": "grave", "art22_ground": "law"}), {"ADM-01"})
}

test_pri_12_allow_the_storefront_chosen if _allowed(_priced({"storefront": "de", "inputs": ["delivery_vat"]}))

test_pri_12_deny_a_place_as_an_input if {
	verdict := _priced({"basis": "dynamic_market", "inputs": ["hour", "place"]})
	not verdict.price_allowed
	"PRI-12" in verdict.rules
}

test_pri_12_deny_not_for_another_unknown_input if {
	verdict := _priced({"inputs": ["other"]})
	not "PRI-12" in verdict.rules
}

test_pri_13_allow_a_deadline_that_is_the_end if {
	verdict := _judged({"promises": _but(_unsaid, {"deadline": "2026-11-30T00:00:00Z", "stock_left": 2})}, {}, {})
	verdict.price_allowed
	verdict.claim_allowed
	verdict.rules == set()
}

test_pri_13_deny_a_timer_of_its_own if {
	verdict := _judged({"promises": _but(_unsaid, {"deadline": "2026-11-30T00:00:00Z"})}, {"deadline_true": false}, {})
	verdict.price_allowed
	not verdict.claim_allowed
	verdict.rules == {"PRI-13"}
}

test_pri_13_deny_only_two_left_of_forty if {
	verdict := _judged({"promises": _but(_unsaid, {"stock_left": 2})}, {"stock_true": false}, {})
	verdict.price_allowed
	not verdict.claim_allowed
	verdict.rules == {"PRI-13"}
}

test_pri_13_deny_a_rise_on_reload if {
	verdict := _judged({"promises": _but(_unsaid, {"shown_cents": 7900, "shown_at": "2026-11-21T11:50:00Z"})}, {"rose": true}, {})
	not verdict.price_allowed
	verdict.rules == {"PRI-13"}
}

test_pri_13_deny_a_fee_at_the_checkout if {
	verdict := _priced({"promises": _but(_unsaid, {"fees_cents": 199})})
	not verdict.price_allowed
	verdict.rules == {"PRI-13"}
}

# PRI-13: what nobody says about a rise or a fee is no promise kept.
test_pri_13_deny_an_unknown_rise if "PRI-13" in _judged({}, {"rose": null}, {}).rules

test_pri_13_deny_unknown_fees if "PRI-13" in _priced({"promises": _less(_unsaid, ["fees_cents"])}).rules

test_pri_13_allow_a_fee_told_to_a_business if {
	verdict := _priced({"customer": "business", "promises": _but(_unsaid, {"fees_cents": 199})})
	verdict.price_allowed
}

_struck(change) := {"announcement": _but({"kind": "strike", "pct": 0, "since": "2026-11-20T23:00:00Z", "label": "30d_low", "reference_cents": 10000}, change)}

test_pri_02_allow_a_true_strike_price if {
	verdict := _priced(_struck({}))
	verdict.claim_allowed
	verdict.rules == set()
}

test_pri_04_deny_a_reference_without_a_label if {
	_priced(_struck({"label": "other"})).rules == {"PRI-01", "PRI-04"}
	_priced(_struck({"label": "other", "reference_cents": 1})).rules == {"PRI-01", "PRI-04"}
}

test_pri_06_allow_short_dated_goods_without_a_claim if {
	verdict := _priced({"reductions": [{"kind": "short_dated", "reference": "", "audience": "public", "marked": false}]})
	verdict.claim_allowed
}

test_con_11_allow_a_gift if _allowed(_priced({"offer_cents": 0}))

# A second lock: even if no rule refused, only a basis and a claim that we know are allowed.
test_what_is_unknown_is_a_no_even_if_no_rule_refuses if {
	not pricing.price_allowed with input as _input({"basis": "unheard_of"}, {}, {}) with pricing.deny_price as set()
	not pricing.claim_allowed with input as _input({"announcement": _but(_silent, {"kind": "unheard_of"})}, {}, {}) with pricing.deny_claim as set()
}

test_con_11_deny_facts_of_another_type if {
	"CON-11" in _judged({"inputs": "stock"}, {}, {}).rules
	"CON-11" in _judged({}, {}, {"regulated_price": "no"}).rules
	"CON-11" in _judged({}, {}, {"special_product": "no"}).rules
}

test_con_11_allow_the_smallest_price if _allowed(_priced({"list_cents": 1, "offer_cents": 1}))

test_pri_07_allow_no_flag_without_a_rise if _claim(10000, 8000, 20, {}).flags == set()

# PRI-13: one cent that comes on top is a fee.
test_pri_13_deny_one_cent_of_fees if {
	promises := {"deadline": "0001-01-01T00:00:00Z", "stock_left": 0, "shown_cents": 0, "shown_at": "0001-01-01T00:00:00Z", "fees_cents": 1}
	"PRI-13" in _judged(_but(_quote, {"promises": promises}), {}, {}).rules
}

# PRI-10: the cap holds to the cent, however dear the product is.
test_pri_10_deny_one_cent_below_the_cap if {
	every offer, refused in {84999999: true, 85000000: false} {
		quote := {"basis": "personalised", "disclosure_shown": true, "list_cents": 100000000, "offer_cents": offer}
		_is(refused, "PRI-10", _priced(quote).rules)
	}
}

_is(true, id, ids) if id in ids

_is(false, id, ids) if not id in ids

test_var_06_allow_a_test_that_follows_the_market if {
	not "VAR-06" in _priced({"basis": "random_test", "offer_cents": 9900, "inputs": ["stock"]}).rules
}

test_pri_15_deny_another_kind_of_reduction if {
	reductions := [{"kind": "coupon", "reference": "A-7", "audience": "individual", "marked": false}]
	_price_denied(_priced({"basis": "contract", "reductions": reductions}), {"PRI-15"})
}

test_pri_02_allow_one_percent if _allowed(_percent(10000, 9900, 1, 1))

# The duty to state the low is to consumers, and about a claim.
test_claims_to_businesses_owe_no_low if {
	business := {"customer": "business", "announcement": _but(_announced, {"label": "other", "reference_cents": 1, "pct": 99})}
	verdict := _judged(business, {"covered": true, "restarted": true, "low30_cents": 1, "max_pct": 0}, {})
	{"PRI-01", "PRI-02", "PRI-04", "PRI-05", "PRI-06"} & verdict.rules == set()
}

test_no_claim_owes_no_low if {
	quote := {"announcement": _but(_silent, {"reference_cents": 1}), "offer_cents": 9000}
	verdict := _judged(quote, {"covered": true, "restarted": true, "low30_cents": 1, "max_pct": 0}, {})
	{"PRI-01", "PRI-02", "PRI-04", "PRI-05", "PRI-06"} & verdict.rules == set()
}

# What the history does not cover was not interrupted: PRI-03 says it.
test_pri_05_allow_where_nothing_is_known if {
	verdict := _judged({"offer_cents": 9000, "announcement": _announced}, {"covered": false, "restarted": true, "low30_cents": 0, "max_pct": 0}, {})
	not "PRI-05" in verdict.rules
	"PRI-03" in verdict.rules
}

# PRI-06: unmarked short-dated goods for a business owe no mark.
test_pri_06_allow_business if {
	reductions := [{"kind": "short_dated", "reference": "", "audience": "public", "marked": false}]
	not "PRI-06" in _judged({"customer": "business", "reductions": reductions, "announcement": _announced, "offer_cents": 9000}, {}, {}).rules
}
