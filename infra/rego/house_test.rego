package house_test

import data.house

test_a_described_variable_passes if {
	count(house.deny) == 0 with input as {"variables": [{"address": "var.a", "typed": true, "description": "what it is"}]}
}

test_a_variable_without_type_or_words_is_denied_twice if {
	count(house.deny) == 2 with input as {"variables": [{"address": "var.a", "typed": false, "description": ""}]}
}
