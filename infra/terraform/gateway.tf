# The one way in: an HTTP API with a route for each call, and none for others
# (docs/decisions/0018). Its log knows neither address nor browser nor path. Which
# pages may call is in the configuration, and the functions answer for it.

resource "aws_apigatewayv2_api" "shop" {
  name          = var.prefix
  description   = "Handschlag"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_stage" "shop" {
  api_id      = aws_apigatewayv2_api.shop.id
  name        = "$default"
  auto_deploy = true

  default_route_settings {
    throttling_rate_limit  = var.requests_per_second
    throttling_burst_limit = var.requests_burst
  }

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.gateway.arn

    format = jsonencode({
      request     = "$context.requestId"
      route       = "$context.routeKey"
      status      = "$context.status"
      latency     = "$context.responseLatency"
      integration = "$context.integrationStatus"
      bytes       = "$context.responseLength"
    })
  }
}

resource "aws_cloudwatch_log_group" "gateway" {
  name              = "/aws/vendedlogs/${var.prefix}/gateway"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_cloudwatch_metric_alarm" "gateway_5xx" {
  alarm_name          = "${var.prefix}-gateway-5xx"
  alarm_description   = "The shop answered with errors of its own: visitors get the plain shop."
  namespace           = "AWS/ApiGateway"
  metric_name         = "5xx"
  dimensions          = { ApiId = aws_apigatewayv2_api.shop.id }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarm.arn]
}

locals {
  # What every function is given alike.
  shop = {
    prefix      = var.prefix
    account     = local.account
    region      = var.region
    lambdas     = var.lambdas
    environment = local.environment
    log_days    = var.log_days
    kms         = aws_kms_key.main.arn
    alarm       = aws_sns_topic.alarm.arn
    api         = { id = aws_apigatewayv2_api.shop.id, execution_arn = aws_apigatewayv2_api.shop.execution_arn }
  }
}
