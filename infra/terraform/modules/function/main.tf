# A function of functions/: the Lambda, its routes, its log, its alarms, and its
# own role with the rights that it is given here and no others.

resource "aws_lambda_function" "this" {
  function_name    = "${var.shop.prefix}-${var.name}"
  description      = "Handschlag: ${var.name}"
  filename         = "${var.shop.lambdas}/${var.name}.zip"
  source_code_hash = filebase64sha256("${var.shop.lambdas}/${var.name}.zip")
  role             = aws_iam_role.this.arn
  runtime          = "provided.al2023"
  architectures    = ["arm64"]
  handler          = "bootstrap"
  memory_size      = var.memory_mb
  timeout          = var.seconds

  environment {
    variables = merge(var.shop.environment, var.environment)
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  depends_on = [aws_iam_role_policy.this]
}

# A failed call is the caller's to repeat, and the next minute's if the clock called.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.shop.prefix}-${var.name}"
  retention_in_days = var.shop.log_days
  kms_key_id        = var.shop.kms
}

resource "aws_iam_role" "this" {
  name        = "${var.shop.prefix}-${var.name}"
  description = "What the function ${var.name} may do, and nobody else."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "rights"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.this.arn}:log-stream:*"]
      }],
      [for name, r in var.rights : merge(
        { Sid = name, Effect = "Allow", Action = r.actions, Resource = r.resources },
        r.condition == null ? {} : { Condition = r.condition },
    )])
  })
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = var.shop.api.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this.invoke_arn
  payload_format_version = "2.0"
}

resource "aws_apigatewayv2_route" "this" {
  for_each = var.routes

  api_id    = var.shop.api.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.this.id}"
}

resource "aws_lambda_permission" "gateway" {
  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${var.shop.api.execution_arn}/*/*"
}

# Any error is one: what visitors are refused is no error.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    Errors    = "Calls of function ${var.name} failed or ran out of time."
    Throttles = "Calls of function ${var.name} found no room to run."
  }

  alarm_name          = "${var.shop.prefix}-${var.name}-${lower(each.key)}"
  alarm_description   = each.value
  namespace           = "AWS/Lambda"
  metric_name         = each.key
  dimensions          = { FunctionName = aws_lambda_function.this.function_name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.shop.alarm]
}
