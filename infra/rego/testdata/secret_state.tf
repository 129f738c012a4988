resource "aws_secretsmanager_secret_version" "a" {
  secret_id     = "shop/write-key"
  secret_string = "in the state for all to read"
}
