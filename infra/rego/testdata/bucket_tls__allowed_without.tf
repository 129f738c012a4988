resource "aws_s3_bucket" "a" {
  bucket = "shop-events"
}

resource "aws_s3_bucket_policy" "a" {
  bucket = aws_s3_bucket.a.bucket

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:*", Resource = "*", Condition = { Bool = { "aws:SecureTransport" = "true" } } }]
  })
}
