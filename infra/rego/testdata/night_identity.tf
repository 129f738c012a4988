resource "aws_iam_role_policy" "a" {
  role = "shop-night"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Peek", Effect = "Allow", Action = ["dynamodb:GetItem"], Resource = ["arn:aws:dynamodb:eu-central-1:123456789012:table/shop-identity"] }]
  })
}
