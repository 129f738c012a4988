resource "aws_iam_role_policy_attachment" "a" {
  role       = "shop-staff"
  policy_arn = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
}
