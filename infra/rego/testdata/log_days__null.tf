resource "aws_cloudwatch_log_group" "a" {
  name              = "/shop"
  kms_key_id        = "key"
  retention_in_days = null
}
