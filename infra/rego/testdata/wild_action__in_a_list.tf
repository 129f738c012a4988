resource "aws_iam_role_policy" "a" {
  role = "shop-staff"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "All", Effect = "Allow", Action = ["s3:GetObject", "s3:Put*"], Resource = ["arn:aws:s3:::shop/a/*"] }]
  })
}
