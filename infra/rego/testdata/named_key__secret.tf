resource "aws_secretsmanager_secret" "a" {
  name = "shop/write-key"
}
