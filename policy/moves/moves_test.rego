package moves_test

import data.moves

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_input(move, limits, signed_off) := {
	"move": _but(
		{
			"product_id": "B12",
			"storefront": "de",
			"channel": "web",
			"currency": "EUR",
			"at": "2026-11-21T00:00:00Z",
			"was_cents": 10000,
			"now_cents": 10000,
			"drop_bp": 0,
			"rise_bp": 0,
			"moves_day": 1,
		},
		move,
	),
	"limits": _but({"drop_bp": 3000, "rise_bp": 2000, "moves_day": 2}, limits),
	"signed_off": signed_off,
}

_verdict(move, limits, signed_off) := verdict if {
	verdict := moves.verdict with input as _input(move, limits, signed_off)
}

test_price_drop_allow_up_to_the_limit if {
	_verdict({"drop_bp": 3000}, {}, false) == {"allowed": true, "rules": set()}
	_verdict({"drop_bp": 9000}, {"drop_bp": 0}, false) == {"allowed": true, "rules": set()}
}

test_price_drop_deny_beyond_it if {
	_verdict({"drop_bp": 3001}, {}, false) == {"allowed": false, "rules": {"PRICE-DROP"}}
	_verdict({"drop_bp": 2}, {"drop_bp": 1}, false) == {"allowed": false, "rules": {"PRICE-DROP"}}
}

test_price_drop_allow_signed_off if {
	_verdict({"drop_bp": 9000}, {}, true) == {"allowed": true, "rules": {"PRICE-DROP"}}
}

test_price_rise_allow_up_to_the_limit if {
	_verdict({"rise_bp": 2000}, {}, false) == {"allowed": true, "rules": set()}
	_verdict({"rise_bp": 9000}, {"rise_bp": 0}, false) == {"allowed": true, "rules": set()}
}

test_price_rise_deny_beyond_it if {
	_verdict({"rise_bp": 2001}, {}, false) == {"allowed": false, "rules": {"PRICE-RISE"}}
	_verdict({"rise_bp": 2}, {"rise_bp": 1}, false) == {"allowed": false, "rules": {"PRICE-RISE"}}
}

test_price_pace_allow_up_to_the_limit if {
	_verdict({"moves_day": 2}, {}, false) == {"allowed": true, "rules": set()}
	_verdict({"moves_day": 99}, {"moves_day": 0}, false) == {"allowed": true, "rules": set()}
}

test_price_pace_deny_beyond_it if {
	_verdict({"moves_day": 3}, {}, false) == {"allowed": false, "rules": {"PRICE-PACE"}}
	_verdict({"moves_day": 2}, {"moves_day": 1}, false) == {"allowed": false, "rules": {"PRICE-PACE"}}
}

test_con_11_deny_a_move_without_facts if {
	moves.verdict == {"allowed": false, "rules": {"CON-11"}} with input as {}
	moves.verdict == {"allowed": false, "rules": {"CON-11"}} with input as {"signed_off": true}
	_verdict({"drop_bp": -1}, {}, true) == {"allowed": false, "rules": {"CON-11"}}
	_verdict({"rise_bp": -1}, {}, true) == {"allowed": false, "rules": {"CON-11"}}
	_verdict({"moves_day": -1}, {}, true) == {"allowed": false, "rules": {"CON-11"}}
	_verdict({}, {"drop_bp": -1}, true) == {"allowed": false, "rules": {"CON-11"}}
	_verdict({}, {"rise_bp": -1}, true) == {"allowed": false, "rules": {"CON-11"}}
	_verdict({}, {"moves_day": -1}, true) == {"allowed": false, "rules": {"CON-11"}}
}

test_con_11_allow_a_move_that_is_none if {
	_verdict({"moves_day": 0}, {"drop_bp": 0, "rise_bp": 0, "moves_day": 0}, false) == {"allowed": true, "rules": set()}
}
