# Where alarms go.

resource "aws_sns_topic" "alarm" {
  name              = "${var.prefix}-alarm"
  kms_master_key_id = aws_kms_key.main.arn
}

resource "aws_sns_topic_policy" "alarm" {
  arn = aws_sns_topic.alarm.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.alarm.arn
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_sns_topic_subscription" "alarm" {
  for_each = var.alarm_emails

  topic_arn = aws_sns_topic.alarm.arn
  protocol  = "email"
  endpoint  = each.key
}
