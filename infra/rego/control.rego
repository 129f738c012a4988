# METADATA
# title: Who turns what, and who makes keys
# description: |
#   The table control has a partition for each thing that is decided in one place.
#   A role that writes one names it; what it may name is below.
package control

import data.lib

_writers := {
	"switches": {"staff"},
	"trust": {"consent", "night"},
	"products": {"price"},
	"publication": {"night"},
	"policy": {"policy"},
}

_writes := {
	"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
	"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete",
}

_writing contains a if {
	some a in lib.allows
	some action in lib.listed(a.statement.Action)
	action in _writes
	some resource in lib.listed(a.statement.Resource)
	regex.match(`:table/[a-z0-9-]*-control$`, resource)
}

# The partitions that a statement is about, or null: all of them.
_partitions(a) := object.get(a.statement, ["Condition", "ForAllValues:StringEquals", "dynamodb:LeadingKeys"], null)

deny contains sprintf("control_named: the role %s may write any partition of control (%s)", [a.role, a.sid]) if {
	some a in _writing
	_partitions(a) == null
}

deny contains sprintf("control_writer: the role %s may write partition %s of control (%s)", [a.role, partition, a.sid]) if {
	some a in _writing
	some partition in lib.listed(_partitions(a))
	not _may(a.role, partition)
}

_may(role, partition) if {
	some writer in _writers[partition]
	endswith(role, sprintf("-%s", [writer]))
}

# Nobody deletes what is there: a ledger that is not relied on stays so until somebody
# looked, by hand.
deny contains sprintf("control_delete: the role %s may %s (%s)", [a.role, action, a.sid]) if {
	some a in _writing
	some action in lib.listed(a.statement.Action)
	action in {"dynamodb:DeleteItem", "dynamodb:BatchWriteItem", "dynamodb:PartiQLDelete"}
}

# Keys are made by the one function that is called every minute. Whoever else could
# put one could put its own.
deny contains sprintf("key_maker: the role %s may %s %s (%s)", [a.role, action, resource, a.sid]) if {
	some a in lib.allows
	a.role != ""
	not endswith(a.role, "-consent")
	some action in lib.listed(a.statement.Action)
	some resource in lib.listed(a.statement.Resource)
	_makes(action, resource)
}

_makes(action, resource) if {
	action in _writes
	regex.match(`:table/[a-z0-9-]*-secret$`, resource)
}

_makes(action, resource) if {
	action in {"kms:Encrypt", "kms:ReEncryptTo"}
	contains(resource, ":key/")
}
