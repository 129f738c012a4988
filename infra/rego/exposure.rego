# METADATA
# title: Everything stays in the European Union, and nothing is open to the world
package exposure

import data.lib

# Regions in member states (OPS-04): London and Zurich are not.
_regions := {"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"}

deny contains sprintf("region: the provider works in %v", [region]) if {
	region := object.get(input.provider, "region", null)
	not region in _regions
}

deny contains sprintf("copies: %s is copied to another region", [r.address]) if {
	some r in lib.of("aws_dynamodb_table")
	lib.arg(r, "replica") != null
}

deny contains sprintf("copies: %s is copied to another region", [r.address]) if {
	some r in input.resources
	r.type in {"aws_s3_bucket_replication_configuration", "aws_dynamodb_global_table", "aws_dynamodb_table_replica", "aws_kms_replica_key"}
}

deny contains sprintf("copies: %s is copied to another region", [r.address]) if {
	some r in lib.of("aws_secretsmanager_secret")
	lib.arg(r, "replica") != null
}

_blocks := {"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"}

deny contains sprintf("bucket_public: %s may be opened to the public", [b.address]) if {
	some b in lib.of("aws_s3_bucket")
	count([p |
		some p in lib.of("aws_s3_bucket_public_access_block")
		p.args.bucket == b.args.bucket
		every name in _blocks { lib.arg(p, name) == true }
	]) == 0
}

deny contains sprintf("second_door: %s is a way in beside the gateway", [r.address]) if {
	some r in input.resources
	r.type in {"aws_lambda_function_url", "aws_lb", "aws_api_gateway_rest_api", "aws_eip", "aws_internet_gateway"}
}

deny contains sprintf("from_anywhere: %s is open to the world", [r.address]) if {
	some r in input.resources
	r.type in {"aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"}
	some name in {"cidr_ipv4", "cidr_ipv6"}
	lib.arg(r, name) != null
}

deny contains sprintf("from_anywhere: %s is open to the world", [r.address]) if {
	some r in lib.of("aws_security_group")
	some name in {"ingress", "egress"}
	lib.arg(r, name) != null
}

deny contains sprintf("from_anywhere: %s runs with an address of its own", [r.address]) if {
	some r in lib.of("aws_scheduler_schedule")
	some t in r.args.target
	some e in t.ecs_parameters
	lib.at(e, ["network_configuration", "assign_public_ip"]) != false
}

# What a visitor came from, came with and asked for is in no log.
deny contains sprintf("log_persons: %s writes down %s", [r.address, word]) if {
	some r in lib.of("aws_apigatewayv2_stage")
	format := lib.at(r.args, ["access_log_settings", "format"])
	format != null
	some word in {"sourceIp", "userAgent", "context.path", "domainName", "authorizer", "identity", "requestTime"}
	contains(format, word)
}

deny contains sprintf("log_persons: %s has no log of its own", [r.address]) if {
	some r in lib.of("aws_apigatewayv2_stage")
	lib.at(r.args, ["access_log_settings", "format"]) == null
}

deny contains sprintf("throttle: %s lets everything through", [r.address]) if {
	some r in lib.of("aws_apigatewayv2_stage")
	some name in {"throttling_rate_limit", "throttling_burst_limit"}
	lib.at(r.args, ["default_route_settings", name]) == null
}

# The functions know which pages may call; the gateway does not.
deny contains sprintf("cors: %s answers pages for the functions", [r.address]) if {
	some r in lib.of("aws_apigatewayv2_api")
	lib.arg(r, "cors_configuration") != null
}
