# The book of consent, and the one function that may grow the ledger.

# Records, states, list entries, links, sealed proofs, graves: by subject.
module "book" {
  source = "./modules/table"
  name   = "${var.prefix}-book"
  hash   = "s"
  range  = "r"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# Leaves on their way into the ledger, and the openings of what is no record.
module "leaf" {
  source = "./modules/table"
  name   = "${var.prefix}-leaf"
  hash   = "q"
  range  = "n"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# What a price may know of a consent: a few booleans, and nobody's name.
module "price_grant" {
  source = "./modules/table"
  name   = "${var.prefix}-price-grant"
  hash   = "k"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

locals {
  # For functions that answer visitors: whose pseudonym it is, and what it allows.
  visitors = {
    UseIdentityKey = {
      actions   = ["kms:Decrypt"]
      resources = [aws_kms_key.identity.arn]
    }
    FindWho = {
      actions   = ["dynamodb:GetItem"]
      resources = [module.identity.arn]
    }
    ReadStates = {
      actions   = ["dynamodb:GetItem", "dynamodb:Query"]
      resources = [module.book.arn]
    }
  }

  # For functions that add to the book: pseudonyms are made, profiles lose what is
  # no longer allowed, and leaves wait for the ledger, all in one transaction.
  books = {
    AssignPseudonyms = {
      actions   = ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"]
      resources = [module.identity.arn]
    }
    WriteRecords = {
      actions   = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"]
      resources = [module.book.arn]
    }
    QueueLeaves = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.leaf.arn]
    }
    MinimiseProfiles = {
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:ConditionCheckItem"]
      resources = [module.profile.arn]
    }
    TellPrices = {
      actions   = ["dynamodb:PutItem", "dynamodb:DeleteItem"]
      resources = [module.price_grant.arn]
    }
  }
}

module "consent" {
  source    = "./modules/function"
  name      = "consent"
  shop      = local.shop
  memory_mb = 1024
  seconds   = 60

  routes = [
    "POST /v1/consent",
    "POST /v1/consent/state",
    "GET /v1/consent/{record_id}/proof",
  ]

  rights = merge(local.everywhere, local.visitors, local.credentials, local.decides, local.books, {
    SealProofs = {
      actions   = ["dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
      resources = [module.leaf.arn]
    }
    MoveTheHead = {
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
      resources = [module.ledger.arn]
    }
    WriteTiles = {
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = ["${module.ledger_bucket.arn}/*"]
    }
    MissTiles = {
      actions   = ["s3:ListBucket"]
      resources = [module.ledger_bucket.arn]
    }
    PublishCheckpoints = {
      actions   = ["s3:PutObject"]
      resources = ["${module.proof_bucket.arn}/checkpoints/*"]
    }
    FindDecisions = {
      actions   = ["dynamodb:Query"]
      resources = [module.decision.indexes["by_subject"]]
    }
    ReadDocuments = {
      actions   = ["s3:GetObject"]
      resources = ["${module.shop_bucket.arn}/documents/*"]
    }
  })
}

