resource "aws_dynamodb_table" "a" {
  name                        = "shop-book"
  deletion_protection_enabled = null
}
