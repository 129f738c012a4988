package processing_test

import data.processing

# A consented purpose with all its papers.
_good := {
	"purpose": "personalisation_content",
	"entries": 1,
	"gated": true,
	"special": false,
	"bases": ["6-1-a"],
	"art_9": [],
	"retention_days": 90,
	"recipients_listed": true,
	"device_access": true,
	"profiling": true,
	"child_directed": false,
	"identifiers": [{"id": "anonymous id", "allowed": true, "exempt": false, "on_device": true}],
	"sources": [{"purpose": "analytics", "compatible": false}],
	"features": [{"name": "product_views_28d", "listed": true, "days": 28}, {"name": "searches", "listed": true, "days": 0}],
	"lookback_days": 90,
	"lia": _no_lia,
	"dpia_required": true,
	"dpia": {
		"covers": true,
		"approved": true,
		"expired": false,
		"opinion_by": "dpo",
		"decision_by": "managing director",
		"unassessed_features": [],
		"unassessed_recipients": [],
	},
	"recipients": [_own, _hosting],
	"dpf": true,
}

_own := {"id": "own shop", "role": "own", "contract": false, "country": "DE", "transfer": "none", "assessed": false}

_hosting := {"id": "hosting", "role": "processor", "contract": true, "country": "DE", "transfer": "none", "assessed": false}

_american := {"id": "tool", "role": "processor", "contract": true, "country": "US", "transfer": "dpf", "assessed": false}

_no_lia := {"complete": false, "covers": false, "approved_by": "", "age_months": 0}

_lia := {"complete": true, "covers": true, "approved_by": "managing director", "age_months": 3}

_no_dpia := {
	"covers": false,
	"approved": false,
	"expired": false,
	"opinion_by": "",
	"decision_by": "",
	"unassessed_features": [],
	"unassessed_recipients": [],
}

# Bot detection on server logs: legitimate interest.
_security := _with(_good, {
	"purpose": "fraud_security",
	"gated": false,
	"bases": ["6-1-f"],
	"retention_days": 30,
	"device_access": false,
	"profiling": false,
	"identifiers": [],
	"sources": [{"purpose": "essential_service", "compatible": true}],
	"features": [],
	"lookback_days": 0,
	"lia": _lia,
	"dpia_required": false,
	"dpia": _no_dpia,
})

# The customer's own order: contract.
_order := _with(_security, {
	"purpose": "essential_service",
	"bases": ["6-1-b"],
	"device_access": true,
	"identifiers": [{"id": "cart", "allowed": true, "exempt": true, "on_device": true}],
	"sources": [],
	"lia": _no_lia,
})

_health := _with(_good, {"purpose": "special_category:health", "special": true, "art_9": ["9-2-a"]})

# _with is facts with some members replaced.
_with(facts, change) := {name: value |
	some name, was in facts
	value := object.get(change, name, was)
}

_rules(facts) := ids if {
	ids := processing.deny with input as facts
}

_runs(facts) if {
	processing.allowed with input as facts
	processing.deny == set() with input as facts
}

_stops(facts, id) if {
	id in _rules(facts)
	not _may(facts)
}

_may(facts) if processing.allowed with input as facts

_alone(facts, id) if {
	_rules(facts) == {id}
	not _may(facts)
}

test_the_verdict_is_all_of_it if {
	processing.verdict == {"allowed": true, "rules": set(), "dropped": {}, "blocked": {}} with input as _good
}

test_nothing_known_is_a_no if {
	not processing.allowed with input as {}
	"LAW-01" in processing.deny with input as {}
}

test_law_01_allow_fraud_security_with_its_assessment if _runs(_security)

test_law_01_allow_a_consented_purpose if _runs(_good)

test_law_01_allow_a_special_category_with_its_ground if _runs(_health)

test_law_01_deny_a_purpose_that_nobody_registered if {
	_stops({"purpose": "explore", "entries": 0}, "LAW-01")
	_alone(_with(_good, {"entries": 0}), "LAW-01")
}

test_law_01_deny_two_bases_or_none if {
	_alone(_with(_security, {"bases": []}), "LAW-01")
	_alone(_with(_security, {"bases": ["none"]}), "LAW-01")
	_stops(_with(_security, {"bases": ["6-1-a", "6-1-f"]}), "LAW-01")
}

test_law_01_deny_without_retention if _alone(_with(_good, {"retention_days": 0}), "LAW-01")

test_law_01_deny_without_recipients if _alone(_with(_good, {"recipients_listed": false}), "LAW-01")

test_law_01_deny_a_special_category_without_its_ground if {
	_alone(_with(_health, {"art_9": []}), "LAW-01")
	_alone(_with(_health, {"art_9": ["", "9-2-a"]}), "LAW-01")
}

test_law_02_allow_bot_detection_on_server_logs if _runs(_with(_security, {"lia": _with(_lia, {"age_months": 23})}))

test_law_02_deny_an_old_or_missing_assessment if {
	_alone(_with(_security, {"lia": _with(_lia, {"age_months": 24})}), "LAW-02")
	_alone(_with(_security, {"lia": _no_lia}), "LAW-02")
}

test_law_02_deny_an_assessment_that_is_not_whole if {
	_alone(_with(_security, {"lia": _with(_lia, {"complete": false})}), "LAW-02")
	_alone(_with(_security, {"lia": _with(_lia, {"covers": false})}), "LAW-02")
	_alone(_with(_security, {"lia": _with(_lia, {"approved_by": ""})}), "LAW-02")
}

test_law_02_deny_scoring_read_from_a_cookie if _alone(_with(_security, {"device_access": true}), "LAW-02")

test_law_02_deny_special_categories if {
	_stops(_with(_security, {"special": true, "art_9": ["9-2-a"]}), "LAW-02")
}

test_law_02_deny_profiles_of_children if {
	profiles := _with(_security, {"profiling": true, "dpia": _good.dpia})
	_runs(profiles)
	_runs(_with(_security, {"child_directed": true}))
	_alone(_with(profiles, {"child_directed": true}), "LAW-02")
}

test_law_03_allow_the_order_and_the_help_asked_for if {
	_runs(_order)
	_runs(_with(_order, {"purpose": "adviser_case"}))
}

test_law_03_deny_recommendations_as_part_of_the_contract if {
	_rules(_with(_good, {"bases": ["6-1-b"]})) == {"CON-13", "LAW-03"}
	_alone(_with(_order, {"purpose": "marketing_post"}), "LAW-03")
}

test_con_13_allow_invoices_after_marketing_consent_is_withdrawn if {
	_runs(_with(_order, {"bases": ["6-1-c"]}))
}

test_con_13_deny_personalisation_on_legitimate_interest if {
	_alone(_with(_good, {"bases": ["6-1-f"], "lia": _lia, "device_access": false}), "CON-13")
}

test_con_02_allow_the_cart_cookie_for_the_cart if _runs(_order)

test_con_02_allow_the_account_on_the_server if {
	_runs(_with(_security, {"identifiers": [{"id": "account", "allowed": true, "exempt": false, "on_device": false}]}))
}

test_con_02_deny_the_cart_cookie_for_segments if {
	_alone(_with(_good, {"identifiers": [{"id": "cart", "allowed": false, "exempt": false, "on_device": true}]}), "CON-02")
}

test_con_02_deny_an_identifier_on_the_device_without_exemption if {
	_alone(_with(_order, {"identifiers": [{"id": "cart", "allowed": true, "exempt": false, "on_device": true}]}), "CON-02")
}

test_law_04_allow_what_is_compatible_or_consented if {
	_runs(_good)
	_runs(_security)
}

test_law_04_deny_the_security_log_for_marketing if {
	_alone(_with(_security, {"purpose": "marketing_post", "sources": [{"purpose": "fraud_security", "compatible": false}]}), "LAW-04")
}

test_law_05_allow_category_views_of_14_days if {
	facts := _with(_good, {"features": [{"name": "views_14d", "listed": true, "days": 14}]})
	processing.dropped == {} with input as facts
	_runs(facts)
}

test_law_05_allow_up_to_the_look_back_itself if {
	processing.dropped == {} with input as _with(_good, {"features": [{"name": "views_90d", "listed": true, "days": 90}]})
}

test_law_05_deny_what_is_not_listed_and_go_on_without_it if {
	facts := _with(_good, {"features": [
		{"name": "first_name", "listed": false, "days": 0},
		{"name": "product_views_28d", "listed": true, "days": 28},
	]})
	processing.dropped == {"first_name": {"LAW-05"}} with input as facts
	_runs(facts)
}

test_law_05_deny_browsing_of_four_years if {
	facts := _with(_good, {"features": [
		{"name": "views_1460d", "listed": true, "days": 1460},
		{"name": "product_views_28d", "listed": true, "days": 28},
	]})
	processing.dropped == {"views_1460d": {"LAW-05"}} with input as facts
	_runs(facts)
}

test_law_05_deny_when_nothing_is_left if {
	_alone(_with(_good, {"features": [{"name": "first_name", "listed": false, "days": 0}]}), "LAW-05")
}

test_ops_03_allow_what_was_assessed if _runs(_good)

test_ops_03_allow_what_needs_none if {
	_runs(_with(_good, {"dpia_required": false, "profiling": false, "dpia": _no_dpia}))
}

test_ops_03_deny_without_an_assessment if {
	_alone(_with(_good, {"dpia": _no_dpia, "profiling": false}), "OPS-03")
	_alone(_with(_good, {"dpia": _no_dpia, "dpia_required": false}), "OPS-03")
	_alone(_with(_health, {"dpia": _no_dpia, "dpia_required": false, "profiling": false}), "OPS-03")
}

test_ops_03_deny_a_new_feature_in_adviser_scoring if {
	_alone(_changed({"unassessed_features": ["dwell_time"]}), "OPS-03")
}

test_ops_03_deny_a_new_recipient if _alone(_changed({"unassessed_recipients": ["ad network"]}), "OPS-03")

test_ops_03_deny_what_is_not_decided_or_has_expired if {
	_alone(_changed({"covers": false}), "OPS-03")
	_alone(_changed({"approved": false}), "OPS-03")
	_alone(_changed({"expired": true}), "OPS-03")
	_alone(_changed({"opinion_by": ""}), "OPS-03")
	_alone(_changed({"decision_by": ""}), "OPS-03")
}

test_ops_03_deny_the_dpo_as_approver if _alone(_changed({"decision_by": "dpo"}), "OPS-03")

_changed(dpia) := _with(_good, {"dpia": _with(_good.dpia, dpia)})

test_ops_04_allow_the_union_with_a_contract if _runs(_good)

test_ops_04_allow_a_ground_for_the_transfer if {
	_runs(_sent(_american))
	_runs(_sent(_with(_american, {"transfer": "scc", "assessed": true})))
	_runs(_sent(_with(_american, {"country": "CH", "transfer": "adequacy"})))
	_runs(_sent(_with(_american, {"country": "NO", "transfer": "none"})))
}

test_ops_04_deny_a_tool_without_a_contract if {
	_alone(_sent(_with(_hosting, {"contract": false})), "OPS-04")
	processing.blocked == {"hosting": {"OPS-04"}} with input as _sent(_with(_hosting, {"contract": false}))
}

test_ops_04_deny_a_region_without_a_ground if {
	_alone(_sent(_with(_american, {"transfer": "none"})), "OPS-04")
	_alone(_sent(_with(_american, {"transfer": "scc"})), "OPS-04")
	_alone(_sent(_with(_american, {"transfer": "none", "assessed": true})), "OPS-04")
	_alone(_sent(_with(_american, {"transfer": "adequacy"})), "OPS-04")
	_alone(_sent(_with(_american, {"country": "IN"})), "OPS-04")
	processing.blocked == {"tool": {"OPS-04"}} with input as _sent(_with(_american, {"country": "IN"}))
}

test_ops_04_deny_when_the_framework_falls if {
	_alone(_with(_sent(_american), {"dpf": false}), "OPS-04")
	_runs(_with(_good, {"dpf": false}))
}

_sent(recipient) := _with(_good, {"recipients": [_own, recipient]})

test_every_country_of_the_area_is_inside if {
	every country in {
		"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT",
		"LU", "LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
	} {
		_runs(_sent(_with(_hosting, {"country": country})))
	}
}

test_every_adequate_country_is_adequate if {
	every country in {"AD", "AR", "CA", "CH", "FO", "GB", "GG", "IL", "IM", "JE", "JP", "KR", "NZ", "UY"} {
		_runs(_sent(_with(_american, {"country": country, "transfer": "adequacy"})))
	}
}

# A no is said, and a purpose that is not entered runs under no circumstances.
test_a_refusal_is_said if {
	verdict := processing.verdict with input as _with(_good, {"entries": 0})
	verdict.allowed == false
	not processing.allowed with input as _with(_good, {"entries": 0}) with processing.deny as set()
}

# LAW-01: what the register does not say of a purpose speaks against it.
test_law_01_deny_each_missing_fact if {
	every name in object.keys(_good) - {"purpose", "art_9", "device_access", "child_directed", "dpia_required", "profiling", "lia", "dpf"} {
		verdict := processing.verdict with input as _less(_good, [name])
		not verdict.allowed
	}
}

test_law_02_deny_an_interest_of_unknown_reach if {
	every name, rule in {"device_access": "LAW-02", "dpia_required": "OPS-03", "profiling": "OPS-03", "special": "LAW-02", "gated": "CON-13"} {
		verdict := processing.verdict with input as _less(_security, [name])
		rule in verdict.rules
	}
}

# A profile in what may be a shop for children, or what may be one.
test_law_02_deny_an_interest_in_perhaps_a_child if {
	assessed := _with(_security, {"dpia": _good.dpia})
	every unknown in [["profiling"], ["profiling", "child_directed"]] {
		verdict := processing.verdict with input as _less(_with(assessed, {"child_directed": true}), unknown)
		verdict.rules == {"LAW-02"}
	}
}

test_con_02_deny_an_identifier_of_unknown_use if {
	every name, with_it in {"allowed": _good, "on_device": _noted, "exempt": _order} {
		identifiers := [_less(identifier, [name]) | some identifier in with_it.identifiers]
		verdict := processing.verdict with input as _with(with_it, {"identifiers": identifiers})
		"CON-02" in verdict.rules
	}
}

_noted := _with(_security, {"identifiers": [{"id": "account", "allowed": true, "exempt": false, "on_device": false}]})

test_law_04_deny_a_source_of_unknown_fit if {
	verdict := processing.verdict with input as _with(_security, {"sources": [{"purpose": "analytics"}]})
	verdict.rules == {"LAW-04"}
}

test_law_05_deny_a_feature_of_unknown_reach if {
	every feature in [{"name": "searches_7d", "listed": true}, {"name": "searches_7d", "days": 7}] {
		verdict := processing.verdict with input as _with(_good, {"features": [feature, {"name": "searches", "listed": true, "days": 0}]})
		verdict.dropped == {"searches_7d": {"LAW-05"}}
	}
}

test_ops_04_deny_a_recipient_of_unknown_bond if {
	every fact in ["role", "contract"] {
		verdict := processing.verdict with input as _with(_good, {"recipients": [_less(_with(_hosting, {"contract": false}), [fact])]})
		verdict.blocked == {"hosting": {"OPS-04"}}
	}
}

# _less is base without some members.
_less(base, names) := {name: value |
	some name, value in base
	not name in names
}
