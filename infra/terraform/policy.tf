# Who installs a policy bundle: nobody by default. The role writes bundles, which are
# locked, and the pointer to them; functions load only what the policy key signed.

resource "aws_iam_role" "policy" {
  for_each = toset(compact([var.policy_principal]))

  name        = "${var.prefix}-policy"
  description = "Installs signed policy bundles."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = each.key }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "policy" {
  for_each = aws_iam_role.policy

  name = "rights"
  role = each.value.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "PointToBundles"
        Effect    = "Allow"
        Action    = ["dynamodb:GetItem", "dynamodb:PutItem"]
        Resource  = [module.control.arn]
        Condition = local.only["policy"]
      },
      {
        Sid      = "PutBundles"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = ["${module.proof_bucket.arn}/bundles/*"]
      },
      {
        Sid       = "UseMainKey"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [aws_kms_key.main.arn]
        Condition = { StringEquals = { "kms:ViaService" = [local.through.dynamodb, local.through.s3] } }
      },
    ]
  })
}
