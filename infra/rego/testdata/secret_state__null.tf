resource "aws_secretsmanager_secret_version" "a" {
  secret_id        = "shop/write-key"
  secret_string_wo = null
}
