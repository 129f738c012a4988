package lib_test

import data.lib

# Null and absent are the same: a rule that asks for something must fail on both.
test_null_is_not_set if {
	lib.at({"a": [{"b": null}]}, ["a", "b"]) == null
	lib.at({"a": [{}]}, ["a", "b"]) == null
	lib.at({}, ["a", "b"]) == null
	lib.at({"a": null}, ["a", "b"]) == null
}

test_a_block_in_a_block_is_found if {
	lib.at({"a": [{"b": [{"c": 1}]}]}, ["a", "b", "c"]) == 1
}

test_one_or_many if {
	lib.listed("a") == ["a"]
	lib.listed(["a", "b"]) == ["a", "b"]
	lib.listed(null) == []
}
