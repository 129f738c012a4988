resource "aws_iam_role_policy" "a" {
  role = "shop-consent"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Trust"
      Effect    = "Allow"
      Action    = ["dynamodb:DeleteItem"]
      Resource  = ["arn:aws:dynamodb:eu-central-1:123456789012:table/shop-control"]
      Condition = { "ForAllValues:StringEquals" = { "dynamodb:LeadingKeys" = ["trust"] } }
    }]
  })
}
