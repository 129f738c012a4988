# METADATA
# title: Rights name actions and single resources
package rights

import data.lib

# Wildcards that have a reason. In a key's policy * is that key, and without the
# account's own statement nobody could mend it. An end point's policy narrows what
# roles were given elsewhere: here, to this account. Signing in to the registry has
# no resource.
_reasoned := {
	["aws_kms_key.main/policy", "RolesDecide"],
	["aws_kms_key.main/policy", "LogsOfThisAccount"],
	["aws_kms_key.main/policy", "AlarmsOfThisAccount"],
	["aws_kms_key.identity/policy", "RolesDecide"],
	["aws_vpc_endpoint.table[\"dynamodb\"]/policy", "OnlyOurs"],
	["aws_vpc_endpoint.table[\"s3\"]/policy", "OnlyOurs"],
	["aws_vpc_endpoint.table[\"s3\"]/policy", "LayersOfImages"],
	["aws_vpc_endpoint.service[\"ecr.api\"]/policy", "OnlyOurs"],
	["aws_vpc_endpoint.service[\"ecr.dkr\"]/policy", "OnlyOurs"],
	["aws_vpc_endpoint.service[\"kinesis-firehose\"]/policy", "OnlyOurs"],
	["aws_vpc_endpoint.service[\"kms\"]/policy", "OnlyOurs"],
	["aws_vpc_endpoint.service[\"logs\"]/policy", "OnlyOurs"],
	["aws_iam_role_policy.night_start[0]/policy", "SignIn"],
}

_open contains a if {
	some a in lib.allows
	not [a.address, a.sid] in _reasoned
}

deny contains sprintf("wild_action: %s %s allows %s", [a.address, a.sid, action]) if {
	some a in _open
	some action in lib.listed(object.get(a.statement, "Action", null))
	contains(action, "*")
}

deny contains sprintf("wild_resource: %s %s allows it on %s", [a.address, a.sid, resource]) if {
	some a in _open
	some resource in lib.listed(object.get(a.statement, "Resource", null))
	contains(resource, "*")
	not _single(resource)
}

# The objects under a bucket or a prefix of keys, or the streams of one log.
_single(resource) if regex.match(`^arn:aws:s3:::[a-z0-9.-]+/([^*]+/)?\*$`, resource)

_single(resource) if regex.match(`^arn:aws:logs:[^*]+:log-group:[^*]+:log-stream:\*$`, resource)

deny contains sprintf("unnamed: %s %s does not name what it allows on what", [a.address, a.sid]) if {
	some a in lib.allows
	not endswith(a.address, "/assume_role_policy")
	some key in {"Action", "Resource"}
	object.get(a.statement, key, null) == null
}

deny contains sprintf("unnamed: %s %s allows what it does not name", [a.address, a.sid]) if {
	some a in lib.allows
	some key in {"NotAction", "NotResource", "NotPrincipal"}
	object.get(a.statement, key, null) != null
}

deny contains sprintf("anybody: %s %s lets in everybody", [a.address, a.sid]) if {
	some a in _open
	some who in _who(object.get(a.statement, "Principal", null))
	who == "*"
}

_who(p) := [p] if is_string(p)

_who(p) := [who | some v in p; some who in lib.listed(v)] if is_object(p)

_who(null) := []

deny contains sprintf("managed_policy: %s brings rights that nobody reads here", [r.address]) if {
	some r in input.resources
	r.type in {"aws_iam_role_policy_attachment", "aws_iam_policy_attachment", "aws_iam_user", "aws_iam_access_key"}
}

deny contains sprintf("managed_policy: %s brings rights that nobody reads here", [r.address]) if {
	some r in lib.of("aws_iam_role")
	lib.arg(r, "managed_policy_arns") != null
}
