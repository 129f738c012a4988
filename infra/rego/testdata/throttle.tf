resource "aws_apigatewayv2_stage" "a" {
  name = "$default"

  default_route_settings {
    throttling_rate_limit  = 100
    throttling_burst_limit = null
  }
}
