package standing_test

import data.standing

test_only_given_and_renewed_are_in_force if standing.in_force == {"given", "renewed"}

test_in_force_refuses_nothing if {
	not standing.refusal("given")
	not standing.refusal("renewed")
}

test_every_other_status_names_its_rule if {
	standing.refusal("unknown") == "CON-11"
	standing.refusal("requested") == "CON-11"
	standing.refusal("request_deferred") == "CON-11"
	standing.refusal("refused") == "CON-01"
	standing.refusal("withdrawn") == "CON-10"
	standing.refusal("revoked") == "CON-10"
	standing.refusal("expired") == "CON-12"
	standing.refusal("invalidated") == "CON-06"
	standing.refusal("unregistered") == "LAW-01"
}

test_words_of_names if standing.words({"surname_Origin", "orders_90d"}) == {"surname", "origin", "orders", "90d"}

test_a_word_is_a_proxy_or_a_weakness_not_both if standing.proxies & standing.weaknesses == set()

test_ordinary_features_are_neither if {
	standing.words({"product_views_28d", "basket_idle_seconds", "value_tier", "size_guide_opens"}) & (standing.proxies | standing.weaknesses) == set()
}

test_proxies_are_refused_by_name if {
	standing.proxies == {
		"proxy", "surname", "forename", "firstname", "lastname", "origin", "ethnic", "ethnicity", "nationality", "postcode",
		"plz", "zip", "diet", "voice", "accent",
	}
}

test_weaknesses_are_refused_by_name if {
	standing.weaknesses == {
		"vulnerability", "vulnerable", "distress", "debt", "addiction", "grief", "disability", "frailty", "emotion",
		"emotional", "stress", "frustration", "rage", "anger", "mood", "sentiment", "biometric", "biometrics", "face",
		"facial", "mimic", "gaze", "gesture", "heartbeat", "tremor",
	}
}

test_what_a_machine_may_decide_alone if {
	standing.mild == {"none", "low"}
	standing.grounds == {"contract", "law", "explicit_consent"}
}
