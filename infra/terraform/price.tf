# Prices. Nothing here leads to a person: the role reaches no table that holds one.

# Price histories.
module "price_history" {
  source = "./modules/table"
  name   = "${var.prefix}-price"
  hash   = "k"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

module "price" {
  source    = "./modules/function"
  name      = "price"
  shop      = local.shop
  memory_mb = 1024
  seconds   = 30

  routes = [
    "POST /v1/price",
    "PUT /v1/products",
    "PUT /v1/prices",
  ]

  rights = merge(local.everywhere, local.keeps, local.counts, local.products, local.credentials, {
    KeepPrices = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"]
      resources = [module.price_history.arn]
    }
    ReadGrants = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.price_grant.arn]
    }
    LogDecisions = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.price_decision.arn]
    }
    StreamDecisions = {
      actions   = ["firehose:PutRecordBatch"]
      resources = [module.decision_stream.arn]
    }
    ImportProducts = {
      actions   = ["s3:PutObject", "s3:DeleteObject"]
      resources = ["${module.shop_bucket.arn}/products/*"]
    }
    PointToProducts = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.control.arn]
      condition = local.only["products"]
    }
  })
}

