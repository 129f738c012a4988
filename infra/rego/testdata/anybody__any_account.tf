resource "aws_iam_role" "a" {
  name = "shop-night"

  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { AWS = ["*"] }, Action = "sts:AssumeRole" }]
  })
}
