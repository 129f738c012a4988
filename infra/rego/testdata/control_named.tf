resource "aws_iam_role_policy" "a" {
  role = "shop-price"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Point"
      Effect   = "Allow"
      Action   = ["dynamodb:PutItem"]
      Resource = ["arn:aws:dynamodb:eu-central-1:123456789012:table/shop-control"]
    }]
  })
}
