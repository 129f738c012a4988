resource "aws_iam_role_policy" "a" {
  role = "shop-staff"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "RolesDecide", Effect = "Allow", Action = ["kms:Decrypt"], Resource = "*" }]
  })
}
