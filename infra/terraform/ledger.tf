# The ledger: its head, its tiles, and the checkpoints that nobody can take back.
# Only the consent function writes here.

# The head, by compare-and-swap.
module "ledger" {
  source = "./modules/table"
  name   = "${var.prefix}-ledger"
  hash   = "name"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# Tiles, the checkpoint and the verifier: opaque leaves, and no subject.
module "ledger_bucket" {
  source = "./modules/bucket"
  name   = "${local.buckets}-ledger"
  kms    = aws_kms_key.main.arn
}

# checkpoints/, bundles/ and manifests/: versioned and locked, and no subject.
module "proof_bucket" {
  source = "./modules/bucket"
  name   = "${local.buckets}-proof"
  kms    = aws_kms_key.main.arn
  lock   = { mode = var.proof_lock_mode, days = var.proof_lock_days }
}

# Once a minute the consent function takes waiting leaves into the ledger.
resource "aws_cloudwatch_event_rule" "sequence" {
  name                = "${var.prefix}-sequence"
  description         = "Waiting leaves go into the ledger."
  schedule_expression = "rate(1 minute)"
}

resource "aws_cloudwatch_event_target" "sequence" {
  rule  = aws_cloudwatch_event_rule.sequence.name
  arn   = module.consent.arn
  input = jsonencode({ handschlag = "sequence" })
}

resource "aws_lambda_permission" "sequence" {
  statement_id  = "sequence"
  action        = "lambda:InvokeFunction"
  function_name = module.consent.name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.sequence.arn
}

# A ledger that does not grow leaves consent records without proof.
resource "aws_cloudwatch_metric_alarm" "sequence" {
  alarm_name          = "${var.prefix}-sequence-missing"
  alarm_description   = "For five minutes nobody took leaves into the ledger."
  namespace           = "AWS/Events"
  metric_name         = "Invocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.sequence.name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarm.arn]
}
