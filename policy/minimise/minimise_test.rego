package minimise_test

import data.minimise

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_view := {
	"kind": "product_viewed",
	"purpose": "analytics",
	"state": "given",
	"stamp": "yes",
	"gpc": false,
	"dnt": false,
	"tag": "none",
	"age": "adult",
}

_order := _but(_view, {"kind": "order_completed", "purpose": "essential_service", "state": "unknown", "stamp": "trusted"})

_seen(change) := verdict if {
	verdict := minimise.verdict with input as _but(_view, change)
}

_ordered(change) := verdict if {
	verdict := minimise.verdict with input as _but(_order, change)
}

_allows(verdict) if {
	verdict.allowed
	verdict.rules == set()
	count(verdict.keep) > 0
}

_refuses(verdict, ids) if {
	not verdict.allowed
	verdict.rules == ids
	verdict.keep == set()
}

# CON-01: analytics cookie read at 10:05, consent given at 10:04 on this device.
test_con_01_allow_read_after_consent if _allows(_seen({}))

# CON-01: an A/B cookie set before the banner was answered.
test_con_01_deny_before_the_banner_was_answered if {
	_refuses(_seen({"kind": "experiment_viewed", "purpose": "experimentation", "state": "unknown"}), {"CON-01", "CON-11"})
}

test_con_01_deny_refused if _refuses(_seen({"state": "refused", "stamp": "silent"}), {"CON-01", "SIG-10"})

# CON-02: the shop's own order events serve the order.
test_con_02_allow_order_of_the_shops_server if _allows(_ordered({}))

test_con_02_allow_refund_and_cancellation if {
	_allows(_ordered({"kind": "order_refunded"}))
	_allows(_ordered({"kind": "order_cancelled"}))
}

# CON-02: the same cart joined to page views is another purpose.
test_con_02_deny_page_views_as_essential if _refuses(_ordered({"kind": "product_viewed"}), {"CON-02"})

test_con_02_deny_order_that_the_browser_claims if _refuses(_ordered({"stamp": "yes"}), {"CON-02"})

# CON-06: grants of banner v6 were invalidated (T15).
test_con_06_deny_invalidated if _refuses(_seen({"state": "invalidated"}), {"CON-06"})

test_con_06_allow_fair_banner if _allows(_seen({"state": "given"}))

# CON-10: what came before the withdrawal was lawful.
test_con_10_allow_while_given if _allows(_seen({"state": "renewed"}))

test_con_10_deny_after_withdrawal if {
	_refuses(_seen({"state": "withdrawn"}), {"CON-10"})
	_refuses(_seen({"state": "revoked"}), {"CON-10"})
}

# CON-11: the book says given, the event says true.
test_con_11_allow_both_say_yes if _allows(_seen({"state": "given", "stamp": "yes"}))

test_con_11_allow_book_alone_where_configured if _allows(_seen({"stamp": "trusted"}))

test_con_11_deny_no_consent_object if {
	_refuses(_seen({"stamp": "missing"}), {"CON-11"})
	_refuses(_seen({"stamp": "missing", "state": "unknown"}), {"CON-11"})
	_refuses(_seen({"stamp": "missing", "state": "refused"}), {"CON-11"})
}

# T9: the event says false, the book says given.
test_con_11_deny_event_says_no if _refuses(_seen({"stamp": "no"}), {"CON-11"})

# T8: the event says true, the book says refused.
test_con_11_deny_browser_claims_against_the_book if _refuses(_seen({"state": "refused"}), {"CON-01", "CON-11"})

test_con_11_deny_what_cannot_be_read if {
	_refuses(_seen({"purpose": "explore"}), {"CON-11"})
	"CON-11" in _seen({"state": "maybe"}).rules
	"CON-11" in _seen({"stamp": "perhaps"}).rules
	"CON-11" in _seen({"tag": "odd"}).rules
	"CON-11" in _seen({"age": "7"}).rules
	"CON-11" in _seen({"kind": 7}).rules
	"CON-11" in _seen({"gpc": "1"}).rules
	"CON-11" in _seen({"dnt": "1"}).rules
}

test_con_11_deny_no_input_at_all if {
	_refuses(minimise.verdict, {"CON-11"}) with input as {}
}

# CON-12: grant of 2026-02-01 used on 2026-11-21; T14 for the denial.
test_con_12_allow_grant_of_this_year if _allows(_seen({"state": "given"}))

test_con_12_deny_expired if _refuses(_seen({"state": "expired"}), {"CON-12"})

# CON-14: T12 and T13.
test_con_14_allow_linked_with_consent_on_both_sides if _allows(_seen({"kind": "identify"}))

test_con_14_deny_link_without_consent_on_both_sides if {
	_refuses(_seen({"kind": "identify", "state": "unlinked"}), {"CON-14"})
	_refuses(_seen({"kind": "alias", "state": "unlinked"}), {"CON-14"})
}

# SIG-01: only the exact value 1 makes the fact true; "0", "true" and "1;a=b" do not.
test_sig_01_allow_no_signal if _allows(_seen({"purpose": "ads_third_party", "gpc": false}))

test_sig_01_deny_signal_read if _refuses(_seen({"purpose": "ads_third_party", "gpc": true}), {"SIG-02"})

# SIG-02: own content with an explicit grant goes on under GPC.
test_sig_02_allow_own_personalisation if _allows(_seen({"purpose": "personalisation_content", "gpc": true}))

test_sig_02_deny_advertising_elsewhere if _refuses(_seen({"purpose": "ads_third_party", "gpc": true}), {"SIG-02"})

test_sig_03_allow_consented_purpose_under_dnt if _allows(_seen({"purpose": "adviser_assist", "dnt": true}))

test_sig_03_deny_advertising_under_dnt if _refuses(_seen({"purpose": "ads_third_party", "dnt": true}), {"SIG-03"})

# SIG-10: {ad:true, analytics:true} and {ad:true, analytics:false}; unnamed is a no.
test_sig_10_allow_named_with_true if _allows(_seen({"stamp": "yes"}))

test_sig_10_deny_not_named if _refuses(_seen({"stamp": "silent"}), {"SIG-10"})

# LAW-06: 203.0.113.0 and Chrome/142 is the most there is; we keep the family only.
test_law_06_allow_declared_fields if {
	{"page_type", "referrer_host", "ua_family", "product_id"} & _seen({}).keep == {"page_type", "referrer_host", "ua_family", "product_id"}
}

# LAW-06: full address, query string, e-mail, free text and title are named nowhere.
test_law_06_deny_undeclared_fields if {
	every purpose in _purposes {
		kept := _seen({"purpose": purpose}).keep
		kept & {"ip", "ip_prefix", "user_agent", "url", "email", "title", "gender", "query", "first_name"} == set()
	}
}

test_law_06_deny_more_than_the_order_needs if {
	_ordered({}).keep == {"items", "order_key", "cart_cents", "currency", "price_cents"}
}

test_law_06_deny_search_words_outside_advice if {
	every purpose in _purposes - {"adviser_assist"} {
		not "query_words" in _seen({"purpose": purpose}).keep
	}
	"query_words" in _seen({"purpose": "adviser_assist"}).keep
}

test_law_06_deny_referrer_and_agent_outside_measuring if {
	every purpose in _purposes - {"analytics"} {
		_seen({"purpose": purpose}).keep & {"referrer_host", "ua_family"} == set()
	}
}

test_law_06_deny_keys_and_baskets_for_training if {
	_seen({"purpose": "model_training"}).keep & {"items", "order_key", "query_key", "query_words", "query_exact"} == set()
}

_purposes := {"analytics", "experimentation", "personalisation_content", "adviser_assist", "ads_third_party", "model_training"}

# SPC-01: a counted view without an id is no event at all; an ordinary product is.
test_spc_01_allow_ordinary_product if _allows(_seen({"tag": "none"}))

test_spc_01_allow_with_explicit_consent if {
	_allows(_seen({"tag": "special_explicit"}))
	_allows(_seen({"tag": "special_explicit", "purpose": "adviser_assist"}))
}

# SPC-01: "viewed diabetes meters" reaches nobody.
test_spc_01_deny_sensitive_product if {
	every purpose in _purposes {
		"SPC-01" in _seen({"tag": "special", "purpose": purpose}).rules
	}
}

test_spc_01_deny_sensitive_order if "SPC-01" in _ordered({"tag": "special"}).rules

# SPC-02: sensitive line items removed at ingest, the rest is kept.
test_spc_02_allow_rest_of_the_basket if {
	_allows(_ordered({"tag": "none"}))
	_allows(_seen({"kind": "cart_viewed", "tag": "none"}))
}

# SPC-02: an item that cannot be separated taints the set.
test_spc_02_deny_inseparable_item if {
	_refuses(_ordered({"tag": "special"}), {"SPC-01", "SPC-02"})
	_refuses(_seen({"kind": "cart_viewed", "tag": "special"}), {"SPC-01", "SPC-02"})
	_refuses(_seen({"tag": "special"}), {"SPC-01"})
}

test_spc_03_allow_named_purpose if _allows(_seen({"tag": "special_explicit", "purpose": "personalisation_content"}))

# SPC-03: the same answers in a lookalike upload.
test_spc_03_deny_advertising_and_training if {
	_refuses(_seen({"tag": "special_explicit", "purpose": "ads_third_party"}), {"SPC-03"})
	_refuses(_seen({"tag": "special_explicit", "purpose": "model_training"}), {"SPC-03"})
}

# SPC-05: a 17-year-old's own analytics consent.
test_spc_05_allow_17_year_old_measuring if _allows(_seen({"age": "16_17"}))

test_spc_05_deny_child if _refuses(_seen({"age": "u16"}), {"SPC-05"})

test_spc_06_allow_adult if _allows(_seen({"purpose": "personalisation_content"}))

test_spc_06_deny_minor if {
	_refuses(_seen({"purpose": "personalisation_content", "age": "16_17"}), {"SPC-06"})
	_refuses(_seen({"purpose": "ads_third_party", "age": "16_17"}), {"SPC-06"})
}

# BAT-01: given 1 Nov, event 3 Nov, run 5 Nov.
test_bat_01_allow_given_at_both_times if {
	_allows(_seen({}))
	_seen({}).night == set()
}

# BAT-01: event 3 Nov, withdrawn 4 Nov, re-given 6 Nov, run 7 Nov.
test_bat_01_deny_given_anew_after_the_event if {
	_refuses(_seen({"state": "before_grant"}), {"BAT-02"})
	_seen({"state": "before_grant"}).night == {"BAT-01"}
}

# BAT-02: a page view sent once, after the grant.
test_bat_02_allow_event_after_grant if _allows(_seen({}))

# BAT-02: the SDK flushes buffered events on "accept" (T1).
test_bat_02_deny_buffered_events if _refuses(_seen({"state": "before_grant"}), {"BAT-02"})

# BAT-03: order lines stay for the order.
test_bat_03_allow_order_stays if {
	_allows(_ordered({}))
	_ordered({}).night == set()
}

# BAT-03: withdrawn at 23:50, the run excludes (T3).
test_bat_03_deny_withdrawn_before_the_run if {
	_seen({"state": "withdrawn"}).night == {"CON-10", "BAT-03"}
	_seen({"state": "revoked"}).night == {"CON-10", "BAT-03"}
}

# BAT-04: a mobile event 40 minutes late (T6).
test_bat_04_allow_forty_minutes_late if _allows(_seen({"state": "given"}))

# BAT-04: T7, forged into the future; eight days late.
test_bat_04_deny_ahead_and_late if {
	_refuses(_seen({"state": "ahead"}), {"BAT-04"})
	_refuses(_seen({"state": "late"}), {"BAT-04"})
	_refuses(_ordered({"state": "late"}), {"BAT-04"})
}

test_rgt_07_allow_unrestricted if _allows(_seen({}))

# RGT-07: T18.
test_rgt_07_deny_restricted if {
	_refuses(_seen({"state": "restricted"}), {"RGT-07"})
	_refuses(_ordered({"state": "restricted"}), {"RGT-07"})
}

test_switch_allow_on if _allows(_seen({}))

test_switch_deny_off if {
	_refuses(_seen({"state": "switched_off"}), {"SWITCH"})
	_refuses(_ordered({"state": "switched_off"}), {"SWITCH"})
}

# A second lock: even if no rule refused, a basis must be there.
test_no_basis_is_a_no_even_if_no_rule_refuses if {
	every change in [
		{"purpose": "unheard_of"},
		{"state": "refused"},
		{"stamp": "silent"},
		{"state": "refused", "stamp": "trusted", "kind": "order_completed"},
		{"purpose": "essential_service", "state": "unknown", "stamp": "yes", "kind": "order_completed"},
		{"purpose": "essential_service", "state": "unknown", "stamp": "trusted"},
	] {
		not minimise.allowed with input as _but(_view, change) with minimise.deny as set()
	}
}

_in_a_yes := {
	"essential_service": {"items", "order_key", "cart_cents", "currency", "price_cents"},
	"analytics": {
		"page_type", "referrer_host", "category", "product_id", "product_class", "price_cents", "quantity", "results",
		"cart_cents", "currency", "step", "error_class", "slot", "ua_family", "locale", "hour_band", "dwell_ms",
	},
	"experimentation": {"page_type", "slot", "decision_id", "product_id", "cart_cents"},
	"personalisation_content": {
		"product_id", "category", "product_class", "price_cents", "quantity", "product_variant", "results", "cart_cents",
		"currency", "step", "error_class", "decision_id", "slot", "page_type", "locale", "hour_band", "dwell_ms",
		"query_key", "query_exact", "order_key", "items",
	},
	"adviser_assist": {
		"product_id", "category", "product_class", "price_cents", "quantity", "product_variant", "results", "cart_cents",
		"currency", "step", "error_class", "decision_id", "page_type", "hour_band", "dwell_ms",
		"query_key", "query_words", "query_exact", "order_key", "items", "authenticated",
	},
	"ads_third_party": {"product_id", "category", "page_type"},
	"model_training": {
		"product_id", "category", "product_class", "price_cents", "quantity", "product_variant", "results", "cart_cents",
		"currency", "step", "error_class", "decision_id", "slot", "page_type", "locale", "hour_band", "dwell_ms",
	},
}

# LAW-06: what a yes for each purpose keeps, to the field.
test_law_06_allow_exactly_these_fields if {
	every purpose, fields in _in_a_yes {
		verdict := minimise.verdict with input as _but(_order, {"purpose": purpose, "state": "given"})
		verdict.keep == fields
	}
}

# What a purpose that needs no consent does, no consent rule refuses.
test_consent_rules_leave_orders_alone if {
	not "BAT-01" in _ordered({"state": "before_grant"}).night
	not "BAT-02" in _ordered({"state": "before_grant"}).rules
	not "BAT-03" in _ordered({"state": "withdrawn"}).night
	not "SIG-10" in _ordered({"stamp": "silent"}).rules
	not "CON-11" in _ordered({"stamp": "missing"}).rules
	not "CON-11" in _ordered({"stamp": "no"}).rules
	not "CON-11" in _ordered({"stamp": "yes", "state": "refused"}).rules
	_allows(_ordered({"age": "u16"}))
}

test_every_state_is_readable if {
	every state in {"unknown", "refused", "withdrawn", "expired", "invalidated", "revoked", "before_grant"} {
		not "CON-11" in _ordered({"state": state}).rules
	}
}

test_every_age_is_readable if {
	every age in {"unknown", "u16", "16_17", "adult"} {
		_allows(_ordered({"age": age}))
	}
}

test_spc_06_deny_training_on_minors if {
	_refuses(_seen({"purpose": "model_training", "age": "16_17"}), {"SPC-06"})
}

# SPC-02: whatever shows several products takes the tag of one.
test_spc_02_deny_every_kind_of_set if {
	every kind in {
		"order_completed", "order_refunded", "order_cancelled", "products_compared", "product_list_viewed", "cart_viewed",
		"checkout_started", "checkout_step_viewed", "checkout_step_completed", "checkout_failed",
	} {
		"SPC-02" in _seen({"kind": kind, "tag": "special"}).rules
	}
}

# LAW-01: a yes, and the shop's own order, pass only while the register lets the purpose run.
test_law_01_allow_a_purpose_that_runs if {
	_allows(_seen({}))
	_allows(_ordered({}))
}

test_law_01_deny_a_purpose_that_may_not_run if {
	_refuses(_seen({"state": "unregistered"}), {"LAW-01"})
	_refuses(_ordered({"state": "unregistered"}), {"LAW-01"})
}
