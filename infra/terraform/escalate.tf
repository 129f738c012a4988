# Offers, and the one click that leads to a human.

# Contacts and advisers.
module "desk" {
  source = "./modules/table"
  name   = "${var.prefix}-desk"
  hash   = "p"
  range  = "r"
  ttl    = "expires"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

module "escalate" {
  source    = "./modules/function"
  name      = "escalate"
  shop      = local.shop
  memory_mb = 1024
  seconds   = 10

  routes = [
    "POST /v1/escalate",
    "POST /v1/handover",
  ]

  rights = merge(local.everywhere, local.keeps, local.counts, local.products, local.visitors, local.decides, local.published, local.credentials, local.tokens, {
    CheckStates = {
      actions   = ["dynamodb:ConditionCheckItem"]
      resources = [module.book.arn]
    }
    ReadProfiles = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.profile.arn]
    }
    ReadSegments = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.member.arn]
    }
    FindDecisions = {
      actions   = ["dynamodb:GetItem"]
      resources = [module.decision.arn, module.price_decision.arn]
    }
    OpenContacts = {
      actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"]
      resources = [module.desk.arn]
    }
  })
}

