resource "aws_s3_bucket_policy" "a" {
  bucket = "shop"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "Open", Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "arn:aws:s3:::shop/a/*" }]
  })
}
