resource "aws_dynamodb_table" "a" {
  name                        = "shop-book"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "s"
  deletion_protection_enabled = true
}
