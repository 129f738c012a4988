resource "aws_iam_role" "a" {
  name                = "shop-staff"
  managed_policy_arns = ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
}
