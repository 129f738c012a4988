resource "aws_cloudwatch_log_group" "a" {
  name              = "/shop"
  retention_in_days = 30
}
