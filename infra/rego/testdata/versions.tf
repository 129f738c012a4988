resource "aws_s3_bucket_versioning" "a" {
  bucket = "shop-events"

  versioning_configuration {
    status = "Enabled"
  }
}
