# What a person may ask for: objection, restriction, erasure.

module "rights" {
  source    = "./modules/function"
  name      = "rights"
  shop      = local.shop
  memory_mb = 512
  seconds   = 30

  routes = [
    "POST /v1/rights",
    "GET /v1/rights/{request}",
  ]

  environment = local.staff_environment

  rights = merge(local.everywhere, local.visitors, local.credentials, local.decides, local.books, {
    ForgetWho = {
      actions   = ["dynamodb:DeleteItem"]
      resources = [module.identity.arn]
    }
    ForgetRecords = {
      actions   = ["dynamodb:DeleteItem"]
      resources = [module.book.arn]
    }
    ForgetProfile = {
      actions   = ["dynamodb:DeleteItem"]
      resources = [module.profile.arn, module.member.arn, module.price_grant.arn]
    }
    ForgetContacts = {
      actions   = ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
      resources = [module.desk.arn]
    }
    RedactDecisions = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [module.decision.arn]
    }
    FindDecisions = {
      actions   = ["dynamodb:Query"]
      resources = [module.decision.indexes["by_subject"]]
    }
  })
}

