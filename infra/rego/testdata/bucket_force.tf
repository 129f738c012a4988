resource "aws_s3_bucket" "a" {
  bucket        = "shop-ledger"
  force_destroy = true
}
