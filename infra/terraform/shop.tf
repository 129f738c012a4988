# What every function shares: the configuration, names, control, counters, the
# catalogue, and the rights that all of them have.

locals {
  buckets = coalesce(var.bucket_prefix, "${var.prefix}-${data.aws_caller_identity.current.account_id}")
  account = data.aws_caller_identity.current.account_id

  # A shop's file lays over the default, key by key, as config.Parse does.
  default   = yamldecode(file("${path.module}/../../config/default.yaml"))
  own       = yamldecode(var.config == null ? "{}" : file(var.config))
  retention = merge(local.default.retention, try(local.own.retention, {}))

  # The environment of every function.
  environment = merge({
    HANDSCHLAG_AWS         = var.prefix
    HANDSCHLAG_AWS_BUCKETS = local.buckets
    HANDSCHLAG_SECRETS     = var.prefix
    },
    var.config == null ? {} : { HANDSCHLAG_CONFIG = "/var/task/handschlag.yaml" },
    var.policy_key == "" ? {} : { HANDSCHLAG_POLICY_KEY = var.policy_key },
    var.identity_public_key == "" ? {} : { HANDSCHLAG_IDENTITY_PUBLIC_KEY = var.identity_public_key },
  )
}

# Switches, and pointers to what is live: a partition for each, so that a role writes
# its own and no other (docs/decisions/0026).
module "control" {
  source = "./modules/table"
  name   = "${var.prefix}-control"
  hash   = "p"
  range  = "r"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# Hourly counts: what leaves nothing else behind.
module "counter" {
  source = "./modules/table"
  name   = "${var.prefix}-counter"
  hash   = "hour"
  range  = "writer"
  ttl    = "expires"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# Keys of the tenant, each wrapped by a key in KMS.
module "secret" {
  source = "./modules/table"
  name   = "${var.prefix}-secret"
  hash   = "name"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}

# Products, and the documents that decisions name by digest. No person.
module "shop_bucket" {
  source = "./modules/bucket"
  name   = "${local.buckets}-shop"
  kms    = aws_kms_key.main.arn
}

locals {
  # Services that a key is used through, and in no other way.
  through = { for s in ["dynamodb", "s3", "secretsmanager"] : s => "${s}.${var.region}.amazonaws.com" }

  # Keys of the tenant that everybody unwraps. Only the consent function makes any.
  tenant_keys = ["token", "draw", "digest"]

  # The one partition of control that a right to write is about. Nobody deletes there:
  # a ledger that is not relied on is looked at by hand.
  only = { for p in ["switches", "trust", "products", "publication", "policy"] :
  p => { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = [p] } } }

  # What every function may do, and a night.
  everywhere = {
    UseMainKey = {
      actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
      resources = [aws_kms_key.main.arn]
      condition = { StringEquals = { "kms:ViaService" = values(local.through) } }
    }
    UnwrapKeys = {
      actions   = ["kms:Decrypt"]
      resources = [aws_kms_key.main.arn]
      condition = { StringEquals = { "kms:EncryptionContext:secret" = local.tenant_keys } }
    }
    FindKeys = {
      actions   = ["dynamodb:BatchGetItem"]
      resources = [module.secret.arn]
      condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = local.tenant_keys } }
    }
    ReadControl = {
      actions   = ["dynamodb:BatchGetItem", "dynamodb:GetItem"]
      resources = [module.control.arn]
    }
    ReadRules = {
      actions   = ["s3:GetObject"]
      resources = ["${module.proof_bucket.arn}/bundles/*"]
    }
    # How far the journal is: a table that is behind it was put back from a backup.
    CountJournal = {
      actions   = ["s3:GetObject"]
      resources = ["${module.ledger_bucket.arn}/journal"]
    }
    MissJournal = {
      actions   = ["s3:ListBucket"]
      resources = [module.ledger_bucket.arn]
    }
  }

  # For functions: decisions name documents by digest, and they must be there.
  keeps = {
    KeepDocuments = {
      actions   = ["s3:PutObject"]
      resources = ["${module.shop_bucket.arn}/documents/*"]
    }
  }

  # For functions that count what leaves nothing else behind.
  counts = {
    Count = {
      actions   = ["dynamodb:PutItem"]
      resources = [module.counter.arn]
    }
  }

  # For functions that look documents up. Who may not list the bucket is not told that an
  # object is missing, but that it is forbidden; here and below.
  documents = {
    ReadDocuments = {
      actions   = ["s3:GetObject"]
      resources = ["${module.shop_bucket.arn}/documents/*"]
    }
    MissObjects = {
      actions   = ["s3:ListBucket"]
      resources = [module.shop_bucket.arn]
    }
  }

  # For functions that know the catalogue.
  products = {
    ReadProducts = {
      actions   = ["s3:GetObject"]
      resources = ["${module.shop_bucket.arn}/products/*"]
    }
    MissObjects = {
      actions   = ["s3:ListBucket"]
      resources = [module.shop_bucket.arn]
    }
  }

  # For functions that read what the last night published.
  published = {
    ReadPublications = {
      actions   = ["s3:GetObject"]
      resources = ["${module.shop_bucket.arn}/publications/*"]
    }
    MissObjects = {
      actions   = ["s3:ListBucket"]
      resources = [module.shop_bucket.arn]
    }
  }

  # For functions that pages and the shop's servers call.
  credentials = {
    ReadKeys = {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [module.write_key.arn, module.server_key.arn]
    }
  }

  # For functions that accounts call with a token of the shop's backend.
  tokens = {
    ReadIdentitySecret = {
      actions   = ["secretsmanager:GetSecretValue"]
      resources = [module.identity_secret.arn]
    }
  }

  # For functions whose callers are staff, too.
  staff_environment = {
    HANDSCHLAG_OIDC_ISSUER     = var.oidc_issuer
    HANDSCHLAG_OIDC_AUDIENCE   = var.oidc_audience
    HANDSCHLAG_OIDC_ROLE_CLAIM = var.oidc_role_claim
  }
}
