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
	"dnt": false,
	"confirmed": true,
	"customer": _no_exception,
	"recipient": _post_house,
}

_no_exception := {"channel": false, "ordered": false, "similar": false, "notice_at_order": false, "notice_in_mail": false}

_all_four := {"channel": true, "ordered": true, "similar": true, "notice_at_order": true, "notice_in_mail": true}

# An EU mail provider with a contract under Art. 28.
_post_house := {
	"registered": true,
	"role": "processor",
	"contract": true,
	"third_country": false,
	"transfer": "none",
	"dpf_stands": false,
	"assessed": false,
	"deletion_term": true,
	"named": true,
}

# _to is base with another recipient, _from with other facts about the customer.
_to(change) := {"recipient": _but(_post_house, change)}

# _both is a with the members of b.
_both(a, b) := {name: value |
	some name in ({n | some n, _ in a} | {n | some n, _ in b})
	value := object.get(b, name, object.get(a, name, null))
}

_from(change) := {"state": "unknown", "customer": _but(_all_four, change)}

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
	export.verdict == {"allowed": false, "rules": {"EXP-07"}} with input as _row with data.settings as {}
	export.verdict == {"allowed": false, "rules": {"EXP-07"}} with input as _row with data.settings as {"k": 9}
	export.verdict == {"allowed": true, "rules": set()} with input as _row with data.settings as {"k": 10}
}

# SIG-02: own mail under GPC; an audience upload.
test_sig_02_allow_own_channel if _leaves(_sent({"gpc": true}))

test_sig_02_deny_sharing if {
	_stays(_sent({"purpose": "ads_third_party", "gpc": true}), {"SIG-02", "EXP-05"})
	_stays(_sent({"purpose": "data_sharing", "gpc": true}), {"SIG-02", "EXP-05"})
}

test_spc_01_allow_ordinary_group if _leaves(_sent({"tag": "none"}))

# SPC-01: segment expecting_parents.
test_spc_01_deny_sensitive_group if _stays(_sent({"tag": "special"}), {"SPC-01"})

test_spc_03_allow_without_sensitive_answers if _leaves(_sent({"tag": "none", "purpose": "ads_third_party"}))

test_spc_03_deny_explicit_consent_for_advertising if {
	_stays(_sent({"tag": "special_explicit"}), {"SPC-03"})
	_stays(_sent({"tag": "special_explicit", "purpose": "ads_third_party"}), {"SPC-03", "EXP-05"})
}

test_spc_05_deny_child if _stays(_sent({"age": "u16"}), {"SPC-05"})

test_spc_05_allow_adult if _leaves(_sent({"age": "adult"}))

test_spc_06_allow_adviser_for_17 if _leaves(_sent({"purpose": "adviser_assist", "age": "16_17"}))

# SPC-06: audience export containing the band 16-17.
test_spc_06_deny_audience_of_minors if _stays(_sent({"purpose": "ads_third_party", "age": "16_17"}), {"SPC-06", "EXP-05"})

test_rgt_07_allow_unrestricted if _leaves(_sent({"state": "given", "source": "given"}))

# RGT-07: a restricted subject present in tonight's segments.
test_rgt_07_deny_restricted if {
	_stays(_sent({"state": "restricted"}), {"EXP-01", "RGT-07"})
	_stays(_sent({"source": "restricted"}), {"RGT-07"})
}

test_switch_allow_on if _leaves(_sent({}))

test_switch_deny_off if {
	_stays(_sent({"state": "switched_off"}), {"EXP-01", "SWITCH"})
	_stays(_sent({"source": "switched_off"}), {"SWITCH"})
}

# EXP-02: bought running shoes, mail about running socks, notice on the order form.
test_exp_02_allow_customer_with_all_four if _leaves(_sent(_from({})))

test_exp_02_allow_consent_needs_no_exception if _leaves(_sent({"customer": _but(_all_four, {"ordered": false})}))

# EXP-02: abandoned cart or bare account; a partner's insurance; notice only in the mail, or only at the order.
test_exp_02_deny_one_of_the_four_missing if {
	every missing in {"ordered", "similar", "notice_at_order", "notice_in_mail"} {
		_stays(_sent(_from({missing: false})), {"EXP-01", "EXP-02", "CON-11"})
	}
}

test_exp_02_deny_objection if {
	_stays(_sent(_both(_from({}), {"objection": true})), {"EXP-01", "EXP-02", "EXP-03", "CON-11"})
	_stays(_sent(_both(_from({}), {"suppressed": true})), {"EXP-01", "EXP-02", "EXP-03", "CON-11"})
}

# EXP-02: a phone or SMS number without consent.
test_exp_02_deny_other_channels if {
	_stays(_sent(_both(_from({}), {"purpose": "marketing_sms"})), {"EXP-01", "EXP-02", "CON-11"})
	_stays(_sent(_both(_from({}), {"purpose": "marketing_phone"})), {"EXP-01", "EXP-02", "CON-11"})
}

test_exp_02_deny_after_a_no if {
	_stays(_sent(_both(_from({}), {"state": "withdrawn"})), {"EXP-01", "EXP-02", "CON-10"})
	_stays(_sent(_both(_from({}), {"state": "refused"})), {"EXP-01", "EXP-02", "CON-01"})
}

test_exp_02_deny_where_the_channel_does_not_use_it if {
	_stays(_sent(_from({"channel": false})), {"EXP-01", "CON-11"})
}

# EXP-04: confirmed by link after three hours.
test_exp_04_allow_confirmed_address if _leaves(_sent({"confirmed": true}))

test_exp_04_allow_existing_customer if {
	_leaves(_sent(_both(_from({}), {"confirmed": false})))
}

test_exp_04_allow_other_channels if _leaves(_sent({"purpose": "marketing_sms", "confirmed": false}))

# EXP-04: a checkbox only.
test_exp_04_deny_unconfirmed_address if _stays(_sent({"confirmed": false}), {"EXP-04"})

# EXP-05: consented adults, segment "bought garden tools".
test_exp_05_allow_consented_adults if _leaves(_sent({"purpose": "ads_third_party"}))

test_exp_05_allow_age_not_known if _leaves(_sent({"purpose": "data_sharing", "age": "unknown"}))

# EXP-05: hashed, therefore anonymous: the rows bear hashed keys, and still need the yes.
test_exp_05_deny_hashed_without_consent if {
	_stays(_sent({"purpose": "ads_third_party", "state": "unknown"}), {"EXP-01", "EXP-05", "CON-11"})
}

# EXP-05: a suppression audience made of objectors without their consent.
test_exp_05_deny_audience_of_objectors if {
	_stays(_sent({"purpose": "ads_third_party", "objection": true}), {"EXP-03", "EXP-05"})
	_stays(_sent({"purpose": "ads_third_party", "suppressed": true}), {"EXP-03", "EXP-05"})
}

test_exp_05_deny_browser_signals if {
	_stays(_sent({"purpose": "ads_third_party", "gpc": true}), {"SIG-02", "EXP-05"})
	_stays(_sent({"purpose": "ads_third_party", "dnt": true}), {"SIG-03", "EXP-05"})
}

test_exp_05_deny_minors_and_sensitive_groups if {
	_stays(_sent({"purpose": "ads_third_party", "age": "u16"}), {"SPC-05", "EXP-05"})
	_stays(_sent({"purpose": "ads_third_party", "age": "16_17"}), {"SPC-06", "EXP-05"})
	_stays(_sent({"purpose": "ads_third_party", "tag": "special"}), {"SPC-01", "EXP-05"})
}

test_exp_05_deny_platform_not_named if {
	_stays(_sent(_both({"purpose": "ads_third_party"}, _to({"named": false}))), {"EXP-05", "EXP-08"})
}

test_sig_03_allow_own_channel if _leaves(_sent({"dnt": true}))

test_sig_03_deny_sharing if _stays(_sent({"purpose": "data_sharing", "dnt": true}), {"SIG-03", "EXP-05"})

# EXP-08: EU mail provider, Art. 28 contract.
test_exp_08_allow_processor_with_contract if _leaves(_sent({}))

test_exp_08_allow_the_shop_itself if {
	_leaves(_sent(_both({"purpose": "personalisation_content"}, _to({"role": "own", "contract": false}))))
}

test_exp_08_allow_other_roles_with_contract if {
	_leaves(_sent(_to({"role": "controller"})))
	_leaves(_sent(_to({"role": "joint"})))
}

test_exp_08_allow_third_country_with_a_ground if {
	_leaves(_sent(_to({"third_country": true, "transfer": "adequacy"})))
	_leaves(_sent(_to({"third_country": true, "transfer": "dpf", "dpf_stands": true})))
	_leaves(_sent(_to({"third_country": true, "transfer": "scc", "assessed": true})))
}

# EXP-08: US tool with a lapsed DPF entry and no SCC.
test_exp_08_deny_third_country_without_a_ground if {
	_stays(_sent(_to({"third_country": true, "transfer": "dpf"})), {"EXP-08"})
	_stays(_sent(_to({"third_country": true, "transfer": "none"})), {"EXP-08"})
	_stays(_sent(_to({"third_country": true, "transfer": "scc"})), {"EXP-08"})
	_stays(_sent(_to({"transfer": "by_hope"})), {"EXP-08"})
}

# EXP-08: pseudonymised, so no need to name the recipient.
test_exp_08_deny_recipient_not_named if _stays(_sent(_to({"named": false})), {"EXP-08"})

test_exp_08_deny_incomplete_entry if {
	_stays(_sent(_to({"registered": false})), {"EXP-08"})
	_stays(_sent(_to({"contract": false})), {"EXP-08"})
	_stays(_sent(_to({"deletion_term": false})), {"EXP-08"})
	_stays(_sent(_to({"role": "friend"})), {"EXP-08"})
}

# A second lock: even if no rule refused, a row needs a basis for its channel.
test_a_row_needs_more_than_no_refusal if {
	every change in [
		{"purpose": "essential_service"},
		{"state": "unknown"},
		{"state": "before_grant"},
		{"source": "refused"},
		{"purpose": "marketing_post", "state": "withdrawn"},
		{"purpose": "marketing_sms", "state": "unknown"},
	] {
		not export.allowed with input as _but(_row, change) with export.deny as set() with data.settings as {"k": 25}
	}
}

# An exception of an existing customer is a basis by itself.
test_exp_02_deny_each_missing_condition_even_if_no_rule_refuses if {
	every fact in {"channel", "ordered", "similar", "notice_at_order", "notice_in_mail"} {
		not export.allowed with input as _but(_row, _from({fact: false})) with export.deny as set() with data.settings as {"k": 25}
	}
}

test_con_11_deny_each_fact_of_another_type if {
	every change in [{"source": 1}, {"gpc": "no"}, {"dnt": "no"}, {"tag": "other"}, {"age": "old"}] {
		"CON-11" in _sent(change).rules
	}
}

# SPC-06: nothing by behaviour and no post for visitors of 16 and 17.
test_spc_06_deny_post_and_content if {
	every purpose in {"marketing_post", "personalisation_content", "marketing_email", "ads_third_party", "data_sharing"} {
		"SPC-06" in _sent({"purpose": purpose, "age": "16_17"}).rules
	}
}

# OPS-04: a tool of transfer helps only the transfer that names it.
test_ops_04_deny_a_tool_that_is_not_the_one_named if {
	third := {"third_country": true, "transfer": "none", "dpf_stands": true, "assessed": true}
	not _sent(_to(third)).allowed
}
