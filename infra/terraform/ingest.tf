# Events: the gate, the log behind it, and the cases that the night decides again.

# Cases of the gate, by digest.
module "case" {
  source = "./modules/table"
  name   = "${var.prefix}-case"
  hash   = "id"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# raw/ as Firehose delivers it, days/ and decisions/ as a night compacts it; kept as the
# configuration says.
module "event_bucket" {
  source = "./modules/bucket"
  name   = "${local.buckets}-events"
  kms    = aws_kms_key.main.arn

  expire_days = {
    "raw/events/"       = local.retention.event_days
    "raw/decisions/"    = local.retention.decision_days
    "failed/events/"    = local.retention.event_days
    "failed/decisions/" = local.retention.decision_days
    "days/"             = local.retention.event_days
    "decisions/"        = local.retention.decision_days
  }
}

module "event_stream" {
  source = "./modules/stream"
  name   = "events"
  shop   = local.shop
  bucket = module.event_bucket.arn
}

module "ingest" {
  source    = "./modules/function"
  name      = "ingest"
  shop      = local.shop
  memory_mb = 1024
  seconds   = 10

  # A page asks first whether it may call, whatever it is about to call.
  routes = [
    "OPTIONS /{proxy+}",
    "POST /v1/batch",
    "POST /v1/b",
    "POST /v1/track",
    "POST /v1/t",
    "POST /v1/page",
    "POST /v1/p",
    "POST /v1/screen",
    "POST /v1/s",
    "POST /v1/identify",
    "POST /v1/i",
    "POST /v1/group",
    "POST /v1/g",
    "POST /v1/alias",
    "POST /v1/a",
  ]

  rights = merge(local.everywhere, local.keeps, local.counts, local.products, local.visitors, local.assigns, local.books, local.leaves, local.credentials, local.tokens, {
    Relink = {
      actions   = ["dynamodb:DeleteItem"]
      resources = [module.book.arn]
    }
    LogEvents = {
      actions   = ["firehose:PutRecordBatch"]
      resources = [module.event_stream.arn]
    }
    RememberCases = {
      actions   = ["dynamodb:BatchWriteItem"]
      resources = [module.case.arn]
    }
  })
}

