resource "aws_s3_bucket" "a" {
  bucket              = "shop-proof"
  object_lock_enabled = true
}

resource "aws_s3_bucket_versioning" "a" {
  bucket = aws_s3_bucket.a.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "a" {
  bucket = aws_s3_bucket.a.bucket

  rule {
    default_retention {
      mode = null
      days = 30
    }
  }
}
