resource "aws_iam_role_policy" "a" {
  role = "shop-staff"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "AllBut", Effect = "Allow", Action = ["s3:GetObject"], NotResource = ["arn:aws:s3:::shop/a"] }]
  })
}
