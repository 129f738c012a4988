resource "aws_dynamodb_table" "a" {
  name           = "shop-book"
  billing_mode   = null
  read_capacity  = 100
  write_capacity = 100
}
