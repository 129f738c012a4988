resource "aws_iam_role_policy" "a" {
  role = "shop-night"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Wrap"
      Effect   = "Allow"
      Action   = ["kms:ReEncryptTo"]
      Resource = ["arn:aws:kms:eu-central-1:123456789012:key/identity"]
    }]
  })
}
