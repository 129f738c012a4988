# Keys. That of the identity map is apart: who may read profiles cannot, for that
# reason alone, learn whose they are.

# Everything but the identity map.
resource "aws_kms_key" "main" {
  description             = "${var.prefix}: everything but the identity map"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.account_decides,
      {
        Sid       = "LogsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${var.region}:${local.account}:log-group:*" } }
      },
      {
        Sid       = "AlarmsOfThisAccount"
        Effect    = "Allow"
        Principal = { Service = "cloudwatch.amazonaws.com" }
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "main" {
  name          = "alias/${var.prefix}-main"
  target_key_id = aws_kms_key.main.key_id
}

# The identity map, and the key of its hashes.
resource "aws_kms_key" "identity" {
  description             = "${var.prefix}: the identity map, and the key of its hashes"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [local.account_decides]
  })

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_kms_alias" "identity" {
  name          = "alias/${var.prefix}-identity"
  target_key_id = aws_kms_key.identity.key_id
}

locals {
  # In a key's policy * is this key. Without this statement nobody could mend the policy.
  account_decides = {
    Sid       = "RolesDecide"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${local.account}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }
}

# Sent by pages, and so public: acts on devices only.
module "write_key" {
  source = "./modules/credential"
  name   = "${var.prefix}/write-key"
  says   = "Public: pages send it, and it acts on devices only."
  kms    = aws_kms_key.main.arn
  made   = var.secret_versions.write_key
}

module "server_key" {
  source = "./modules/credential"
  name   = "${var.prefix}/server-key"
  says   = "For the shop's servers alone."
  kms    = aws_kms_key.main.arn
  made   = var.secret_versions.server_key
}

module "identity_secret" {
  source = "./modules/credential"
  name   = "${var.prefix}/identity-secret"
  says   = "HS256 secret that the shop's backend signs identity tokens with."
  kms    = aws_kms_key.main.arn
  made   = var.secret_versions.identity_secret
}
