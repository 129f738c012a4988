resource "aws_s3_bucket" "a" {
  bucket = "shop-events"
}

resource "aws_s3_bucket_lifecycle_configuration" "a" {
  bucket = aws_s3_bucket.a.bucket

  rule {
    id     = "off"
    status = "Disabled"

    expiration {
      days = 30
    }
  }
}
