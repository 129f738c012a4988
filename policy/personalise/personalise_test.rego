package personalise_test

import data.personalise

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_given := {"status": "given", "record_id": "r1", "proof_complete": true, "explicit": false}

_no(status) := {"status": status, "record_id": "", "proof_complete": false, "explicit": false}

_plain := {
	"id": "v00",
	"default": true,
	"locale_ok": true,
	"stock_ok": true,
	"needs_login": false,
	"pattern_flags": [],
	"missing_legal_blocks": false,
}

_other := _but(_plain, {"id": "v01", "default": false})

_ask := {
	"slot": "home_hero",
	"consent": _given,
	"experiment": _given,
	"age": "adult",
	"restricted": false,
	"switch_on": true,
	"locale": "de",
	"logged_in": false,
	"candidates": [_plain, _other],
	"uses_profile": true,
	"uses_special": false,
}

_chosen(change) := verdict if {
	verdict := personalise.verdict with input as _but(_ask, change)
}

_both := {"v00", "v01"}

_by_profile(verdict) if verdict == {"mode": "profile", "sticky": true, "eligible": _both, "rules": set()}

_by_page(verdict, ids) if {
	verdict.mode == "contextual"
	verdict.eligible == _both
	verdict.rules == ids
}

# VAR-01: with consent, by profile; without, by page category.
test_var_01_allow_profile_with_consent if _by_profile(_chosen({}))

test_var_01_allow_page_without_consent if _by_page(_chosen({"consent": _no("refused"), "uses_profile": false}), set())

test_var_01_deny_profile_without_consent if {
	_by_page(_chosen({"consent": _no("unknown")}), {"VAR-01", "CON-11"})
	_by_page(_chosen({"consent": _no("refused")}), {"VAR-01", "CON-01"})
}

# VAR-01, T11: nightly segment used for a visitor who withdrew yesterday evening.
test_con_10_deny_segment_after_withdrawal if {
	verdict := _chosen({"consent": _no("withdrawn")})
	verdict == {"mode": "default", "sticky": false, "eligible": {"v00"}, "rules": {"VAR-01", "CON-10"}}
}

test_con_10_allow_before_withdrawal if _by_profile(_chosen({}))

test_con_12_deny_expired if _by_page(_chosen({"consent": _no("expired")}), {"VAR-01", "CON-12"})

test_con_08_deny_consent_without_proof if {
	_by_page(_chosen({"consent": _but(_given, {"proof_complete": false})}), {"CON-08"})
}

# VAR-02: random layout per request, aggregate counters only.
test_var_02_allow_stateless_draw if {
	verdict := _chosen({"experiment": _no("unknown"), "uses_profile": false})
	verdict.mode == "contextual"
	not verdict.sticky
	verdict.eligible == _both
}

test_var_02_allow_sticky_with_consent if _chosen({"uses_profile": false}).sticky

# VAR-02: a 1-year A/B cookie before consent.
test_var_02_deny_sticky_without_consent if {
	every status in {"unknown", "expired"} {
		verdict := _chosen({"experiment": _no(status)})
		not verdict.sticky
		verdict.rules == {"VAR-02"}
	}
	not _chosen({"experiment": _but(_given, {"proof_complete": false})}).sticky
}

test_var_03_deny_minor_or_restricted_in_tests if {
	verdict := _chosen({"age": "16_17", "uses_profile": false})
	not verdict.sticky
	verdict.rules == {"VAR-03"}
	not _chosen({"restricted": true}).sticky
}

test_var_03_deny_refusers_in_tests if {
	every status in {"refused", "withdrawn"} {
		verdict := _chosen({"experiment": _no(status), "uses_profile": false})
		verdict == {"mode": "default", "sticky": false, "eligible": {"v00"}, "rules": {"VAR-02", "VAR-03"}}
	}
}

test_var_03_allow_adult if _chosen({}).sticky

# VAR-04: testing two equally neutral texts.
test_var_04_allow_unflagged if _chosen({}).eligible == _both

# VAR-04: confirm-shaming decline text.
test_var_04_deny_flagged if {
	verdict := _chosen({"candidates": [_plain, _but(_other, {"pattern_flags": ["confirm_shaming"]})]})
	verdict.eligible == {"v00"}
	verdict.rules == {"VAR-04"}
}

test_var_04_deny_flagged_default_too if {
	_chosen({"switch_on": false, "candidates": [_but(_plain, {"pattern_flags": ["hidden_decline"]}), _other]}).eligible == set()
}

# VAR-05: all blocks, new hero image.
test_var_05_allow_all_blocks if _chosen({}).eligible == _both

# VAR-05: the withdrawal function only after log-in.
test_var_05_deny_missing_blocks if {
	verdict := _chosen({"candidates": [_plain, _but(_other, {"missing_legal_blocks": true})]})
	verdict.eligible == {"v00"}
	verdict.rules == {"VAR-05"}
}

# R30: stock, locale and log-in before any choice.
test_eligible_needs_locale_stock_and_login if {
	_chosen({"candidates": [_plain, _but(_other, {"locale_ok": false})]}).eligible == {"v00"}
	_chosen({"candidates": [_plain, _but(_other, {"stock_ok": false})]}).eligible == {"v00"}
	_chosen({"candidates": [_plain, _but(_other, {"needs_login": true})]}).eligible == {"v00"}
	_chosen({"logged_in": true, "candidates": [_plain, _but(_other, {"needs_login": true})]}).eligible == _both
}

test_default_always_stays if {
	_chosen({"candidates": [_but(_plain, {"locale_ok": false, "stock_ok": false, "needs_login": true}), _other]}).eligible == _both
}

test_switch_allow_on if _by_profile(_chosen({"switch_on": true}))

test_switch_deny_off if {
	_chosen({"switch_on": false}) == {"mode": "default", "sticky": false, "eligible": {"v00"}, "rules": {"SWITCH"}}
	_chosen({"switch_on": false, "uses_profile": false}).rules == {"SWITCH"}
}

test_rgt_07_deny_restricted if _by_page(_chosen({"restricted": true}), {"RGT-07", "VAR-03"})

test_spc_01_allow_ordinary_segment if _by_profile(_chosen({"uses_special": false}))

test_spc_01_deny_sensitive_segment if _by_page(_chosen({"uses_special": true}), {"SPC-01"})

test_spc_05_deny_child if _by_page(_chosen({"age": "u16"}), {"SPC-05", "VAR-03"})

# SPC-06: contextual recommendation from the current page.
test_spc_06_allow_contextual_for_minors if _chosen({"age": "16_17", "uses_profile": false}).mode == "contextual"

test_spc_06_deny_profile_for_minors if _by_page(_chosen({"age": "16_17"}), {"SPC-06", "VAR-03"})

test_con_11_deny_no_input_at_all if {
	personalise.mode == "default" with input as {}
	personalise.eligible == set() with input as {}
	_by_page(_chosen({"age": "7"}), {"CON-11", "VAR-03"})
}
