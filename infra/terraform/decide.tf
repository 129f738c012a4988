# The log of decisions: at hand by id for as long as they are kept, and in S3.

module "decision" {
  source = "./modules/table"
  name   = "${var.prefix}-decision"
  hash   = "id"
  ttl    = "expires"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn

  indexes = {
    by_time    = { hash = "slot", range = "at" }
    by_subject = { hash = "s", range = "at" }
  }
}

# Decisions about prices, which are about nobody: apart, so that the price function reaches no other.
module "price_decision" {
  source = "./modules/table"
  name   = "${var.prefix}-price-decision"
  hash   = "id"
  ttl    = "expires"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn

  indexes = {
    by_time = { hash = "slot", range = "at" }
  }
}

module "decision_stream" {
  source = "./modules/stream"
  name   = "decisions"
  shop   = local.shop
  bucket = module.event_bucket.arn
}

locals {
  # For functions whose answers are decisions about visitors.
  decides = {
    LogDecisions = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.decision.arn]
    }
    StreamDecisions = {
      actions   = ["firehose:PutRecordBatch"]
      resources = [module.decision_stream.arn]
    }
  }
}
