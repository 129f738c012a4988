resource "aws_iam_role_policy" "a" {
  role = "shop-night"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Grow", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["arn:aws:s3:::shop-123-ledger/*"] }]
  })
}
