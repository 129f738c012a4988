resource "aws_secretsmanager_secret" "a" {
  name       = "shop/write-key"
  kms_key_id = "key"

  replica {
    region = "us-east-1"
  }
}
