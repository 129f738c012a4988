resource "aws_dynamodb_table" "this" {
  deletion_protection_enabled = false

  lifecycle {
    prevent_destroy = false
  }
}
