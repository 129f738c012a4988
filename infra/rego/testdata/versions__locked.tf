resource "aws_s3_bucket" "a" {
  bucket              = "shop-exports"
  object_lock_enabled = true
}
