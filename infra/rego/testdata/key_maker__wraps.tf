resource "aws_iam_role_policy" "a" {
  role = "shop-price"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Wrap"
      Effect    = "Allow"
      Action    = ["kms:Encrypt"]
      Resource  = ["arn:aws:kms:eu-central-1:123456789012:key/main"]
      Condition = { StringEquals = { "kms:EncryptionContext:secret" = ["token"] } }
    }]
  })
}
