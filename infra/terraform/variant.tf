# Content, chosen per slot.

module "variant" {
  source    = "./modules/function"
  name      = "variant"
  shop      = local.shop
  memory_mb = 1024
  seconds   = 10

  routes = [
    "POST /v1/variant",
  ]

  rights = merge(local.everywhere, local.keeps, local.counts, local.products, local.visitors, local.decides, local.published, local.credentials, local.tokens, {
    ReadProfiles = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.profile.arn]
    }
    ReadSegments = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.member.arn]
    }
  })
}

