package prompt_test

import data.prompt

_fact := {"status": "refused", "months_since_no": 0, "material_change": false}

# _about asks for analytics with some facts replaced.
_about(change) := verdict if {
	fact := {name: value |
		some name, was in _fact
		value := object.get(change, name, was)
	}
	verdict := prompt.verdict with input as {"reask_months": 6, "purposes": {"analytics": fact}}
}

_asks(verdict) if verdict == {"ask": {"analytics"}, "withheld": {}, "rules": set()}

_waits(verdict, id) if verdict == {"ask": set(), "withheld": {"analytics": {id}}, "rules": {id}}

# CON-12: a banner shown to somebody who never decided.
test_con_12_allow_first_banner if _asks(_about({"status": "unknown", "months_since_no": -1}))

# CON-12: banner re-shown 3 weeks after the refusal.
test_con_12_deny_banner_three_weeks_after_refusal if _waits(_about({"months_since_no": 0}), "CON-12")

test_con_12_deny_banner_after_withdrawal if _waits(_about({"status": "withdrawn", "months_since_no": 5}), "CON-12")

test_con_12_allow_banner_after_six_months if {
	_asks(_about({"months_since_no": 6}))
	_asks(_about({"status": "withdrawn", "months_since_no": 7}))
}

test_con_12_allow_banner_after_material_change if _asks(_about({"material_change": true}))

test_con_12_allow_banner_for_what_ran_out if {
	every status in {"expired", "invalidated", "revoked"} { _asks(_about({"status": status})) }
}

test_con_12_allow_other_purposes_are_asked if {
	verdict := prompt.verdict with input as {"reask_months": 6, "purposes": {
		"analytics": _fact,
		"adviser_assist": {"status": "unknown", "months_since_no": -1, "material_change": false},
	}}
	verdict == {"ask": {"adviser_assist"}, "withheld": {"analytics": {"CON-12"}}, "rules": {"CON-12"}}
}

test_no_banner_for_what_is_given if {
	every status in {"given", "renewed"} {
		verdict := _about({"status": status, "months_since_no": -1})
		verdict == {"ask": set(), "withheld": {}, "rules": set()}
	}
}

test_con_11_deny_what_cannot_be_read if {
	_waits(_about({"status": "granted"}), "CON-11")
	_waits(_about({"status": "unknown", "months_since_no": "7"}), "CON-11")
	_waits(_about({"status": "unknown", "material_change": "yes"}), "CON-11")
}

test_con_11_deny_no_interval if {
	facts := {"purposes": {"analytics": {"status": "unknown", "months_since_no": -1, "material_change": false}}}
	verdict := prompt.verdict with input as facts
	_waits(verdict, "CON-11")
}

test_con_11_deny_no_input_at_all if prompt.verdict == {"ask": set(), "withheld": {}, "rules": set()} with input as {}

test_whoever_put_the_decision_off_may_be_asked if {
	_asks(_about({"status": "requested", "months_since_no": -1}))
	_asks(_about({"status": "request_deferred", "months_since_no": -1}))
}

# LAW-01: nobody is asked for what may not run.
test_law_01_allow_asking_for_what_runs if _asks(_about({"status": "unknown", "months_since_no": -1}))

test_law_01_deny_asking_for_an_unregistered_purpose if {
	_waits(_about({"status": "unregistered", "months_since_no": -1}), "LAW-01")
}
