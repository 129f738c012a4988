# What advisers, marketing, the DPO and operations call; and the probes.

module "staff" {
  source    = "./modules/function"
  name      = "staff"
  shop      = local.shop
  memory_mb = 512
  seconds   = 30

  routes = [
    "GET /v1/queue",
    "POST /v1/queue/{contact}/accept",
    "PUT /v1/advisers/me",
    "GET /v1/cards/{contact}",
    "POST /v1/cards/{contact}/outcome",
    "POST /v1/cards/{contact}/recording",
    "POST /v1/cards/{contact}/call",
    "GET /v1/decisions/{id}",
    "POST /v1/decisions/search",
    "GET /v1/stats",
    "GET /v1/exports",
    "GET /v1/exports/{date}/{file}",
    "POST /v1/exports/ack",
    "PUT /v1/switches/{name}",
    "GET /healthz",
    "GET /readyz",
    "GET /openapi.json",
    "GET /.well-known/gpc.json",
    "GET /metrics",
  ]

  environment = local.staff_environment

  rights = merge(local.everywhere, local.keeps, local.counts, local.products, local.visitors, local.books, local.leaves, local.decides, local.documents, local.published, {
    AnswerContacts = {
      actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"]
      resources = [module.desk.arn]
    }
    FindDecisions = {
      actions   = ["dynamodb:GetItem"]
      resources = [module.decision.arn, module.price_decision.arn]
    }
    SearchDecisions = {
      actions   = ["dynamodb:Query"]
      resources = [module.decision.indexes["by_time"], module.decision.indexes["by_subject"], module.price_decision.indexes["by_time"]]
    }
    ReadCounts = {
      actions   = ["dynamodb:Query"]
      resources = [module.counter.arn]
    }
    TurnSwitches = {
      actions   = ["dynamodb:UpdateItem"]
      resources = [module.control.arn]
      condition = local.only["switches"]
    }
    ReadExports = {
      actions   = ["s3:GetObject"]
      resources = ["${module.export_bucket.arn}/*"]
    }
    ListExports = {
      actions   = ["s3:ListBucket"]
      resources = [module.export_bucket.arn]
    }
  })
}

