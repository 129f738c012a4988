resource "aws_kms_key" "a" {
  description         = "no rotation"
  enable_key_rotation = null
}
