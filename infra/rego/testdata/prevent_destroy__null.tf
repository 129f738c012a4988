resource "aws_kms_key" "a" {
  description         = "may go"
  enable_key_rotation = true

  lifecycle {
    prevent_destroy = null
  }
}
