package personalise_test

import data.personalise

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
	"hides_guest_order": false,
	"claims": [],
	"ui_fair": false,
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
	"objected": false,
	"slot_kind": "content",
	"test": {"registered": true, "running": true, "exempt": false, "metrics": ["orders"]},
	"segment_features": ["orders_90d"],
	"segment_tags": [],
	"significance": "none",
	"art22_ground": "",
}

_chosen(change) := verdict if {
	verdict := personalise.verdict with input as _but(_ask, change)
}

_both := {"v00", "v01"}

_by_profile(verdict) if verdict == {"mode": "profile", "sticky": true, "eligible": _both, "rules": set()}

# Everybody's default, and nothing drawn.
_untested(verdict, ids) if verdict == {"mode": "default", "sticky": false, "eligible": {"v00"}, "rules": ids}

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
	every age in ["16_17", "u16"] {
		_untested(_chosen({"age": age, "uses_profile": false}), {"VAR-03"})
	}
	_untested(_chosen({"restricted": true, "uses_profile": false}), {"VAR-03"})
}

# VAR-03: objectors are in no hold-out group either.
test_var_03_deny_objectors_in_tests if {
	_untested(_chosen({"objected": true, "uses_profile": false}), {"VAR-03"})
	_untested(_chosen({"objected": true}), {"VAR-03", "RGT-07"})
}

test_var_03_deny_refusers_in_tests if {
	every status in {"refused", "withdrawn"} {
		verdict := _chosen({"experiment": _no(status), "uses_profile": false})
		verdict == {"mode": "default", "sticky": false, "eligible": {"v00"}, "rules": {"VAR-02", "VAR-03"}}
	}
}

test_var_03_allow_adult if _chosen({}).sticky

test_var_03_allow_unknown_age if _by_profile(_chosen({"age": "unknown"}))

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

test_rgt_07_deny_restricted if _untested(_chosen({"restricted": true}), {"RGT-07", "VAR-03"})

test_rgt_07_allow_unrestricted if _by_profile(_chosen({"restricted": false, "objected": false}))

test_spc_01_allow_ordinary_segment if _by_profile(_chosen({"uses_special": false}))

test_spc_01_deny_sensitive_segment if _by_page(_chosen({"uses_special": true}), {"SPC-01"})

# SPC-05: a toys storefront, age unknown, counts as under 16.
test_spc_05_deny_child if _untested(_chosen({"age": "u16"}), {"SPC-05", "VAR-03"})

# SPC-05: 17 is old enough to say yes; SPC-06 is what holds then.
test_spc_05_allow_from_16 if {
	not "SPC-05" in _chosen({"age": "16_17"}).rules
	_by_profile(_chosen({"age": "adult"}))
}

# SPC-06: the page's own content, the same for everybody.
test_spc_06_allow_content_of_the_page_for_minors if {
	_chosen({"age": "16_17", "uses_profile": false}).eligible == {"v00"}
}

test_spc_06_deny_profile_for_minors if _untested(_chosen({"age": "16_17"}), {"SPC-06", "VAR-03"})

test_con_11_deny_no_input_at_all if {
	personalise.mode == "default" with input as {}
	personalise.eligible == set() with input as {}
	_untested(_chosen({"age": "7"}), {"CON-11", "VAR-03"})
	every name in {"age", "restricted", "uses_special", "objected", "slot_kind", "segment_features", "segment_tags"} {
		"CON-11" in _chosen({name: null}).rules
	}
}

# VAR-04: two equally neutral banner texts.
test_var_04_allow_two_fair_banners if {
	fair := [_but(_plain, {"ui_fair": true}), _but(_other, {"ui_fair": true})]
	verdict := _chosen({"slot_kind": "consent_ui", "candidates": fair, "uses_profile": false})
	verdict.eligible == _both
	verdict.rules == set()
}

# VAR-04: a banner that hides the way to decline.
test_var_04_deny_unfair_banner if {
	verdict := _chosen({"slot_kind": "consent_ui", "candidates": [_but(_plain, {"ui_fair": true}), _other], "uses_profile": false})
	verdict.eligible == {"v00"}
	verdict.rules == {"VAR-04"}
}

# VAR-04: an optimiser rewarded by the consent rate.
test_var_04_deny_test_won_by_consent if {
	greedy := {"registered": true, "running": true, "exempt": false, "metrics": ["orders", "consent_rate"]}
	_untested(_chosen({"test": greedy}), {"VAR-04"})
}

# VAR-05: "climate neutral" with its proof.
test_var_05_allow_proven_claim if {
	_chosen({"candidates": [_plain, _but(_other, {"claims": [{"text": "climate neutral", "proof_id": "iso-14068/7"}]})]}).eligible == _both
}

# VAR-05: "klimaneutral" without proof.
test_var_05_deny_unproven_claim if {
	verdict := _chosen({"candidates": [_plain, _but(_other, {"claims": [{"text": "klimaneutral", "proof_id": ""}]})]})
	verdict.eligible == {"v00"}
	verdict.rules == {"VAR-05"}
}

# VAR-06: a registered test while it runs, or a draw that is none.
test_var_06_allow_registered_test if {
	_by_profile(_chosen({"test": {"registered": true, "running": true, "exempt": false, "metrics": []}}))
	_by_profile(_chosen({"test": {"registered": false, "running": false, "exempt": true, "metrics": []}}))
}

# VAR-06: unregistered, or past its end.
test_var_06_deny_unregistered_or_ended_test if {
	_untested(_chosen({"test": {"registered": false, "running": true, "exempt": false, "metrics": []}}), {"VAR-06"})
	_untested(_chosen({"test": {"registered": true, "running": false, "exempt": false, "metrics": []}}), {"VAR-06"})
}

# VAR-06: a randomised display of prices is not steered by a profile.
test_var_06_allow_impersonal_price_display if _by_page(_chosen({"slot_kind": "price_display", "uses_profile": false}), set())

test_var_06_deny_price_display_by_profile if _by_page(_chosen({"slot_kind": "price_display"}), {"VAR-06"})

# SPC-04: what a visitor did here.
test_spc_04_allow_ordinary_condition if _by_profile(_chosen({"segment_features": ["product_views_28d", "orders_90d"]}))

# SPC-04: a score of the surname's origin, or a column that the shop tagged.
test_spc_04_deny_proxies if {
	_by_page(_chosen({"segment_features": ["surname_origin_score"]}), {"SPC-04"})
	_by_page(_chosen({"segment_tags": ["proxy"]}), {"SPC-04"})
}

test_spc_07_allow_ordinary_condition if _by_profile(_chosen({"segment_tags": ["behaviour"]}))

# SPC-07: a frustration score raises a scarcity banner.
test_spc_07_deny_feelings_and_weaknesses if {
	_by_page(_chosen({"segment_features": ["frustration_score"]}), {"SPC-07"})
	_by_page(_chosen({"segment_tags": ["vulnerability"]}), {"SPC-07"})
}

# ADM-01: a choice of content has no significance.
test_adm_01_allow_choice_of_content if {
	_by_profile(_chosen({"significance": "none"}))
	_by_profile(_chosen({"significance": "significant", "art22_ground": "explicit_consent"}))
}

# ADM-01: "invoice purchase hidden" by score alone.
test_adm_01_deny_significant_choice_without_ground if {
	_untested(_chosen({"significance": "significant"}), {"ADM-01"})
	_untested(_chosen({"significance": "significant", "art22_ground": "interest"}), {"ADM-01"})
	_untested(_chosen({"significance": ""}), {"ADM-01"})
	_untested(_chosen({"significance": "grave", "art22_ground": "contract"}), {"ADM-01"})
	_untested(_chosen({"significance": "significant", "art22_ground": "contract", "age": "16_17"}), {"ADM-01", "SPC-06", "VAR-03"})
	_untested(_chosen({"significance": "significant", "art22_ground": "contract", "uses_special": true}), {"ADM-01", "SPC-01"})
}

# LAW-07: ordering as a guest stays on the page.
test_law_07_allow_variants_with_the_guest_order if _chosen({}).eligible == _both

test_law_07_deny_a_variant_that_hides_it if {
	hidden := _chosen({"candidates": [_plain, _but(_other, {"hides_guest_order": true})]})
	hidden.eligible == {"v00"}
	"LAW-07" in hidden.rules
}

test_law_07_deny_a_default_that_hides_it if {
	hidden := _chosen({"consent": _no("refused"), "candidates": [_but(_plain, {"hides_guest_order": true}), _other]})
	not "v00" in hidden.eligible
	"LAW-07" in hidden.rules
}

# A fact of a variant that is missing leaves it out.
test_var_04_deny_a_variant_nobody_reviewed if _leaves_out("pattern_flags", "VAR-04")

test_var_05_deny_a_variant_of_unknown_blocks if _leaves_out("missing_legal_blocks", "VAR-05")

test_var_05_deny_a_variant_of_unknown_claims if _leaves_out("claims", "VAR-05")

test_law_07_deny_a_variant_that_may_hide_the_guests_order if _leaves_out("hides_guest_order", "LAW-07")

_leaves_out(fact, rule) if {
	verdict := _chosen({"candidates": [_plain, _less(_other, [fact])]})
	verdict.eligible == {"v00"}
	verdict.rules == {rule}
}

test_var_05_deny_a_claim_that_says_nothing_of_proof if {
	verdict := _chosen({"candidates": [_plain, _but(_other, {"claims": [{"text": "klimaneutral"}]})]})
	verdict.eligible == {"v00"}
	verdict.rules == {"VAR-05"}
}
