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
      condition = { StringEquals = { "kms:ViaService" = [local.through.dynamodb] } }
    }
    UnwrapIdentityKey = {
      actions   = ["kms:Decrypt"]
      resources = [aws_kms_key.identity.arn]
      condition = { StringEquals = { "kms:EncryptionContext:secret" = ["subjects"] } }
    }
    FindKeys = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [module.secret.arn]
      condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = concat(local.tenant_keys, ["subjects"]) } }
    }
    FindWho = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.identity.arn]
    }
    ReadStates = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.book.arn]
    }
  }

  # For functions that make pseudonyms.
  assigns = {
    AssignPseudonyms = {
      actions   = ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"]
      resources = [module.identity.arn]
    }
  }

  # For functions that move a consent state. One transaction writes record or entry and
  # state, takes from profiles what is no longer allowed, and tells the price function.
  books = {
    ReadBook = {
      actions   = ["dynamodb:Query"]
      resources = [module.book.arn]
    }
    WriteBook = {
      actions   = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:ConditionCheckItem"]
      resources = [module.book.arn]
    }
    MinimiseProfiles = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:ConditionCheckItem"]
      resources = [module.profile.arn]
    }
    TellPrices = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.price_grant.arn]
    }
  }

  # For functions that make leaves for the ledger. They wait in a queue.
  leaves = {
    QueueLeaves = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.leaf.arn]
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

  rights = merge(local.everywhere, local.keeps, local.visitors, local.assigns, local.books, local.leaves, local.credentials, local.tokens, {
    FindKeys = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [module.secret.arn]
      condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = concat(local.tenant_keys, ["subjects", "ledger"]) } }
    }
    UnwrapKeys = {
      actions   = ["kms:Decrypt"]
      resources = [aws_kms_key.main.arn]
      condition = { StringEquals = { "kms:EncryptionContext:secret" = concat(local.tenant_keys, ["ledger"]) } }
    }

    # The tenant's keys: nobody else makes any (docs/decisions/0026).
    MakeKeys = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.secret.arn]
      condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = concat(local.tenant_keys, ["subjects", "ledger"]) } }
    }
    WrapKeys = {
      actions   = ["kms:Encrypt"]
      resources = [aws_kms_key.main.arn]
      condition = { StringEquals = { "kms:EncryptionContext:secret" = concat(local.tenant_keys, ["ledger"]) } }
    }
    WrapIdentityKey = {
      actions   = ["kms:Encrypt"]
      resources = [aws_kms_key.identity.arn]
      condition = { StringEquals = { "kms:EncryptionContext:secret" = ["subjects"] } }
    }
    EmptyQueue = {
      actions   = ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:BatchWriteItem"]
      resources = [module.leaf.arn]
    }
    MoveHead = {
      actions   = ["dynamodb:GetItem", "dynamodb:PutItem"]
      resources = [module.ledger.arn]
    }
    WriteTiles = {
      actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resources = ["${module.ledger_bucket.arn}/*"]
    }
    PublishCheckpoints = {
      actions   = ["s3:GetObject", "s3:PutObject"]
      resources = ["${module.proof_bucket.arn}/checkpoints/*"]
    }
    MarkTables = {
      actions   = ["dynamodb:GetItem", "dynamodb:UpdateItem"]
      resources = [module.identity.arn, module.price_grant.arn]
      condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["mark"] } }
    }
    KeepJournal = {
      actions   = ["s3:PutObject"]
      resources = ["${module.night_bucket.arn}/journal/*"]
    }
    Distrust = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.control.arn]
      condition = local.only["trust"]
    }
  })
}

