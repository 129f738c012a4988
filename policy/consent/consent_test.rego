package consent_test

import data.consent

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_call := {
	"method": "save",
	"default_state": "off",
	"asked": {"analytics": true},
	"purposes_shown": ["analytics", "ads_third_party", "personalised_price", "marketing_email"],
	"scope": "device",
	"notice_complete": true,
	"notice_elements": ["controller", "purposes", "data", "recipients", "duration", "transfers", "withdrawal"],
	"reject_equal": true,
	"reject_first_layer": true,
	"equal_prominence": true,
	"accept_clicks": 1,
	"reject_clicks": 1,
	"withdraw_clicks": 1,
	"unregistered": [],
	"parental": false,
	"gpc": false,
	"conflict_shown": false,
	"tcf": {},
	"gpp": {},
	"age": "adult",
}

_said(change) := verdict if {
	verdict := consent.verdict with input as _but(_call, change)
}

_stands(verdict, purposes) if {
	verdict.given == purposes
	verdict.refused == {}
	verdict.rules == set()
}

_falls(verdict, purpose, ids) if {
	not purpose in verdict.given
	verdict.refused[purpose] == ids
	verdict.rules == ids
}

# CON-04: accept or save, default off.
test_con_04_allow_active_choice if {
	_stands(_said({}), {"analytics"})
	_stands(_said({"method": "accept"}), {"analytics"})
	_stands(_said({"method": "individual_notice"}), {"analytics"})
}

# CON-04: closing the banner stored as grant.
test_con_04_deny_dismiss if {
	every method in {"dismiss", "acknowledge", "script", "gpc", "external_provider", "reject", "scroll", ""} {
		_falls(_said({"method": method}), "analytics", {"CON-04"})
	}
}

test_con_04_deny_preticked if _falls(_said({"default_state": "on"}), "analytics", {"CON-04"})

# CON-05: accept-all with the listed purposes.
test_con_05_allow_purposes_shown if {
	_stands(_said({"method": "accept", "asked": {"analytics": true, "ads_third_party": true}}), {"analytics", "ads_third_party"})
}

# CON-05: personalised_price was added a month later.
test_con_05_deny_purpose_not_shown if {
	verdict := _said({"scope": "account", "asked": {"personalised_price": true}, "purposes_shown": ["analytics"]})
	_falls(verdict, "personalised_price", {"CON-05"})
}

test_con_05_deny_leaves_the_others if {
	verdict := _said({"asked": {"analytics": true, "model_training": true}})
	verdict.given == {"analytics"}
	verdict.refused == {"model_training": {"CON-05"}}
}

# CON-06: banner v7 with two equal buttons; v6 without.
test_con_06_allow_equal_buttons if _stands(_said({"reject_equal": true}), {"analytics"})

test_con_06_deny_no_equal_way_to_refuse if _falls(_said({"reject_equal": false}), "analytics", {"CON-06"})

test_con_09_allow_complete_notice if _stands(_said({"notice_complete": true}), {"analytics"})

test_con_09_deny_incomplete_notice if _falls(_said({"notice_complete": false}), "analytics", {"CON-09"})

test_con_11_allow_no_needs_no_rule if {
	_stands(_said({"method": "reject", "asked": {"analytics": false}}), set())
}

test_con_11_deny_unknown_or_ungated_purpose if {
	_falls(_said({"asked": {"explore": true}, "purposes_shown": ["explore"]}), "explore", {"CON-11"})
	_falls(_said({"asked": {"essential_service": true}, "purposes_shown": ["essential_service"]}), "essential_service", {"CON-11"})
}

test_con_11_deny_no_input_at_all if {
	consent.given == set() with input as {}
	consent.given == set() with input as {"asked": {"analytics": true}}
	_falls(_said({"gpc": "1"}), "analytics", {"CON-11"})
}

# CON-14: an account grant of e-mail marketing.
test_con_14_allow_person_scope_on_account if {
	_stands(_said({"scope": "account", "asked": {"marketing_email": true}}), {"marketing_email"})
}

test_con_14_deny_person_scope_on_device if {
	_falls(_said({"asked": {"marketing_email": true}}), "marketing_email", {"CON-14"})
	_falls(_said({"asked": {"personalised_price": true}}), "personalised_price", {"CON-14"})
}

test_sig_02_allow_own_purposes_under_gpc if _stands(_said({"gpc": true}), {"analytics"})

test_sig_02_deny_sharing_under_gpc if {
	verdict := _said({"gpc": true, "asked": {"ads_third_party": true}})
	_falls(verdict, "ads_third_party", {"SIG-02", "SIG-04"})
}

# SIG-04: GPC on, the visitor sees the conflict in the preference centre and chooses.
test_sig_04_allow_choice_after_conflict_notice if {
	_stands(_said({"gpc": true, "conflict_shown": true, "asked": {"ads_third_party": true}}), {"ads_third_party"})
}

# SIG-04: GPC on, "accept all" on a banner that does not mention GPC.
test_sig_04_deny_accept_all_under_gpc if {
	verdict := _said({"gpc": true, "method": "accept", "asked": {"ads_third_party": true}})
	_falls(verdict, "ads_third_party", {"SIG-02", "SIG-04"})
	shown := _said({"gpc": true, "method": "accept", "conflict_shown": true, "asked": {"ads_third_party": true}})
	_falls(shown, "ads_third_party", {"SIG-02", "SIG-04"})
}

test_sig_04_allow_strings_that_agree if {
	_stands(_said({"tcf": {"analytics": "yes"}, "gpp": {"analytics": "yes"}}), {"analytics"})
}

test_sig_04_deny_strings_that_contradict if {
	_falls(_said({"tcf": {"analytics": "no"}}), "analytics", {"SIG-04"})
	_falls(_said({"gpp": {"analytics": "no"}}), "analytics", {"SIG-04"})
}

# SIG-05: created 2026-03-15 with segment; without it the string is invalid (V5).
test_sig_05_allow_valid_string if _stands(_said({"tcf": {"analytics": "yes"}}), {"analytics"})

test_sig_05_deny_broken_string if _falls(_said({"tcf": {"analytics": "broken"}}), "analytics", {"SIG-05"})

test_sig_08_allow_section_two if _stands(_said({"gpp": {"analytics": "yes"}}), {"analytics"})

# SIG-08: G6, the section count differs from the header.
test_sig_08_deny_broken_string if _falls(_said({"gpp": {"analytics": "broken"}}), "analytics", {"SIG-08"})

# SPC-03: explicit consent names the category.
test_spc_03_allow_own_switch if {
	_stands(_said({"asked": {"special_category:health": true}, "purposes_shown": ["special_category:health"]}), {"special_category:health"})
}

test_spc_03_deny_accept_all if {
	verdict := _said({"method": "accept", "asked": {"special_category:health": true}, "purposes_shown": ["special_category:health"]})
	_falls(verdict, "special_category:health", {"SPC-03"})
}

test_spc_05_allow_17_year_old if _stands(_said({"age": "16_17"}), {"analytics"})

test_spc_05_allow_with_the_parents if _stands(_said({"age": "u16", "parental": true}), {"analytics"})

test_spc_05_deny_child if _falls(_said({"age": "u16"}), "analytics", {"SPC-05"})

# A second lock: even if no rule refused, a yes must be a yes that can be given.
test_a_yes_needs_more_than_no_refusal if {
	every change in [{"method": "dismiss"}, {"default_state": "on"}, {"asked": {"essential_service": true}}] {
		given := consent.given with input as _but(_call, change) with consent.refused as {}
		given == set()
	}
}

_askable := {
	"analytics", "experimentation", "personalisation_content", "adviser_assist", "recording_av", "ads_third_party",
	"data_sharing", "model_training", "personalised_price", "marketing_email", "marketing_sms", "marketing_push",
	"marketing_phone", "special_category:health", "special_category:pregnancy", "special_category:sexuality",
	"special_category:religion", "special_category:politics", "special_category:union", "special_category:ethnicity",
	"special_category:biometrics",
}

test_every_purpose_can_be_granted_by_itself if {
	every purpose in _askable {
		_stands(_said({"asked": {purpose: true}, "purposes_shown": [purpose], "scope": "account"}), {purpose})
	}
}

# CON-14: prices and messages concern the person.
test_con_14_deny_on_a_device if {
	every purpose in {"personalised_price", "marketing_email", "marketing_sms", "marketing_push", "marketing_phone"} {
		_falls(_said({"asked": {purpose: true}, "purposes_shown": [purpose]}), purpose, {"CON-14"})
	}
}

# SPC-03: each sensitive category has a switch of its own.
test_spc_03_deny_accepting_all if {
	every purpose in _askable {
		verdict := _said({"asked": {purpose: true}, "purposes_shown": [purpose], "scope": "account", "method": "accept"})
		_as_said(purpose, verdict)
	}
}

_as_said(purpose, verdict) if {
	startswith(purpose, "special_category:")
	_falls(verdict, purpose, {"SPC-03"})
}

_as_said(purpose, verdict) if {
	not startswith(purpose, "special_category:")
	_stands(verdict, {purpose})
}

test_con_11_deny_each_fact_of_the_wrong_type if {
	every change in [
		{"purposes_shown": {"analytics": true}}, {"gpc": "no"}, {"tcf": "yes"}, {"gpp": "yes"}, {"age": "old"},
		{"notice_elements": "all"}, {"unregistered": "none"}, {"accept_clicks": "1"}, {"reject_clicks": "1"}, {"withdraw_clicks": "1"},
	] {
		"CON-11" in _said(change).rules
	}
}

test_every_age_is_readable if {
	every age in {"unknown", "16_17", "adult"} {
		_stands(_said({"age": age}), {"analytics"})
	}
}

_shared(change) := verdict if {
	call := _but(_call, {"asked": {"data_sharing": true}, "purposes_shown": ["data_sharing"], "gpc": true})
	verdict := consent.verdict with input as _but(call, change)
}

test_sig_02_deny_sharing_against_the_browser if {
	verdict := _shared({})
	verdict.given == set()
	verdict.refused == {"data_sharing": {"SIG-02", "SIG-04"}}
}

# SIG-04: the person sees the conflict and chooses the purpose by itself.
test_sig_04_allow_choice_after_the_conflict_was_shown if {
	every method in {"save", "individual_notice"} {
		_stands(_shared({"conflict_shown": true, "method": method}), {"data_sharing"})
	}
}

# A signal about a purpose that nobody asked for refuses nothing.
test_signals_touch_only_what_was_asked if {
	every said in ["no", "broken"] {
		_stands(_said({"tcf": {"ads_third_party": said}, "gpp": {"ads_third_party": said}}), {"analytics"})
	}
}

# CON-06: one layer down, less prominent, or with more clicks.
test_con_06_allow_controls_that_nobody_counted if {
	_stands(_said({"accept_clicks": 0, "reject_clicks": 2, "withdraw_clicks": 3}), {"analytics"})
}

test_con_06_deny_reject_on_the_second_layer if {
	_falls(_said({"reject_first_layer": false}), "analytics", {"CON-06"})
	_falls(_said({"equal_prominence": false}), "analytics", {"CON-06"})
	_falls(_said({"reject_clicks": 2}), "analytics", {"CON-06"})
}

# CON-09: a notice that is silent about one element.
test_con_09_allow_a_notice_that_names_all if _stands(_said({}), {"analytics"})

test_con_09_deny_a_missing_element if {
	every element in _call.notice_elements {
		named := [e | some e in _call.notice_elements; e != element]
		_falls(_said({"notice_elements": named}), "analytics", {"CON-09"})
	}
}

# CON-10: taking back is no harder than giving.
test_con_10_allow_one_click_to_withdraw if _stands(_said({"accept_clicks": 2, "withdraw_clicks": 2}), {"analytics"})

test_con_10_deny_more_clicks_to_withdraw if _falls(_said({"withdraw_clicks": 2}), "analytics", {"CON-10"})

# LAW-01: only what the register lets run.
test_law_01_allow_others_beside_an_unregistered_purpose if {
	_stands(_said({"unregistered": ["ads_third_party"]}), {"analytics"})
}

test_law_01_deny_a_yes_to_an_unregistered_purpose if {
	_falls(_said({"unregistered": ["analytics"]}), "analytics", {"LAW-01"})
}
