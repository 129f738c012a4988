resource "aws_apigatewayv2_stage" "a" {
  name = "$default"

  default_route_settings {
    detailed_metrics_enabled = true
  }
}
