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
}
