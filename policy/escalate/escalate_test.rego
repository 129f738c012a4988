package escalate_test

import data.escalate

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

# A visitor who consented, is lost in a premium product, and could be helped now.
_lost := {
	"asked": false,
	"consent": {"status": "given", "record_id": "r1", "proof_complete": true, "explicit": false},
	"age": "adult",
	"restricted": false,
	"objected": false,
	"switch_on": true,
	"product_class": "premium",
	"special": false,
	"need": 50,
	"need_hint": 20,
	"need_human": 40,
	"value": 3,
	"exact_article": false,
	"features": {},
	"hints_shown": 0,
	"events_after_hint": 0,
	"dismissed_in_session": false,
	"seconds_since_dismissed": -1,
	"seconds_since_offer": -1,
	"min_gap_seconds": 3600,
	"dismissed_for_seconds": 604800,
	"in_show": false,
	"open_channels": ["chat", "video"],
	"hours_open": true,
	"capacity": 2,
	"holdout": false,
	"expected_gain_cents": 0,
	"adviser_cost_cents": 900,
	"speaker": "machine",
	"disclosed": true,
	"preloaded_channels": [],
	"feature_tags": [],
	"significance": "low",
	"art22_ground": "",
}

_no(status) := {"status": status, "record_id": "", "proof_complete": false, "explicit": false}

# A visitor who consented to nothing and knows nothing, while everything is shut but one channel.
_asking := _but(_lost, {
	"asked": true,
	"consent": _no("unknown"),
	"switch_on": false,
	"need": 0,
	"value": 0,
	"product_class": "simple",
	"capacity": 0,
	"holdout": true,
	"restricted": true,
	"dismissed_in_session": true,
	"in_show": true,
	"exact_article": true,
	"open_channels": ["call"],
})

_offer(change) := verdict if {
	verdict := escalate.verdict with input as _but(_lost, change)
}

_human(verdict) if {
	verdict == {
		"offer": "human",
		"hint": "",
		"channels": ["chat", "video"],
		"held_out": false,
		"rules": {"ESC-01", "OFFER-NEED-HUMAN"},
	}
}

_nothing(verdict, ids) if verdict == {"offer": "none", "hint": "", "channels": [], "held_out": false, "rules": ids}

_hint(verdict, kind, limits) if {
	rules := limits | {"ESC-01", "OFFER-NEED-HINT"}
	verdict == {"offer": "hint", "hint": kind, "channels": [], "held_out": false, "rules": rules}
}

# ESC-01: with consent, an offer may follow from behaviour.
test_esc_01_allow_offer_with_consent if _human(_offer({}))

# ESC-01: no consent, proactive pop-up because of five earlier visits.
test_esc_01_deny_offer_without_consent if {
	_nothing(_offer({"consent": _no("unknown")}), {"ESC-01", "CON-11"})
	_nothing(_offer({"consent": _no("refused")}), {"ESC-01", "CON-01"})
}

test_esc_01_deny_no_input_at_all if {
	verdict := escalate.verdict with input as {}
	_nothing(verdict, {"ESC-01", "ESC-05", "ADM-01", "CON-11", "SWITCH"})
	escalate.offer == "none" with input as {"asked": false, "need": 99, "need_hint": 1, "need_human": 1}
}

test_con_10_allow_before_withdrawal if _human(_offer({}))

test_con_10_deny_after_withdrawal if _nothing(_offer({"consent": _no("withdrawn")}), {"ESC-01", "CON-10"})

test_con_12_deny_expired if _nothing(_offer({"consent": _no("expired")}), {"ESC-01", "CON-12"})

test_con_08_allow_proven_consent if _human(_offer({}))

test_con_08_deny_consent_without_proof if {
	_nothing(_offer({"consent": {"status": "given", "record_id": "", "proof_complete": false, "explicit": false}}), {"CON-08"})
}

# ESC-03: a low-value visitor asks for chat.
test_esc_03_allow_who_asks if {
	verdict := escalate.verdict with input as _asking
	verdict == {"offer": "human", "hint": "", "channels": ["call"], "held_out": false, "rules": {"ESC-03"}}
}

test_esc_03_allow_any_score_value_and_consent if {
	every status in {"unknown", "refused", "withdrawn", "given"} {
		every value in [0, 5] {
			escalate.offer == "human" with input as _but(_asking, {"consent": _no(status), "value": value, "need": value})
		}
	}
}

# ESC-03: "customer value below X means bot only": value changes no answer.
test_esc_03_deny_value_as_a_privilege if {
	every value in [0, 1, 2, 3, 4, 5] {
		_human(_offer({"value": value}))
		_hint(_offer({"value": value, "need": 30}), "filter", set())
	}
}

test_esc_03_deny_only_if_no_channel_is_open if {
	verdict := escalate.verdict with input as _but(_asking, {"open_channels": []})
	_nothing(verdict, {"ESC-03", "OFFER-HOURS"})
}

test_switch_allow_asked_while_off if escalate.offer == "human" with input as _but(_asking, {"switch_on": false})

test_switch_deny_offer_while_off if _nothing(_offer({"switch_on": false}), {"SWITCH"})

# RGT-07: the subject's own request goes on.
test_rgt_07_allow_asked_though_restricted if {
	escalate.offer == "human" with input as _but(_asking, {"restricted": true, "objected": true})
}

test_rgt_07_deny_restricted_or_objected if {
	_nothing(_offer({"restricted": true}), {"RGT-07"})
	_nothing(_offer({"objected": true}), {"RGT-07"})
}

test_spc_05_deny_child if _nothing(_offer({"age": "u16"}), {"SPC-05"})

test_spc_01_allow_ordinary_product if _human(_offer({"special": false}))

test_spc_01_deny_sensitive_product if _nothing(_offer({"special": true}), {"SPC-01"})

test_offer_need_deny_too_little if _nothing(_offer({"need": 19}), {"OFFER-NEED"})

test_offer_need_allow_hint_at_its_threshold if _hint(_offer({"need": 20}), "filter", set())

test_offer_need_allow_hint_below_human if _hint(_offer({"need": 39}), "filter", set())

test_offer_need_allow_human_at_its_threshold if _human(_offer({"need": 40}))

test_offer_hint_kind_follows_the_trouble if {
	_hint(_offer({"need": 20, "features": {"size_guide_opens": 1}}), "size_guide", set())
	_hint(_offer({"need": 20, "features": {"variant_flips_max": 2}}), "size_guide", set())
	_hint(_offer({"need": 20, "features": {"searches_zero_results": 1}}), "search_help", set())
	_hint(_offer({"need": 20, "features": {"search_reformulations": 1}}), "search_help", set())
	_hint(_offer({"need": 20, "features": {"variant_flips_max": 1, "searches_distinct": 3}}), "filter", set())
}

# R7: no human before a failed hint, unless the class demands one.
test_offer_hint_first_deny_human_at_once if {
	_hint(_offer({"product_class": "standard"}), "filter", {"OFFER-HINT-FIRST"})
	_hint(_offer({"product_class": ""}), "filter", {"OFFER-HINT-FIRST"})
	_hint(_offer({"product_class": "standard", "hints_shown": 1}), "filter", {"OFFER-HINT-FIRST"})
	_hint(_offer({"product_class": "standard", "events_after_hint": 4}), "filter", {"OFFER-HINT-FIRST"})
}

test_offer_hint_first_allow_after_a_failed_hint if {
	_human(_offer({"product_class": "standard", "hints_shown": 1, "events_after_hint": 1}))
}

test_offer_hint_first_allow_where_the_class_demands if {
	every class in {"premium", "complex", "contract"} {
		_human(_offer({"product_class": class}))
	}
}

# R9: T-shirts and parasols.
test_offer_simple_deny_proactive_human if {
	verdict := _offer({"product_class": "simple", "hints_shown": 1, "events_after_hint": 3})
	_hint(verdict, "filter", {"OFFER-SIMPLE"})
}

test_offer_simple_allow_who_asks if escalate.offer == "human" with input as _but(_asking, {"product_class": "simple"})

# R10: capacity, opening hours and cost.
test_offer_capacity_deny_nobody_free if _hint(_offer({"capacity": 0}), "filter", {"OFFER-CAPACITY"})

test_offer_hours_deny_closed if {
	_hint(_offer({"hours_open": false}), "filter", {"OFFER-HOURS"})
	_hint(_offer({"open_channels": []}), "filter", {"OFFER-HOURS"})
}

test_offer_cost_deny_known_small_gain if {
	_hint(_offer({"expected_gain_cents": 899}), "filter", {"OFFER-COST"})
	_hint(_offer({"expected_gain_cents": 1}), "filter", {"OFFER-COST"})
}

test_offer_cost_allow_unknown_or_large_gain if {
	_human(_offer({"expected_gain_cents": 0}))
	_human(_offer({"expected_gain_cents": 900}))
}

# R36: an article number.
test_offer_exact_deny_article_search if _nothing(_offer({"exact_article": true}), {"OFFER-EXACT"})

test_offer_show_deny_in_show if _nothing(_offer({"in_show": true}), {"OFFER-SHOW"})

test_offer_closed_deny_after_dismissal if {
	_nothing(_offer({"dismissed_in_session": true}), {"OFFER-CLOSED"})
	_nothing(_offer({"seconds_since_dismissed": 0}), {"OFFER-CLOSED"})
	_nothing(_offer({"seconds_since_dismissed": 604799}), {"OFFER-CLOSED"})
}

test_offer_closed_allow_after_seven_days if _human(_offer({"seconds_since_dismissed": 604800}))

test_offer_cap_deny_too_soon if {
	_nothing(_offer({"seconds_since_offer": 0}), {"OFFER-CAP"})
	_nothing(_offer({"seconds_since_offer": 3599}), {"OFFER-CAP"})
}

test_offer_cap_allow_after_the_gap if _human(_offer({"seconds_since_offer": 3600}))

test_offer_cap_deny_fourth_hint if {
	_hint(_offer({"need": 20, "hints_shown": 2}), "filter", set())
	_nothing(_offer({"need": 20, "hints_shown": 3}), {"ESC-01", "OFFER-CAP"})
	_nothing(_offer({"capacity": 0, "hints_shown": 3}), {"ESC-01", "OFFER-CAP", "OFFER-CAPACITY"})
}

test_offer_cap_allow_human_after_hints if _human(_offer({"hints_shown": 3}))

test_offer_holdout_deny_by_lot if {
	verdict := _offer({"holdout": true})
	verdict == {"offer": "none", "hint": "", "channels": [], "held_out": true, "rules": {"ESC-01", "OFFER-HOLDOUT"}}
}

test_offer_holdout_allow_who_asks if escalate.offer == "human" with input as _but(_asking, {"holdout": true})

test_offer_holdout_counts_only_who_would_have_had_a_human if {
	_hint(_offer({"holdout": true, "need": 30}), "filter", set())
	_hint(_offer({"holdout": true, "capacity": 0}), "filter", {"OFFER-CAPACITY", "OFFER-HOLDOUT"})
}

test_all_refusals_are_told if {
	verdict := _offer({"consent": _no("withdrawn"), "in_show": true, "restricted": true})
	_nothing(verdict, {"ESC-01", "CON-10", "OFFER-SHOW", "RGT-07"})
}

# ESC-02: a vendor's chat that loads after the click may be offered.
test_esc_02_allow_vendor_that_waits_for_the_click if {
	_offer({"preloaded_channels": ["video"]}).channels == ["chat"]
	_human(_offer({"preloaded_channels": ["call"]}))
}

# ESC-02: the vendor's widget is on every page.
test_esc_02_deny_preloaded_widget if {
	_hint(_offer({"preloaded_channels": ["chat", "video"]}), "filter", {"ESC-02"})
	verdict := escalate.verdict with input as _but(_asking, {"preloaded_channels": ["call"]})
	_nothing(verdict, {"ESC-02", "ESC-03"})
}

# ESC-05: the answer says that a machine speaks, or a human speaks.
test_esc_05_allow_machine_that_says_so if {
	_human(_offer({"speaker": "machine", "disclosed": true}))
	_human(_offer({"speaker": "human", "disclosed": false}))
}

# ESC-05: no notice, or nobody knows who speaks.
test_esc_05_deny_machine_in_disguise if {
	_nothing(_offer({"disclosed": false}), {"ESC-05"})
	_nothing(_offer({"speaker": "Anna"}), {"ESC-05"})
}

# SPC-04: features of the session.
test_spc_04_allow_what_was_done_here if _human(_offer({"features": {"size_guide_opens": 0, "checkout_errors": 2}}))

# SPC-04: surname_origin_score, a five-digit postcode, a feature tagged as a proxy.
test_spc_04_deny_proxies if {
	every name in ["surname_origin_score", "postcode_5", "Voice_pitch"] {
		_nothing(_offer({"features": {name: 1}}), {"SPC-04"})
	}
	_nothing(_offer({"feature_tags": ["proxy"]}), {"SPC-04"})
}

test_spc_04_allow_proxies_for_who_asks if {
	verdict := escalate.verdict with input as _but(_asking, {"feature_tags": ["proxy", "vulnerability"]})
	verdict.offer == "human"
}

# SPC-07: asked three times about financing: a neutral hint.
test_spc_07_allow_neutral_hint if _hint(_offer({"need": 30, "features": {"searches": 3}}), "filter", set())

# SPC-07: a frustration score from rage clicks.
test_spc_07_deny_feelings_and_weaknesses if {
	every name in ["frustration_score", "rage_clicks", "voice_stress", "financial_distress"] {
		"SPC-07" in _offer({"features": {name: 1}}).rules
	}
	_nothing(_offer({"feature_tags": ["vulnerability"]}), {"SPC-07"})
}

# ADM-01: a proactive offer is low.
test_adm_01_allow_low_significance if {
	_human(_offer({"significance": "low"}))
	_human(_offer({"significance": "none"}))
	_human(_offer({"significance": "significant", "art22_ground": "contract"}))
}

test_adm_01_deny_significant_without_ground if {
	_nothing(_offer({"significance": "significant"}), {"ADM-01"})
	_nothing(_offer({"significance": "significant", "art22_ground": "interest"}), {"ADM-01"})
	_nothing(_offer({"significance": ""}), {"ADM-01"})
	_nothing(_offer({"significance": "significant", "art22_ground": "law", "age": "unknown"}), {"ADM-01"})
	_nothing(_offer({"significance": "significant", "art22_ground": "law", "special": true}), {"ADM-01", "SPC-01"})
	_nothing(_offer({"significance": "grave", "art22_ground": "law"}), {"ADM-01"})
}

# ADM-01: the way to a person stays open.
test_adm_01_allow_human_on_request if {
	verdict := escalate.verdict with input as _but(_asking, {"significance": "significant"})
	verdict.offer == "human"
}

test_con_11_deny_each_unreadable_fact if {
	every name in object.keys(_lost) - {
		"asked", "consent", "switch_on", "need", "need_hint", "need_human", "value", "features", "events_after_hint",
		"hours_open", "capacity", "speaker", "disclosed", "significance", "art22_ground",
	} {
		"CON-11" in _offer({name: null}).rules
	}
}

# Features that are not there say nothing about proxies (SPC-04), and so are no yes.
test_con_11_deny_without_features if {
	facts := {name: value |
		some name, value in _lost
		name != "features"
	}
	verdict := escalate.verdict with input as facts
	_nothing(verdict, {"CON-11"})
}

test_offer_need_deny_whoever_had_hints_and_needs_none if _nothing(_offer({"need": 10, "hints_shown": 3}), {"OFFER-NEED"})
