# METADATA
# title: Who reaches persons, and who writes the ledger
package people

import data.lib

# Tables that hold persons are those that host/aws/schema.go says so of.
deny contains sprintf("price_person: the role %s may %s %s", [a.role, concat(", ", lib.listed(a.statement.Action)), resource]) if {
	some a in lib.allows
	endswith(a.role, "-price")
	some resource in lib.listed(a.statement.Resource)
	some table in input.persons
	regex.match(sprintf(`:table/[a-z0-9-]*-%s(/|$)`, [table]), resource)
	not endswith(resource, "-price-decision")
	not contains(resource, "-price-decision/")
}

deny contains sprintf("price_identity: the role %s may use the key of the identity map", [a.role]) if {
	some a in lib.allows
	endswith(a.role, "-price")
	some resource in lib.listed(a.statement.Resource)
	endswith(resource, "key/identity")
}

# A night works on pseudonyms: it never learns whose they are.
deny contains sprintf("night_identity: the role %s reaches %s", [a.role, resource]) if {
	some a in lib.allows
	regex.match(`-night(-[a-z]+)?$`, a.role)
	some resource in lib.listed(a.statement.Resource)
	regex.match(`(:table/[a-z0-9-]*-identity(/|$)|:key/identity$)`, resource)
}

deny contains sprintf("ledger_writer: the role %s may %s %s", [a.role, action, resource]) if {
	some a in lib.allows
	a.role != ""
	not endswith(a.role, "-consent")
	some action in lib.listed(a.statement.Action)
	not _reads(action)
	some resource in lib.listed(a.statement.Resource)
	_ledger(resource)
}

_reads(action) if action in {
	"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:ConditionCheckItem",
	"s3:GetObject", "s3:ListBucket", "s3:GetObjectVersion", "s3:GetBucketLocation",
}

_ledger(resource) if regex.match(`:table/[a-z0-9-]*-ledger$`, resource)

_ledger(resource) if regex.match(`^arn:aws:s3:::[a-z0-9-]*-ledger(/|$)`, resource)

_ledger(resource) if regex.match(`^arn:aws:s3:::[a-z0-9-]*-proof/(checkpoints/.*)?\*?$`, resource)
