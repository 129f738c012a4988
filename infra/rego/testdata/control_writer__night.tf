resource "aws_iam_role_policy" "a" {
  role = "shop-night"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Turn"
      Effect    = "Allow"
      Action    = ["dynamodb:UpdateItem"]
      Resource  = ["arn:aws:dynamodb:eu-central-1:123456789012:table/shop-control"]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["switches"] } }
    }]
  })
}
