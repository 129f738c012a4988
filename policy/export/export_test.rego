package export_test

import data.export

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_row := {
	"purpose": "marketing_email",
	"state": "given",
	"source": "given",
	"gpc": false,
	"tag": "none",
	"age": "adult",
	"objection": false,
	"suppressed": false,
	"small": false,
}

_sent(change) := verdict if {
	verdict := export.verdict with input as _but(_row, change) with data.settings as {"k": 25}
}

_leaves(verdict) if verdict == {"allowed": true, "rules": set()}

_stays(verdict, ids) if verdict == {"allowed": false, "rules": ids}

# EXP-01: each channel with its own yes; the postal catalogue without objection.
test_exp_01_allow_own_consent if {
	every purpose in {
		"marketing_email", "marketing_sms", "marketing_push", "marketing_phone",
		"ads_third_party", "data_sharing", "personalisation_content", "adviser_assist",
	} {
		_leaves(_sent({"purpose": purpose}))
	}
}

test_exp_01_allow_post_without_objection if {
	_leaves(_sent({"purpose": "marketing_post", "state": "unknown"}))
	_leaves(_sent({"purpose": "marketing_post", "state": "given"}))
}

# EXP-01: SMS on the strength of e-mail consent: the state is that of marketing_sms.
test_exp_01_deny_consent_of_another_channel if {
	_stays(_sent({"purpose": "marketing_sms", "state": "unknown"}), {"EXP-01", "CON-11"})
	_stays(_sent({"purpose": "marketing_sms", "state": "refused"}), {"EXP-01", "CON-01"})
}

test_exp_01_deny_post_after_refusal if _stays(_sent({"purpose": "marketing_post", "state": "refused"}), {"EXP-01"})

test_con_10_allow_before_withdrawal if _leaves(_sent({}))

test_con_10_deny_after_withdrawal if _stays(_sent({"state": "withdrawn"}), {"EXP-01", "CON-10"})

test_con_11_deny_unknown_purpose if _stays(_sent({"purpose": "explore"}), {"CON-11"})

test_con_11_deny_no_input_at_all if {
	export.verdict.allowed == false with input as {}
	"CON-11" in export.deny with input as {}
}

test_con_12_allow_renewed if _leaves(_sent({"state": "renewed", "source": "renewed"}))

test_con_12_deny_expired if {
	_stays(_sent({"state": "expired"}), {"EXP-01", "CON-12"})
	_stays(_sent({"source": "expired"}), {"CON-12"})
}

# BAT-01: given 1 Nov, event 3 Nov, run 5 Nov.
test_bat_01_allow_given_at_both_times if _leaves(_sent({}))

test_bat_01_deny_given_after_the_behaviour if {
	_stays(_sent({"source": "before_grant"}), {"BAT-01"})
	_stays(_sent({"state": "before_grant"}), {"BAT-01", "EXP-01"})
}

# BAT-03: a purpose of its own, such as the order, is no export.
test_bat_03_allow_source_in_force if _leaves(_sent({"source": "renewed"}))

# BAT-03: yesterday's partition with the subject still read tonight.
test_bat_03_deny_source_withdrawn if {
	_stays(_sent({"source": "withdrawn"}), {"BAT-03"})
	_stays(_sent({"source": "revoked"}), {"BAT-03"})
}

test_source_in_any_other_state_refuses if {
	every state in {"unknown", "refused", "invalidated", "unlinked", "late", "ahead"} {
		not _sent({"source": state}).allowed
	}
}

test_exp_03_allow_no_objection if _leaves(_sent({}))

# EXP-03, T16: objection while the consent to e-mail is still given; a suppressed address.
test_exp_03_deny_objection_and_suppression if {
	_stays(_sent({"objection": true}), {"EXP-03"})
	_stays(_sent({"suppressed": true}), {"EXP-03"})
	_stays(_sent({"purpose": "marketing_post", "state": "unknown", "objection": true}), {"EXP-03"})
}

# EXP-07: all cells at least 25.
test_exp_07_allow_large_group if _leaves(_sent({"small": false}))

# EXP-07: cell 7; and a least size under ten.
test_exp_07_deny_small_group if _stays(_sent({"small": true}), {"EXP-07"})

test_exp_07_deny_least_size_under_ten if {
	export.verdict == {"allowed": false, "rules": {"EXP-07"}} with input as _row with data.settings as {"k": 9}
	export.verdict == {"allowed": true, "rules": set()} with input as _row with data.settings as {"k": 10}
}

# SIG-02: own mail under GPC; an audience upload.
test_sig_02_allow_own_channel if _leaves(_sent({"gpc": true}))

test_sig_02_deny_sharing if {
	_stays(_sent({"purpose": "ads_third_party", "gpc": true}), {"SIG-02"})
	_stays(_sent({"purpose": "data_sharing", "gpc": true}), {"SIG-02"})
}

test_spc_01_allow_ordinary_group if _leaves(_sent({"tag": "none"}))

# SPC-01: segment expecting_parents.
test_spc_01_deny_sensitive_group if _stays(_sent({"tag": "special"}), {"SPC-01"})

test_spc_03_allow_without_sensitive_answers if _leaves(_sent({"tag": "none", "purpose": "ads_third_party"}))

test_spc_03_deny_explicit_consent_for_advertising if {
	_stays(_sent({"tag": "special_explicit"}), {"SPC-03"})
	_stays(_sent({"tag": "special_explicit", "purpose": "ads_third_party"}), {"SPC-03"})
}

test_spc_05_deny_child if _stays(_sent({"age": "u16"}), {"SPC-05"})

test_spc_05_allow_adult if _leaves(_sent({"age": "adult"}))

test_spc_06_allow_adviser_for_17 if _leaves(_sent({"purpose": "adviser_assist", "age": "16_17"}))

# SPC-06: audience export containing the band 16-17.
test_spc_06_deny_audience_of_minors if _stays(_sent({"purpose": "ads_third_party", "age": "16_17"}), {"SPC-06"})

test_rgt_07_deny_restricted if {
	_stays(_sent({"state": "restricted"}), {"EXP-01", "RGT-07"})
	_stays(_sent({"source": "restricted"}), {"RGT-07"})
}

test_switch_allow_on if _leaves(_sent({}))

test_switch_deny_off if {
	_stays(_sent({"state": "switched_off"}), {"EXP-01", "SWITCH"})
	_stays(_sent({"source": "switched_off"}), {"SWITCH"})
}
