resource "aws_dynamodb_table" "a" {
  name                        = "shop-book"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "s"
  deletion_protection_enabled = true

  server_side_encryption {
    enabled     = true
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/identity"
  }
}
