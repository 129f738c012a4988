# METADATA
# title: Nothing is paid for while nobody calls, beyond what docs/aws.md names
package cost

import data.lib

_by_the_hour := {
	"aws_kinesis_stream", "aws_nat_gateway", "aws_instance", "aws_db_instance", "aws_rds_cluster", "aws_opensearch_domain",
	"aws_elasticache_cluster", "aws_msk_cluster", "aws_lambda_provisioned_concurrency_config", "aws_ecs_service", "aws_wafv2_web_acl",
}

deny contains sprintf("by_the_hour: %s is paid for by the hour", [r.address]) if {
	some r in input.resources
	r.type in _by_the_hour
}

deny contains sprintf("by_the_hour: %s is paid for by the hour", [r.address]) if {
	some r in lib.of("aws_dynamodb_table")
	lib.arg(r, "billing_mode") != "PAY_PER_REQUEST"
}

# The detailed metrics of the gateway are a price per route.
deny contains sprintf("detailed_metrics: %s counts every route", [r.address]) if {
	some r in lib.of("aws_apigatewayv2_stage")
	lib.at(r.args, ["default_route_settings", "detailed_metrics_enabled"]) == true
}
