output "endpoint" {
  description = "Where the shop's pages and servers call: the base of /v1/…"
  value       = aws_apigatewayv2_api.shop.api_endpoint
}

output "write_key_secret" {
  description = "Name of the secret with the write key, which pages send."
  value       = module.write_key.name
}

output "write_key_command" {
  description = "Prints the write key."
  value       = "aws secretsmanager get-secret-value --region ${var.region} --secret-id ${module.write_key.name} --query SecretString --output text"
}

output "server_key_secret" {
  description = "Name of the secret with the server key, which only the shop's servers may know."
  value       = module.server_key.name
}

output "identity_secret" {
  description = "Name of the secret that the shop's backend signs identity tokens with."
  value       = module.identity_secret.name
}

output "buckets" {
  description = "Names of the buckets, by what they hold."
  value = {
    events  = module.event_bucket.name
    exports = module.export_bucket.name
    ledger  = module.ledger_bucket.name
    night   = module.night_bucket.name
    proof   = module.proof_bucket.name
    shop    = module.shop_bucket.name
  }
}

output "night_role" {
  description = "ARN of the role of the night: the on-premises night assumes it."
  value       = aws_iam_role.night.arn
}

output "night_environment" {
  description = "What `handschlag nightly --host aws` needs in its environment."
  value = merge({
    AWS_REGION             = var.region
    HANDSCHLAG_AWS         = var.prefix
    HANDSCHLAG_AWS_BUCKETS = local.buckets
    },
    var.policy_key == "" ? {} : { HANDSCHLAG_POLICY_KEY = var.policy_key },
  )
}

output "policy_role" {
  description = "ARN of the role that installs policy bundles; null without policy_principal."
  value       = try(values(aws_iam_role.policy)[0].arn, null)
}

output "alarm_topic" {
  description = "ARN of the topic that alarms go to."
  value       = aws_sns_topic.alarm.arn
}
