resource "aws_s3_bucket" "a" {
  bucket              = "shop-proof"
  object_lock_enabled = true
}
