package handover_test

import data.handover

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_click := {
	"token_valid": true,
	"asked": false,
	"switch_on": true,
	"channel": "chat",
	"offered_channels": ["chat", "video"],
	"open_channels": ["chat", "call"],
}

_clicked(change) := verdict if {
	verdict := handover.verdict with input as _but(_click, change)
}

test_esc_03_allow_click_reaches_a_human if _clicked({}) == {"allowed": true, "rules": {"ESC-03"}}

test_esc_03_allow_asked_while_offers_are_off if {
	_clicked({"asked": true, "switch_on": false}) == {"allowed": true, "rules": {"ESC-03"}}
}

test_offer_token_deny_stale if _clicked({"token_valid": false}) == {"allowed": false, "rules": {"OFFER-TOKEN"}}

test_offer_token_deny_no_input if not handover.allowed with input as {}

test_offer_channel_deny_not_offered if _clicked({"channel": "call"}) == {"allowed": false, "rules": {"OFFER-CHANNEL"}}

test_offer_hours_deny_closed_since if _clicked({"channel": "video"}) == {"allowed": false, "rules": {"OFFER-HOURS"}}

test_switch_deny_proactive_offer_after_switch if _clicked({"switch_on": false}) == {"allowed": false, "rules": {"SWITCH"}}
