resource "aws_iam_role_policy" "a" {
  role = "shop-staff"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "All", Effect = "Allow", Action = "dynamodb:*", Resource = "arn:aws:dynamodb:eu-central-1:123456789012:table/shop-book" }]
  })
}
