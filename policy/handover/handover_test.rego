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
	"third_party": false,
	"preloaded": false,
	"bot": false,
	"disclosed": false,
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

# ESC-02: first-party button, vendor after the click.
test_esc_02_allow_vendor_after_the_click if {
	_clicked({"third_party": true}) == {"allowed": true, "rules": {"ESC-02", "ESC-03"}}
}

# ESC-02: the vendor's widget was there before.
test_esc_02_deny_vendor_before_the_click if {
	_clicked({"third_party": true, "preloaded": true}) == {"allowed": false, "rules": {"ESC-02"}}
	_clicked({"third_party": ""}) == {"allowed": false, "rules": {"ESC-02"}}
}

# ESC-05: "You are chatting with an AI assistant."
test_esc_05_allow_bot_that_says_so if _clicked({"bot": true, "disclosed": true}).allowed

# ESC-05: a bot named Anna, and no notice.
test_esc_05_deny_bot_in_disguise if {
	_clicked({"bot": true, "disclosed": false}) == {"allowed": false, "rules": {"ESC-05"}}
	_clicked({"bot": ""}) == {"allowed": false, "rules": {"ESC-05"}}
}

# A second lock: even if no rule refused, a click needs its token and a channel that was offered and is open.
test_a_click_needs_more_than_no_refusal if {
	every change in [{"token_valid": false}, {"channel": "call"}, {"channel": "video"}] {
		not handover.allowed with input as _but(_click, change) with handover.deny as set()
	}
}
