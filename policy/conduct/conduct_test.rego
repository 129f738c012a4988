package conduct_test

import data.conduct

# _but is base with some members replaced.
_but(base, change) := {name: value |
	some name, was in base
	value := object.get(change, name, was)
}

_given := {"status": "given", "record_id": "r1", "proof_complete": true, "explicit": false}

_no(status) := {"status": status, "record_id": "", "proof_complete": false, "explicit": false}

_says(who, agreed, before) := {"who": who, "agreed": agreed, "before": before}

_both := [_says("visitor", true, true), _says("adviser", true, true)]

_talk := {
	"act": "record",
	"role": "adviser",
	"assigned": true,
	"open": true,
	"restricted": false,
	"objected": false,
	"recording": {"kind": "audio", "analytics": [], "consent": _given, "participants": _both},
	"call": {"requested": false, "as_asked_number": false, "as_asked_topic": false, "as_asked_time": false, "consent": _no("unknown")},
}

_asked := {"requested": true, "as_asked_number": true, "as_asked_topic": true, "as_asked_time": true, "consent": _no("unknown")}

_recorded(change, around) := verdict if {
	verdict := conduct.verdict with input as _but(_but(_talk, {"recording": _but(_talk.recording, change)}), around)
}

_called(change, around) := verdict if {
	verdict := conduct.verdict with input as _but(_but(_talk, {"act": "call", "call": _but(_asked, change)}), around)
}

_refused(verdict, ids) if verdict == {"allowed": false, "basis": "", "delete": "", "rules": ids}

# ESC-06: visitor and adviser both pressed "record".
test_esc_06_allow_both_pressed_record if {
	every kind in ["audio", "video", "transcript", "listen"] {
		_recorded({"kind": kind}, {}) == {"allowed": true, "basis": "consent", "delete": "", "rules": {"ESC-06"}}
	}
}

# ESC-06: only the visitor agreed, or only the adviser.
test_esc_06_deny_one_side_alone if {
	_refused(_recorded({"participants": [_says("visitor", true, true), _says("adviser", false, false)]}, {}), {"ESC-06"})
	_refused(_recorded({"consent": _no("unknown")}, {}), {"ESC-06"})
	_refused(_recorded({"consent": _no("withdrawn")}, {}), {"ESC-06"})
	_refused(_recorded({"consent": _but(_given, {"proof_complete": false})}, {}), {"ESC-06"})
}

# ESC-06: consent logged 12 s after recording began.
test_esc_06_deny_late_consent if {
	_refused(_recorded({"participants": [_says("visitor", true, false), _says("adviser", true, true)]}, {}), {"ESC-06"})
}

# ESC-06: a coach joins silently.
test_esc_06_deny_silent_coach if {
	_refused(_recorded({"kind": "listen", "participants": array.concat(_both, [_says("coach", false, false)])}, {}), {"ESC-06"})
}

test_esc_06_allow_coach_to_whom_all_agreed if {
	_recorded({"kind": "listen", "participants": array.concat(_both, [_says("coach", true, true)])}, {}).allowed
}

test_esc_06_deny_somebody_left_out if {
	_refused(_recorded({"participants": [_says("adviser", true, true)]}, {}), {"ESC-06"})
	_refused(_recorded({"participants": [_says("visitor", true, true)]}, {}), {"ESC-06"})
	_refused(_recorded({"kind": "keystrokes"}, {}), {"ESC-06"})
}

# ESC-06: a stop orders deletion after the agreed days, whatever else is asked for.
test_esc_06_allow_stop_at_any_time if {
	every call in [_talk.call, _asked, _but(_asked, {"requested": false, "consent": _given})] {
		verdict := _recorded({"participants": []}, {"act": "stop", "open": false, "assigned": false, "objected": true, "call": call})
		verdict == {"allowed": true, "basis": "", "delete": "agreed", "rules": set()}
	}
}

# ESC-06: a recording kept after withdrawal without another ground.
test_esc_06_deny_keeping_it_after_a_withdrawal if {
	now := {"allowed": true, "basis": "", "delete": "now", "rules": {"ESC-06"}}
	_recorded({"consent": _no("withdrawn")}, {"act": "stop"}) == now
	_recorded({"consent": _but(_given, {"proof_complete": false})}, {"act": "stop"}) == now
	_recorded({}, {"act": "stop", "restricted": true}) == now
}

# SPC-07: a summary of what was said.
test_spc_07_allow_summary if _recorded({"analytics": ["summary", "translation"]}, {}).allowed

# SPC-07: a sentiment score of the adviser's voice.
test_spc_07_deny_sentiment_of_a_voice if {
	every what in ["sentiment", "emotion", "stress", "voice_biometrics"] {
		_refused(_recorded({"analytics": [what]}, {}), {"SPC-07"})
	}
}

# ESC-04: an adviser of an open contact.
test_esc_04_allow_own_contact if _called({}, {"assigned": true}).allowed

test_esc_04_deny_others if {
	_refused(_called({}, {"assigned": false}), {"ESC-04"})
	_refused(_called({}, {"role": "marketing"}), {"ESC-04"})
	_refused(_recorded({}, {"role": "dpo"}), {"ESC-04"})
	_refused(_recorded({}, {"open": false}), {"ESC-04"})
}

# ESC-07: the requested call about order 4711 at 15:00.
test_esc_07_allow_call_as_asked if {
	_called({}, {}) == {"allowed": true, "basis": "request", "delete": "", "rules": {"ESC-07"}}
	_called({}, {"restricted": true, "objected": true}).allowed
}

# ESC-07: "while we are at it" the next day; because of an abandoned basket.
test_esc_07_deny_anything_else if {
	every part in ["requested", "as_asked_number", "as_asked_topic", "as_asked_time"] {
		_refused(_called({part: false}, {}), {"ESC-07"})
	}
	_refused(_called({"requested": false, "consent": _no("refused")}, {}), {"ESC-07"})
}

# ESC-08: a consent to calls with its complete file.
test_esc_08_allow_call_with_a_complete_file if {
	_called({"as_asked_topic": false, "consent": _given}, {}) == {"allowed": true, "basis": "marketing_phone", "delete": "", "rules": {"ESC-08"}}
}

# ESC-08: the proof is held by a lead vendor only.
test_esc_08_deny_call_without_a_complete_file if {
	_refused(_called({"requested": false, "consent": _but(_given, {"proof_complete": false})}, {}), {"ESC-08"})
}

test_rgt_07_allow_unrestricted if _recorded({}, {"restricted": false}).allowed

test_rgt_07_deny_restricted_or_objected if {
	_refused(_recorded({}, {"restricted": true}), {"RGT-07"})
	_refused(_called({"requested": false, "consent": _given}, {"restricted": true}), {"RGT-07"})
	_refused(_called({"requested": false, "consent": _given}, {"objected": true}), {"RGT-07"})
}

test_con_11_deny_unknown_acts_and_missing_facts if {
	_refused(_recorded({}, {"act": "film"}), {"CON-11"})
	_refused(_recorded({"participants": {}}, {}), {"CON-11", "ESC-06"})
	_refused(_recorded({"analytics": ""}, {}), {"CON-11"})
	_refused(_recorded({}, {"call": []}), {"CON-11"})
	verdict := conduct.verdict with input as {}
	_refused(verdict, {"CON-11", "ESC-04"})
}
