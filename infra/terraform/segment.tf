# The night: what it reads and writes, and what runs it. What it found out about
# subjects lies in the table member, its exports in a bucket of their own.

# What the night found out, by run and subject.
module "member" {
  source = "./modules/table"
  name   = "${var.prefix}-member"
  hash   = "s"
  ttl    = "expires"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# Dated exports, and current.json, the one pointer. Dates begin with 20. Manifests
# stay in the proof bucket.
module "export_bucket" {
  source = "./modules/bucket"
  name   = "${local.buckets}-exports"
  kms    = aws_kms_key.main.arn

  expire_days = { "20" = local.retention.segment_days }
}

# The night's own state between nights, by content, what it is about to publish, and
# the journal that puts right a table that comes from a backup. What the state does
# not name any more the night removes: age says nothing there.
module "night_bucket" {
  source = "./modules/bucket"
  name   = "${local.buckets}-night"
  kms    = aws_kms_key.main.arn

  expire_days = { "publish/" = local.retention.segment_days, "journal/" = 35 } # law.md 2.6: backups
}

# Whoever runs the night is this role: the task, or the machine on-prem.
resource "aws_iam_role" "night" {
  name                 = "${var.prefix}-night"
  description          = "What a night reads and publishes."
  max_session_duration = 14400 # seconds

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [var.night == "fargate" ? {
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      } : {
      Effect    = "Allow"
      Principal = { AWS = var.night_principal }
      Action    = "sts:AssumeRole"
      Condition = { Bool = { "aws:SecureTransport" = "true" } }
    }]
  })
}

resource "aws_iam_role_policy" "night" {
  name = "rights"
  role = aws_iam_role.night.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for name, r in local.night_rights : merge(
      { Sid = name, Effect = "Allow", Action = r.actions, Resource = r.resources },
      { for k, v in r : "Condition" => v if k == "condition" },
    )]
  })
}

locals {
  # The night unwraps neither the identity map's key nor the ledger's, and reads no
  # identifiers: it works on pseudonyms.
  night_rights = merge(local.everywhere, local.products, local.decides, local.leaves, local.published, {
    ReadBook = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"]
      resources = [module.book.arn]
    }
    CheckStates = {
      actions   = ["dynamodb:ConditionCheckItem"]
      resources = [module.book.arn]
    }
    LetGo = { # of sealed proofs whose time is over, and of list entries that were replaced
      actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
      resources = [module.book.arn]
    }
    MinimiseProfiles = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"]
      resources = [module.profile.arn]
    }
    ReadShop = {
      actions   = ["dynamodb:Scan"]
      resources = [module.case.arn, module.counter.arn, module.price_history.arn]
    }
    ReadLedger = {
      actions   = ["dynamodb:GetItem"]
      resources = [module.ledger.arn]
    }
    ReadQueue = {
      actions   = ["dynamodb:Query"]
      resources = [module.leaf.arn]
    }
    FindDecisions = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [module.decision.arn, module.price_decision.arn]
    }
    SearchDecisions = {
      actions   = ["dynamodb:Query"]
      resources = [module.decision.indexes["by_time"], module.price_decision.indexes["by_time"]]
    }
    PublishMembers = {
      actions   = ["dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:Scan"]
      resources = [module.member.arn]
    }
    PublishPointer = {
      actions   = ["dynamodb:UpdateItem"]
      resources = [module.control.arn]
      condition = local.only["publication"]
    }
    Distrust = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.control.arn]
      condition = local.only["trust"]
    }
    PublishWeights = {
      actions   = ["s3:PutObject"]
      resources = ["${module.shop_bucket.arn}/publications/*"]
    }
    CompactDays = {
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = ["${module.event_bucket.arn}/raw/*", "${module.event_bucket.arn}/days/*", "${module.event_bucket.arn}/decisions/*"]
    }
    KeepState = {
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = ["${module.night_bucket.arn}/*"]
    }
    PublishExports = {
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = ["${module.export_bucket.arn}/*"]
    }
    SealManifests = {
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = ["${module.proof_bucket.arn}/manifests/*"]
    }
    ReadProof = {
      actions   = ["s3:GetObject"]
      resources = ["${module.proof_bucket.arn}/checkpoints/*", "${module.ledger_bucket.arn}/*"]
    }
    ListBuckets = {
      actions   = ["s3:ListBucket"]
      resources = [module.event_bucket.arn, module.export_bucket.arn, module.night_bucket.arn, module.ledger_bucket.arn, module.proof_bucket.arn]
    }
  })
}

# Wherever it runs: a day without a publication is told.
resource "aws_s3_bucket_notification" "export" {
  bucket      = module.export_bucket.name
  eventbridge = true
}

resource "aws_cloudwatch_event_rule" "published" {
  name        = "${var.prefix}-published"
  description = "A night was published."

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created"]
    detail      = { bucket = { name = [module.export_bucket.name] }, object = { key = ["current.json"] } }
  })
}

resource "aws_cloudwatch_event_target" "published" {
  rule = aws_cloudwatch_event_rule.published.name
  arn  = aws_cloudwatch_log_group.published.arn
}

resource "aws_cloudwatch_log_group" "published" {
  name              = "/aws/events/${var.prefix}-published"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn
}

resource "aws_cloudwatch_log_resource_policy" "published" {
  policy_name = "${var.prefix}-published"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NotePublications"
      Effect    = "Allow"
      Principal = { Service = ["events.amazonaws.com", "delivery.logs.amazonaws.com"] }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource  = ["${aws_cloudwatch_log_group.published.arn}:log-stream:*"]
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "published" {
  alarm_name          = "${var.prefix}-night-missing"
  alarm_description   = "For 26 hours no night was published: segments and weights grow old."
  namespace           = "AWS/Events"
  metric_name         = "Invocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.published.name }
  statistic           = "Sum"
  period              = 3600
  evaluation_periods  = 26
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarm.arn]
}
