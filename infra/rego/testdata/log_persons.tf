resource "aws_apigatewayv2_stage" "a" {
  name = "$default"

  access_log_settings {
    format = jsonencode({ from = "$context.identity.sourceIp", status = "$context.status" })
  }
}
