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

  rights = merge(local.everywhere, local.keeps, local.visitors, local.assigns, local.books, local.leaves, local.decides, local.published, local.credentials, local.tokens, {
    ForgetWho = {
      actions   = ["dynamodb:DeleteItem"]
      resources = [module.identity.arn]
    }
    ForgetBook = {
      actions   = ["dynamodb:BatchWriteItem", "dynamodb:DeleteItem"]
      resources = [module.book.arn]
    }
    ForgetGrants = {
      actions   = ["dynamodb:BatchWriteItem"]
      resources = [module.price_grant.arn]
    }
    ForgetProfiles = {
      actions   = ["dynamodb:BatchWriteItem"]
      resources = [module.profile.arn]
    }
    ForgetSegments = {
      actions   = ["dynamodb:GetItem", "dynamodb:DeleteItem"]
      resources = [module.member.arn]
    }
    ForgetContacts = {
      actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"]
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
    FindPriceDecisions = {
      actions   = ["dynamodb:GetItem"]
      resources = [module.price_decision.arn]
    }
    FindLeaves = {
      actions   = ["dynamodb:GetItem"]
      resources = [module.leaf.arn]
    }
  })
}

