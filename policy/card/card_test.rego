package card_test

import data.card

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_given := {"status": "given", "record_id": "r1", "proof_complete": true, "explicit": false}

_no(status) := {"status": status, "record_id": "", "proof_complete": false, "explicit": false}

_ask := {
	"role": "adviser",
	"open": true,
	"assigned": true,
	"blocks": {"question": _no("unknown"), "orders": _given, "cart": _given, "searches": _given, "products": _given},
	"fields": ["question", "orders", "cart", "searches", "products"],
	"special": false,
}

_all := {"question", "orders", "cart", "searches", "products"}

_seen(change) := verdict if {
	verdict := card.verdict with input as _but(_ask, change)
}

# ESC-04: cart and what the visitor shared.
test_esc_04_allow_consented_blocks if {
	_seen({}) == {"allowed": true, "shown": _all, "hidden": {}, "rules": set()}
}

test_esc_04_allow_question_without_any_consent if {
	verdict := _seen({"blocks": {"question": _no("unknown"), "orders": _no("refused"), "cart": _no("unknown"), "searches": _no("withdrawn"), "products": _no("expired")}})
	verdict.allowed
	verdict.shown == {"question"}
	verdict.hidden == {"orders": {"CON-01"}, "cart": {"CON-11"}, "searches": {"CON-10"}, "products": {"CON-12"}}
}

# ESC-04: "likelihood to churn 0.82" is no field of the card.
test_esc_04_deny_score if {
	verdict := _seen({"fields": ["question", "need_score", "value_tier", "tags", "trail"]})
	verdict.allowed
	verdict.hidden == {"need_score": {"ESC-04"}, "value_tier": {"ESC-04"}, "tags": {"ESC-04"}, "trail": {"ESC-04"}}
}

test_esc_04_deny_unknown_block if {
	verdict := _seen({"blocks": {"trail": _given}})
	not "trail" in verdict.shown
	verdict.hidden == {"trail": {"ESC-04"}}
}

test_esc_04_deny_other_roles if {
	every role in {"marketing", "dpo", "ops", ""} {
		_seen({"role": role}) == {"allowed": false, "shown": set(), "hidden": {}, "rules": {"ESC-04"}}
	}
}

test_esc_04_deny_after_the_contact_was_closed if {
	_seen({"open": false}) == {"allowed": false, "shown": set(), "hidden": {}, "rules": {"ESC-04"}}
}

test_esc_04_deny_another_advisers_contact if {
	_seen({"assigned": false}) == {"allowed": false, "shown": set(), "hidden": {}, "rules": {"ESC-04"}}
}

test_esc_04_deny_no_input if not card.allowed with input as {}

test_con_08_allow_proven_consent if "orders" in _seen({}).shown

test_con_08_deny_consent_without_proof if {
	verdict := _seen({"blocks": {"orders": {"status": "given", "record_id": "", "proof_complete": false, "explicit": false}}})
	not "orders" in verdict.shown
	verdict.hidden == {"orders": {"CON-08"}}
}

test_spc_01_allow_ordinary_products if _seen({"special": false}).shown == _all

# SPC-01: adviser hint "viewed diabetes meters".
test_spc_01_deny_sensitive_trail if {
	verdict := _seen({"special": true})
	verdict.shown == {"question"}
	verdict.rules == {"SPC-01"}
}

# A second lock: even if no rule refused, only the adviser who took it sees an open contact.
test_card_needs_more_than_no_refusal if {
	every change in [{"role": "ops"}, {"open": false}, {"assigned": false}, {"special": "no"}] {
		not card.allowed with input as _but(_ask, change) with card.deny as set()
	}
}

test_no_refusal_is_overlooked if {
	not card.allowed with input as _ask with card.deny as {"ESC-04"}
}

test_only_what_is_there_is_shown if {
	_seen({"blocks": {"orders": _given}}).shown == {"orders"}
	_seen({"blocks": {"question": _no("unknown")}}).shown == {"question"}
}

# A second lock: a block without consent stays hidden even if no rule hides it.
test_block_needs_its_consent_even_if_no_rule_hides_it if {
	shown := card.shown with input as _but(_ask, {"blocks": {"orders": _no("refused")}}) with card.hidden as {}
	shown == set()
	other := card.shown with input as _but(_ask, {"blocks": {"trail": _given}}) with card.hidden as {}
	other == set()
}

# ESC-04: every field that a card may hold.
test_esc_04_allow_every_field_of_a_card if {
	_seen({"fields": [
		"question", "orders", "cart", "searches", "products", "contact_id", "decision_id", "channel", "page", "speaker",
		"opened_at", "reasons", "compared", "variants",
	]}).hidden == {}
}

# What is no block of a card is hidden by that, and by no consent.
test_esc_04_deny_unheard_of_block if {
	_seen({"blocks": {"trail": _no("unknown")}}).hidden == {"trail": {"ESC-04"}}
	_seen({"blocks": {"trail": _but(_given, {"proof_complete": false})}}).hidden == {"trail": {"ESC-04"}}
}

# SPC-01 hides the blocks that are there, and no other.
test_spc_01_deny_only_what_is_there if {
	_seen({"special": true, "blocks": {"question": _given, "orders": _given}}).hidden == {"orders": {"SPC-01"}}
}
