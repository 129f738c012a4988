# METADATA
# title: What the rules ask of a stack
# description: |
#   The input is what package infra read: resources with their arguments, variables,
#   the provider, and the names of the tables that hold persons. An argument that was
#   left out and one that is null are the same: nobody set it.
package lib

of(kind) := [r | some r in input.resources; r.type == kind]

# arg is an argument, or null.
arg(r, name) := object.get(r.args, name, null)

# block is the one block of a name, or an empty one.
block(args, name) := b if {
	list := object.get(args, name, [])
	is_array(list)
	b := object.union_n(list)
} else := {}

# at follows names through blocks to a value, or null.
at(args, path) := object.get(args, path[0], null) if count(path) == 1

at(args, path) := object.get(block(args, path[0]), path[1], null) if count(path) == 2

at(args, path) := object.get(block(block(args, path[0]), path[1]), path[2], null) if count(path) == 3

# listed makes a list of a value that may stand alone.
listed(v) := v if is_array(v)

listed(v) := [v] if is_string(v)

listed(null) := []

# policies are all documents that grant something, by the address of who holds them.
policies[address] contains document if {
	some r in input.resources
	some name in {"policy", "policy_document", "assume_role_policy", "inline_policy"}
	text := object.get(r.args, name, null)
	is_string(text)
	address := sprintf("%s/%s", [r.address, name])
	document := json.unmarshal(text)
}

# allows are all statements that allow something.
allows contains {"address": address, "role": role(address), "sid": object.get(s, "Sid", ""), "statement": s} if {
	some address, documents in policies
	some document in documents
	some s in document.Statement
	s.Effect == "Allow"
}

# role is the name of the role that a policy is for, or nobody's.
role(address) := name if {
	some r in input.resources
	r.type == "aws_iam_role_policy"
	address == sprintf("%s/policy", [r.address])
	name := r.args.role
} else := ""
